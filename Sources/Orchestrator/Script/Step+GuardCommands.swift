import Host
import Intent
import Netlink
import Planning

/// The commands for what holds ports to their own addresses beside the tables.
extension Step {
  static func portSettings(_ attachment: DesiredAttachment, hairpins: Bool) -> String {
    let port = attachment.bridgePort(hairpins: hairpins)
    func word(_ setting: Bool?) -> String { setting ?? false ? "on" : "off" }
    return "flood \(word(port.floods)) neigh_suppress on learning \(word(port.learns)) locked \(word(port.isLocked))"
      + (hairpins ? " hairpin on" : "")
  }

  static func filterPlaceCommand(_ link: String, _ stack: DesiredStack) -> String {
    "tc qdisc add dev \(link) egress_block \(stack.linkGroup) clsact"
  }

  static func arrivalFilterCommands(_ bridge: String) -> [String] {
    [
      "tc qdisc add dev \(bridge) clsact",
      "tc filter add dev \(bridge) ingress protocol all pref 1 handle 1 bpf direct-action bytecode"
        + " '\(PacketFilter.arrivals.rendered)'",
    ]
  }

  static func guardCommands(_ services: [DesiredService], _ stack: DesiredStack) -> [String] {
    let bridges = stack.ownNetworks.filter(\.hasBridge).flatMap { network in
      network.bridges + stack.segments.filter { $0.network == network.name }.map(\.bridge)
    }
    return bridges.flatMap(arrivalFilterCommands)
      + services.flatMap { service in
        service.attachments.flatMap { attachment in
          attachment.pairs.flatMap { pair in
            [
              "bridge fdb replace \(attachment.mac) dev \(pair.link) master static sticky",
              "bridge link set dev \(pair.link) \(portSettings(attachment, hairpins: !service.ports.isEmpty))",
              "ip link set \(pair.link) arp off",
              filterPlaceCommand(pair.link, stack),
            ]
          }
        }
      }
  }

  static func unguardedCommands(_ stack: DesiredStack) -> [String] {
    guard stack.linkGroup != 0, stack.services.contains(where: { !$0.attachments.flatMap(\.pairs).isEmpty }) else {
      return []
    }
    return [
      "tc filter add block \(stack.linkGroup) protocol all pref 1 handle 1 bpf direct-action bytecode"
        + " '\(PacketFilter.departures.rendered)'"
    ]
  }
}
