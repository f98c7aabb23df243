import Kernel
import Netlink
import Runtime

/// Finds out whether the kernel has netem: it adds one in a network namespace, which is gone when this returns.
package enum EmulatorTrial {
  package static func isThere() throws(KernelError) -> Bool {
    let namespace = try NetworkNamespace.create(loopbackUp: false, disablesIPv6: true)
    var socket = try NetlinkSocket(.route, in: namespace.descriptor)
    var batch = RouteBatch()
    // The loopback is link 1 of every namespace.
    batch.create(QueueDiscipline(.emulator(NetworkEmulator(limit: 1)), major: LinkQueues.emulator, on: 1))
    do throws(KernelError) {
      try socket.apply(batch)
      return true
    } catch {
      guard error.isUnknownQueue else { throw error }
      return false
    }
  }
}

extension KernelError {
  /// True if the kernel has no such queue discipline (qdisc_lookup_ops in sch_api.c), or nothing that could load it.
  package var isUnknownQueue: Bool { errno == .noSuchFileOrDirectory || errno == .notSupportedOnSocket }
}
