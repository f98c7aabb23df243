import Intent
import Netlink

extension StackBuilder {
  /// Says when the kernel's neighbour table has less room than a stack's services may need: its limits are in the host's first
  /// network namespace alone, and cannot be raised from another.
  func warnOfNeighbours(_ count: Int) {
    guard count > 0, var socket = try? NetlinkSocket(.route), let tables = try? socket.neighbourTables(),
      let table = tables.first(where: { $0.name == "arp_cache" }), Int(table.limit) < count
    else { return }
    warnings.add(
      "services may need \(count) neighbours, and the kernel learns \(table.limit) for all namespaces together: beyond, "
        + "packets are lost; on the host itself: sysctl -w net.ipv4.neigh.default.gc_thresh3=\(2 * count)",
      about: "neighbours")
  }
}
