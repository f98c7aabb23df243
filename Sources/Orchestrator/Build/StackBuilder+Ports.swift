import Host
import Glibc
import Intent
import Kernel
import Netlink

extension DesiredAttachment {
  func forwardingEntry(behind link: UInt32) -> ForwardingEntry {
    var entry = ForwardingEntry(mac, behind: link)
    entry.isSticky = true
    return entry
  }
}

/// Filters beside nftables that drop packets which its tables have not marked (``PacketMark``). So the loss of the tables
/// opens nothing.
extension StackBuilder {
  /// Drops unmarked packets at the ports of a stack. All ports share the filter, and it is added last: joining a block that
  /// has a filter waits for an RCU grace period.
  func dropUnguarded(_ desired: DesiredStack) {
    guard desired.linkGroup != 0, desired.services.contains(where: { !$0.attachments.flatMap(\.pairs).isEmpty }) else {
      return
    }
    do throws(KernelError) {
      var socket = try NetlinkSocket(.route)
      var batch = RouteBatch()
      batch.create(PacketFilter.departures, at: .block(desired.linkGroup))
      try socket.apply(batch)
    } catch {
      warnings.add(
        "what no guard has seen is not stopped while another program has deleted the stack's tables: \(error)",
        about: "unguarded")
    }
  }

  /// Gives ports that exist already, and their bridges, the guards that new ones have.
  func guardPorts(of services: [DesiredService], in desired: DesiredStack) throws(KernelError) {
    var socket = try NetlinkSocket(.route)
    var batch = RouteBatch()
    for network in desired.ownNetworks where network.hasBridge {
      for bridge in network.bridges + desired.segments.filter({ $0.network == network.name }).map(\.bridge) {
        let index = try linkIndex(bridge)
        batch.createFilterPlace(on: index, tolerating: .everything)
        batch.create(PacketFilter.arrivals, at: .ingress(link: index), tolerating: .everything)
      }
    }
    for service in services {
      for attachment in service.attachments {
        for pair in attachment.pairs {
          let link = try linkIndex(pair.link)
          var change = LinkChange(.index(link))
          change.bridgePort = attachment.bridgePort(hairpins: !service.ports.isEmpty)
          change.usesARP = false
          batch.set(attachment.forwardingEntry(behind: link))
          batch.change(change)
          batch.createFilterPlace(on: link, sharing: desired.linkGroup, tolerating: .everything)
        }
        if let segment = desired.segment(of: attachment) {
          batch.set(attachment.forwardingEntry(behind: try linkIndex(segment.nearEnd)))
        }
      }
    }
    try socket.apply(batch)
    if !desired.policy.isEmpty {
      try filter(desired.ownNetworks.filter(\.hasBridge), by: desired.policy, of: desired)
    }
  }
}
