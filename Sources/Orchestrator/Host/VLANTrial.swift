import Kernel
import Netlink
import Runtime

/// Finds out whether the kernel's bridges tell VLANs apart: it makes one in a network namespace, which is gone when
/// this returns.
package enum VLANTrial {

  /// Makes a bridge that filters VLANs and an interface for one of them: an access port takes the one, a trunk both.
  package static func isThere() throws(KernelError) -> Bool {
    let namespace = try NetworkNamespace.create(loopbackUp: false, disablesIPv6: true)
    var socket = try NetlinkSocket(.route, in: namespace.descriptor)
    var bridge = Bridge("trial")
    // Beyond whatever links the kernel puts into each namespace by itself.
    let index: UInt32 = 1000
    (bridge.index, bridge.isUp, bridge.filtersVLANs) = (index, false, true)
    var batch = RouteBatch()
    batch.create(bridge)
    batch.create(VLANInterface("trial.2", on: index, vlan: 2))
    do throws(KernelError) {
      try socket.apply(batch)
      return true
    } catch {
      guard error.errno == .notSupportedOnSocket else { throw error }
      return false
    }
  }
}
