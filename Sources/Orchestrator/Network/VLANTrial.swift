import Kernel
import Netlink
import Runtime

/// Whether the kernel has VLANs on bridges is known when it was tried, in a network namespace that is gone when this returns.
enum VLANTrial {
  static let absence =
    "this kernel has no VLANs on bridges (CONFIG_BRIDGE_VLAN_FILTERING, CONFIG_VLAN_8021Q)"

  /// Makes a bridge that filters VLANs and an interface for one of them: an access port takes the one, a trunk both.
  static func isThere() throws(KernelError) -> Bool {
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

  /// What `up` says where it did without.
  static func note(of stack: DesiredStack) -> String? {
    let divided = stack.networks.filter { !$0.vlans.isEmpty && !$0.filtersVLANs }
    guard !divided.isEmpty else { return nil }
    let names = divided.map(\.name).joined(separator: ", ")
    return "\(absence): each VLAN of \(names) has a bridge of its own"
  }
}
