import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

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

  /// A new one, which owns nothing.
  public init(range: IdentityRange) throws(KernelError) {
    descriptor = Descriptor(
      adopting: try check("create", "a user namespace") { stack_userns_create(range.first, IdentityRange.count) })
    self.range = range
  }

  public var identities: ContainerIdentities {
    ContainerIdentities(namespace: descriptor.fileDescriptor, range: range)
  }
}

/// The ids of a container's users outside, for ``ContainerSpec/identities``. On loan, like every descriptor there.
public struct ContainerIdentities: Sendable {
  public var namespace: FileDescriptor
  public var range: IdentityRange

  public init(namespace: FileDescriptor, range: IdentityRange) {
    self.namespace = namespace
    self.range = range
  }
}
