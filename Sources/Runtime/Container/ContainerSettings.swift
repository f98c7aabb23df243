import Glibc
import Isolation
import Kernel
import SystemPackage

/// Kernel settings of one container, beyond its namespaces and mounts.
public struct ContainerSettings: Sendable {
  /// Bytes that /dev/shm holds. Nil: 64 MiB.
  public var sharedMemorySize: UInt64?
  /// Bytes that /tmp holds, and any other tmpfs that says nothing of its own. Nil: half of the host's memory.
  public var temporarySize: UInt64?
  /// True if /tmp is the root folder's own, and not a tmpfs.
  public var keepsTemporaryFolder = false
  /// Sysctls of the container's own network and ipc namespaces, by the path below /proc/sys.
  public var kernelParameters: [(path: String, value: String)] = []
  /// True if its network namespace is no longer the host's. Then a container that has NET_ADMIN may write to /proc/sys/net:
  /// the kernel shows it the parameters of that namespace there, and no others (net/sysctl_net.c).
  public var hasOwnNetwork = false
  /// Devices below /dev, beside the usual.
  public var devices: [ContainerDevice] = []
  public var ipc = Namespace.own
  public var pid = Namespace.own
  /// The host's own host name, which the container then cannot have one beside.
  public var usesHostNames = false
  public var timeOffsets: TimeOffsets?
  /// The process whose container's /dev/shm this one sees too.
  public var sharedMemoryOf: FileDescriptor?
  /// The trees at /sys/fs/cgroup: that of version 2 alone, or several, each in a folder.
  public var controlGroups: [ControlGroupTree] = []

  /// The namespace of a kind that the container is in.
  public enum Namespace: Sendable {
    case own
    /// The caller's.
    case host
    /// The namespace of the process behind a pidfd.
    case process(FileDescriptor)
  }

  public init() {}
}

/// A device node of the host's, made once more in a container.
public struct ContainerDevice: Hashable, Sendable {
  /// Below /dev: `net/tun`.
  public var name: String
  /// Type and permissions, as stat(2) has them.
  public var mode: UInt32
  public var number: UInt64

  public init(name: String, mode: UInt32, number: UInt64) {
    self.name = name
    self.mode = mode
    self.number = number
  }
}

extension CloneFlag {
  static let time: UInt64 = 0x80
}

extension Program {
  /// Its own time namespace: what is executed, and its children, are in it. To be called where the host's /proc is.
  mutating func offsetClocks(by offsets: TimeOffsets?) throws(KernelError) {
    guard let offsets else { return }
    unshare(CloneFlag.time, "a time namespace")
    try write(
      "monotonic \(offsets.monotonic) 0\nboottime \(offsets.boot) 0\n", to: "/proc/self/timens_offsets", for: "set",
      "the clocks of the time namespace")
  }

  /// Sets kernel parameters. Call it while /proc/sys is still writable, and in the namespaces that the parameters
  /// belong to.
  mutating func set(_ parameters: [(path: String, value: String)]) throws(KernelError) {
    for (path, value) in parameters {
      try write(value, to: "/proc/sys/\(path)", for: "set the sysctl", path)
    }
  }

  /// Opens the /dev/shm of the container that a process is in: from inside, where no link leads out.
  mutating func openSharedMemory(of pidfd: FileDescriptor?) throws(KernelError) -> Handle? {
    guard let pidfd else { return nil }
    let home = try open("/proc/self/ns/mnt", O_RDONLY, "the mount namespace")
    enter(CloneFlag.mount, of: .init(pidfd), for: "enter", "the other service")
    let memory = try openTree("/dev/shm", for: "share", "/dev/shm")
    enter(CloneFlag.mount, of: home, for: "leave", "the other service")
    return memory
  }

  /// Makes device nodes below a /dev that holds nothing of anybody else's yet.
  mutating func make(_ devices: [ContainerDevice], in dev: Handle) throws(KernelError) {
    for device in devices {
      var folder = dev
      let parts = device.name.split(separator: "/").map(String.init)
      if parts.count > 1 {
        let path = parts.dropLast().joined(separator: "/")
        folder = try makeTarget(path, below: dev, for: "make", "/dev/\(path)")
      }
      try makeNode(
        parts.last ?? device.name, in: folder, mode: UInt64(device.mode), device: device.number, "/dev/\(device.name)")
    }
  }
}

extension Credentials {
  /// The credentials with further groups, which are looked up in /etc/group below `root`.
  func joining(_ names: [String], root: FileDescriptor) throws(KernelError) -> Credentials {
    var credentials = self
    for name in names {
      // As for a user's own group, and the user does not matter.
      let gid = try Credentials.resolve("0:\(name)", root: root).gid
      if !credentials.groups.contains(gid) { credentials.groups.append(gid) }
    }
    return credentials
  }
}
