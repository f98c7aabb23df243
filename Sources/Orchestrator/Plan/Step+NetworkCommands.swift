/// The commands for networks that are more than one bridge with untagged ports.
extension Step {
  static func filter(_ network: DesiredNetwork) -> String { network.filtersVLANs ? " vlan_filtering 1" : "" }

  static func mtu(_ network: DesiredNetwork) -> String { network.mtu.map { " mtu \($0)" } ?? "" }

  static func removalCommands(_ network: DesiredNetwork) -> [String] {
    guard network.parent == nil else { return [] }
    return (network.tunnel.map { ["ip link del \($0.link)"] } ?? [])
      + network.bridges.map { "ip link del \($0)" }
  }

  /// Bridges of VLANs, on a kernel whose bridges tell none apart.
  static func vlanBridgeCommands(_ network: DesiredNetwork, _ stack: DesiredStack) -> [String] {
    network.vlans.compactMap(\.bridge).flatMap { bridge in
      [
        "ip link add \(bridge)\(mtu(network)) group \(stack.linkGroup) type bridge stp_state 0 mcast_snooping 0",
        "sysctl -w net/ipv4/conf/\(bridge)/arp_ignore=8 net/ipv6/conf/\(bridge)/disable_ipv6=1",
        "ip link set \(bridge) addrgenmode none alias \(LinkName.alias(stack: stack.name, "", network.name)) up",
      ]
    }
  }

  static func tunnelCommands(_ network: DesiredNetwork, _ stack: DesiredStack) -> [String] {
    guard let tunnel = network.tunnel else { return [] }
    let local = tunnel.local.map { " local \($0)" } ?? ""
    return [
      "ip link add \(tunnel.link)\(mtu(network)) group \(stack.linkGroup) type vxlan id \(tunnel.id)"
        + " remote \(tunnel.remote)\(local) dstport \(tunnel.port) nolearning",
      "ip link set \(tunnel.link) master \(network.bridge) addrgenmode none up",
    ] + network.vlans.filter { $0.bridge == nil }.map { "bridge vlan add vid \($0.id) dev \(tunnel.link)" }
  }

  /// Of a veth's end. Unasked, the kernel makes one for each processor.
  static let oneQueue = " numtxqueues 1 numrxqueues 1"

  static func segmentCommands(_ segment: DesiredSegment, _ stack: DesiredStack) -> [String] {
    guard let network = stack.network(named: segment.network) else { return [] }
    return [
      "ip link add \(segment.bridge)\(mtu(network)) group \(stack.linkGroup) type bridge stp_state 0 mcast_snooping 0"
        + filter(network),
      "ip link add \(segment.nearEnd)\(mtu(network)) group \(stack.linkGroup)\(oneQueue) type veth"
        + " peer name \(segment.farEnd)\(mtu(network)) group \(stack.linkGroup)\(oneQueue)",
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

  /// A veth pair, as a port of its bridge.
  static func pairCommands(
    _ pair: AttachmentPair, _ attachment: DesiredAttachment, _ network: DesiredNetwork, _ service: DesiredService,
    _ stack: DesiredStack
  ) -> [String] {
    [
      "ip link add \(pair.link)\(mtu(network)) group \(stack.linkGroup)\(oneQueue) type veth"
        + " peer name \(pair.interface)\(mtu(network)) address \(attachment.mac)\(oneQueue)"
        + " netns \(stack.name).\(service.name)",
      "ip link set \(pair.link) master \(stack.bridge(of: pair, of: attachment, in: network)) addrgenmode none up",
      "bridge link set dev \(pair.link) \(portSettings(attachment, hairpins: !service.ports.isEmpty))",
      filterPlaceCommand(pair.link, stack),
    ] + (network.filtersVLANs ? portCommands(attachment) : []) + [
      "bridge fdb add \(attachment.mac) dev \(pair.link) master static sticky"
    ]
  }

  private static func portCommands(_ attachment: DesiredAttachment) -> [String] {
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
    attachment.subinterfaces.flatMap { interface -> [String] in
      let making =
        "ip -n \(namespace) link add \(interface.interface) link \(attachment.interface) type vlan id \(interface.vlan)"
      return (interface.link == nil ? [making] : [])
        + (interface.address.map {
          ["ip -n \(namespace) addr add \($0)/\(interface.length) dev \(interface.interface)"]
        } ?? []) + ["ip -n \(namespace) link set \(interface.interface) up"]
    }
  }
}
