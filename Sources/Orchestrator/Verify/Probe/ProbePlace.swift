import Host
import Kernel
import Netlink

/// A network namespace that packets start from or arrive in: a service's, or the host's own.
package struct ProbePlace: Sendable {
  package let name: String
  /// nil: the one that this program is in.
  private let namespace: SharedNamespace?

  var isHost: Bool { namespace == nil }

  package init(_ name: String, namespace: SharedNamespace?) {
    self.name = name
    self.namespace = namespace
  }

  /// Calls `body` with the calling thread in the namespace; sockets opened meanwhile stay there.
  func visit<Value: ~Copyable>(_ body: () throws(KernelError) -> Value) throws(KernelError) -> Value {
    guard let namespace else { return try body() }
    return try visiting(namespace.descriptor, body)
  }
}
