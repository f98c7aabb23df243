import CLinux
import Glibc
public import Kernel
public import SystemPackage

/// The ids of the host's that users 0 to 65535 of a user namespace are.
public struct IdentityRange: Hashable, Sendable {
  /// What the namespace's root is outside.
  public let first: UInt32
  public static let count: UInt32 = 65536

  public init(first: UInt32) {
    self.first = first
  }

  /// What a user or group of the namespace is outside; `nil` for one it does not have.
  public func outside(_ id: UInt32) -> UInt32? {
    id < Self.count ? first + id : nil
  }
}

/// A user namespace, held by a descriptor: who is root in it is nobody outside (user_namespaces(7)).
///
/// It has no name of its own. It owns a network namespace, which holds it, and is found through that one: so both are
/// pinned and let go of together.
public struct UserNamespace: ~Copyable, Sendable {
  public let descriptor: Descriptor
  public let range: IdentityRange

  /// The owner of `network`, which was made with that range by ``NetworkNamespace/create(loopbackUp:disablesIPv6:forwards:ownedBy:)``.
  public init(owning network: borrowing NetworkNamespace, range: IdentityRange) throws(KernelError) {
    let number = try check("find", "the user namespace of a network namespace") {
      stack_namespace_owner(network.descriptor.rawValue)
    }
    descriptor = Descriptor(adopting: number)
    self.range = range
  }

  public var identities: ContainerIdentities {
    ContainerIdentities(namespace: descriptor.fileDescriptor, range: range)
  }
}

/// Whom the users of a container are outside: for ``ContainerSpec/identities``. On loan, like every descriptor there.
public struct ContainerIdentities: Sendable {
  public var namespace: FileDescriptor
  public var range: IdentityRange

  public init(namespace: FileDescriptor, range: IdentityRange) {
    self.namespace = namespace
    self.range = range
  }
}
