import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

/// A network namespace, held by a descriptor, and by a name when pinned.
public struct NetworkNamespace: ~Copyable, Sendable {
  /// Lend it to netlink sockets and to ``ContainerSpec/networkNamespace``.
  public let descriptor: Descriptor

  public init(adopting descriptor: consuming Descriptor) {
    self.descriptor = descriptor
  }

  /// The IPv6 settings of its interfaces, from the first on (ip-sysctl.rst).
  public enum IPv6: Sendable {
    /// `net.ipv6.conf.{all,default}.disable_ipv6` are 1: no interface ever sends duplicate address detection or multicast
    /// listener reports.
    case off
    /// Addresses and routes are those that are given: no link-local ones, no address detection, no router solicitations, and
    /// whoever announces himself as a router is not believed. ENOENT when the kernel has no IPv6.
    case fixed
    /// As the kernel does without being told.
    case automatic

    fileprivate var options: UInt32 {
      switch self {
      case .off: UInt32(STACK_NETNS_DISABLE_IPV6)
      case .fixed: UInt32(STACK_NETNS_STATIC_IPV6)
      case .automatic: 0
      }
    }
  }

  /// A new one. The calling thread makes it, and is back in its own when this returns.
  ///
  /// With `forwards`, it is a router: packets pass from one interface to another, in both families, whichever way they
  /// would come back.
  /// With `owner`, a user namespace is made to own it, see ``UserNamespace``; otherwise it is the caller's.
  /// For many, see ``NetworkNamespaceFactory``.
  public static func create(
    loopbackUp: Bool = true, ipv6: IPv6, forwards: Bool = false, ownedBy owner: IdentityRange? = nil
  ) throws(KernelError) -> NetworkNamespace {
    let proc = try Descriptor.open("/proc", OpenFlag.path | O_DIRECTORY)
    return try create(loopbackUp: loopbackUp, ipv6: ipv6, forwards: forwards, ownedBy: owner, proc: proc)
  }

  /// The same with IPv6 off, or as the kernel does it.
  public static func create(
    loopbackUp: Bool = true, disablesIPv6: Bool, forwards: Bool = false, ownedBy owner: IdentityRange? = nil
  ) throws(KernelError) -> NetworkNamespace {
    try create(loopbackUp: loopbackUp, ipv6: disablesIPv6 ? .off : .automatic, forwards: forwards, ownedBy: owner)
  }

  fileprivate static func create(
    loopbackUp: Bool, ipv6: IPv6, forwards: Bool, ownedBy owner: IdentityRange?, proc: borrowing Descriptor
  ) throws(KernelError) -> NetworkNamespace {
    var options = ipv6.options
    if loopbackUp { options |= UInt32(STACK_NETNS_LOOPBACK) }
    if forwards { options |= UInt32(STACK_NETNS_FORWARD) }
    if let owner {
      let number = try check("create", "a user and a network namespace") {
        stack_netns_create_owned(proc.rawValue, options, owner.first, IdentityRange.count)
      }
      return NetworkNamespace(adopting: Descriptor(adopting: number))
    }
    let number = try check("create", "a network namespace") { stack_netns_create(proc.rawValue, options) }
    return NetworkNamespace(adopting: Descriptor(adopting: number))
  }

  /// The one pinned at `path`. EINVAL when the file there is not a network namespace.
  public static func open(pinnedAt path: String) throws(KernelError) -> NetworkNamespace {
    let descriptor = try Descriptor.open(path, O_RDONLY)
    let type = try check("open network namespace", path) { stack_namespace_type(descriptor.rawValue) }
    if UInt64(UInt32(bitPattern: type)) != CloneFlag.network {
      throw KernelError("open network namespace", path, errno: .invalidArgument)
    }
    return NetworkNamespace(adopting: descriptor)
  }

  /// Gives it a name in the file system, where `ip netns` finds it when the folder is /run/netns (ip-netns(8)).
  ///
  /// The folder must have been made ready by ``NamespaceFolder/prepare(_:)``. EEXIST when the name is taken.
  public func pin(at path: String) throws(KernelError) {
    _ = try Descriptor.open(path, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
    do {
      try check("pin network namespace at", path) {
        mount("/proc/self/fd/\(descriptor.rawValue)", path, nil, UInt(MountFlag.bind), nil)
      }
    } catch {
      unlink(path)
      throw error
    }
  }

  /// Takes the name away; the namespace goes when nothing else holds it. A name that is not there is no error.
  public static func unpin(_ path: String) throws(KernelError) {
    if umount2(path, UnmountFlag.detach | UnmountFlag.noFollow) != 0, errno != EINVAL, errno != ENOENT {
      throw KernelError("unpin network namespace", path, errno: .last)
    }
    if unlink(path) != 0, errno != ENOENT {
      throw KernelError("unpin network namespace", path, errno: .last)
    }
  }
}

/// Makes many network namespaces.
///
/// Each has a /proc/sys/net of its own, and all are entries of one name in the same folder of the kernel's path cache:
/// to find one takes a walk past all others. With 800 that is more than half of what it costs to make one. A procfs of
/// one's own starts with an empty cache, so this mounts one, in no mount namespace, and another when it has filled up.
public struct NetworkNamespaceFactory: ~Copyable, Sendable {
  private var proc: Descriptor
  private var made = 0

  public init() throws(KernelError) {
    proc = try Self.mountProc()
  }

  /// As ``NetworkNamespace/create(loopbackUp:ipv6:forwards:ownedBy:)``.
  public mutating func create(
    loopbackUp: Bool = true, ipv6: NetworkNamespace.IPv6, forwards: Bool = false, ownedBy owner: IdentityRange? = nil
  ) throws(KernelError) -> NetworkNamespace {
    if made == 64 {
      proc = try Self.mountProc()
      made = 0
    }
    made += 1
    return try NetworkNamespace.create(
      loopbackUp: loopbackUp, ipv6: ipv6, forwards: forwards, ownedBy: owner, proc: proc)
  }

  private static func mountProc() throws(KernelError) -> Descriptor {
    let context = Descriptor(adopting: try check("mount", "a procfs") { stack_fsopen("proc") })
    try check("mount", "a procfs") { stack_fsconfig(context.rawValue, FSConfig.create, nil, nil, 0) }
    return Descriptor(adopting: try check("mount", "a procfs") { stack_fsmount(context.rawValue, 0) })
  }
}
