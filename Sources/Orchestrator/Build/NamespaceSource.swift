import Isolation
import Kernel
import Runtime
import Synchronization

/// New network namespaces for several threads: each uses a factory that no other is using at the moment.
final class NamespaceSource: Sendable {
  private let idle = Mutex<[Lease]>([])

  private final class Lease: Sendable {
    private let factory: Mutex<NetworkNamespaceFactory>

    init() throws(KernelError) {
      factory = Mutex(try NetworkNamespaceFactory())
    }

    func create(
      _ ipv6: NetworkNamespace.IPv6, forwards: Bool, ownedBy owner: IdentityRange?
    ) throws(KernelError) -> NetworkNamespace {
      try factory.withLock { factory throws(KernelError) in
        try factory.create(ipv6: ipv6, forwards: forwards, ownedBy: owner)
      }
    }
  }

  /// A namespace with its loopback up.
  ///
  /// - Parameters:
  ///   - forwards: whether it is a router's.
  ///   - owner: for one that is to be owned by a user namespace made with it.
  func create(
    _ ipv6: NetworkNamespace.IPv6, forwards: Bool, ownedBy owner: IdentityRange?
  ) throws(KernelError) -> NetworkNamespace {
    let lease = try takeLease()
    defer { idle.withLock { $0.append(lease) } }
    return try lease.create(ipv6, forwards: forwards, ownedBy: owner)
  }

  private func takeLease() throws(KernelError) -> Lease {
    if let lease = idle.withLock({ $0.popLast() }) { return lease }
    return try Lease()
  }
}
