/// The commands for networks that are more than one bridge with untagged ports.
extension Step {
  static func filter(_ network: DesiredNetwork) -> String { network.vlans.isEmpty ? "" : " vlan_filtering 1" }

  static func mtu(_ network: DesiredNetwork) -> String { network.mtu.map { " mtu \($0)" } ?? "" }

  static func removalCommands(_ network: DesiredNetwork) -> [String] {
    guard network.parent == nil else { return [] }
    return (network.tunnel.map { ["ip link del \($0.link)"] } ?? []) + ["ip link del \(network.bridge)"]
  }

  static func tunnelCommands(_ network: DesiredNetwork, _ stack: DesiredStack) -> [String] {
    guard let tunnel = network.tunnel else { return [] }
    let local = tunnel.local.map { " local \($0)" } ?? ""
    return [
      "ip link add \(tunnel.link)\(mtu(network)) group \(stack.linkGroup) type vxlan id \(tunnel.id)"
        + " remote \(tunnel.remote)\(local) dstport \(tunnel.port)",
      "ip link set \(tunnel.link) master \(network.bridge) addrgenmode none up",
    ] + network.vlans.map { "bridge vlan add vid \($0.id) dev \(tunnel.link)" }
  }

  static func segmentCommands(_ segment: DesiredSegment, _ stack: DesiredStack) -> [String] {
    guard let network = stack.network(named: segment.network) else { return [] }
    return [
      "ip link add \(segment.bridge)\(mtu(network)) group \(stack.linkGroup) type bridge stp_state 0 mcast_snooping 0"
        + filter(network),
      "ip link add \(segment.nearEnd)\(mtu(network)) group \(stack.linkGroup) type veth"
        + " peer name \(segment.farEnd)\(mtu(network)) group \(stack.linkGroup)",
      "ip link set \(segment.nearEnd) master \(network.bridge) addrgenmode none up",
      "ip link set \(segment.farEnd) master \(segment.bridge) addrgenmode none up",
      "bridge link set dev \(segment.nearEnd) neigh_suppress on",
      "bridge fdb add \(network.mac) dev \(segment.farEnd) master static",
      "ip link set \(segment.bridge) addrgenmode none up",
    ]
  }

  static func macvlanCommands(
    _ attachment: DesiredAttachment, _ network: DesiredNetwork, _ parent: String, _ namespace: String
  ) -> [String] {
    var commands = [
      "ip link add \(attachment.interface)\(mtu(network)) link \(parent) address \(attachment.mac) netns \(namespace)"
        + " type macvlan mode bridge",
      "ip -n \(namespace) addr add \(attachment.address)/\(network.subnet.length) dev \(attachment.interface)",
      "ip -n \(namespace) link set \(attachment.interface) up",
    ]
    if attachment.isDefaultRoute { commands.append("ip -n \(namespace) route add default via \(network.gateway)") }
    return commands
  }

  static func portCommands(_ attachment: DesiredAttachment) -> [String] {
    switch attachment.vlan {
    case nil: []
    case .access(let id):
      [
        "bridge vlan add vid \(id) pvid untagged dev \(attachment.link)",
        "bridge vlan del vid 1 dev \(attachment.link)",
      ]
    case .trunk(let interfaces): interfaces.map { "bridge vlan add vid \($0.vlan) dev \(attachment.link)" }
    }
  }

  static func subinterfaceCommands(_ attachment: DesiredAttachment, _ namespace: String) -> [String] {
    attachment.subinterfaces.flatMap { interface in
      ["ip -n \(namespace) link add \(interface.interface) link \(attachment.interface) type vlan id \(interface.vlan)"]
        + (interface.address.map {
          ["ip -n \(namespace) addr add \($0)/\(interface.length) dev \(interface.interface)"]
        } ?? []) + ["ip -n \(namespace) link set \(interface.interface) up"]
    }
  }
}
