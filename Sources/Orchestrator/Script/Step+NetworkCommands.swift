import Addresses
import Vocabulary
import Intent
import Planning

/// The commands for what a network is made of on the host.
extension Step {
  static func filter(_ network: DesiredNetwork) -> String { network.filtersVLANs ? " vlan_filtering 1" : "" }

  static func mtu(_ network: DesiredNetwork) -> String { network.mtu.map { " mtu \($0)" } ?? "" }

  /// Of a veth's end. Unasked, the kernel makes one for each processor.
  static let oneQueue = " numtxqueues 1 numrxqueues 1"

  /// ip(8) knows device groups below 2^31 alone. A stack that a former version brought up may be in another one.
  private static func group(_ stack: DesiredStack) -> String {
    stack.linkGroup <= DesiredStack.highestLinkGroup ? " group \(stack.linkGroup)" : ""
  }

  /// No link-local address, as ip(8) writes it.
  static let noLinkLocal = "addrgenmode none"

  /// Settings of a link that precede setting it up.
  private static func naming(_ network: DesiredNetwork, _ stack: DesiredStack, service: String = "") -> String {
    "\(network.canCarryIPv6 ? "\(noLinkLocal) " : "")alias \(Shell.quoted(LinkName.alias(stack: stack.name, service, network.name)))"
  }

  // MARK: Bridges

  static func bridgeCommands(_ network: DesiredNetwork, _ stack: DesiredStack) -> [String] {
    guard network.hasBridge else { return [] }
    let bridge = network.bridge
    let address =
      network.hasHost
      ? "ip addr add \(network.gateway)/\(network.subnet.length) dev \(bridge)"
      : "set_sysctl net/ipv4/conf/\(bridge)/arp_ignore=8"
    let isFiltered = stack.policy.filteredNetworks(of: stack).contains(network.name)
    let filtering: [String] = isFiltered ? filterCommands([network], stack) : []
    let loopback: [String] = network.hasHost ? ["set_sysctl net/ipv4/conf/\(bridge)/route_localnet=1"] : []
    return [
      "ip link add \(bridge) address \(network.mac)\(mtu(network))\(group(stack)) type bridge stp_state 0"
        + " mcast_snooping 0\(filter(network))",
      "ip link set \(bridge) \(naming(network, stack))",
      address,
    ] + ipv6Commands(network) + arrivalFilterCommands(bridge) + [
      "ip link set \(bridge)\(mtu(network)) up"
    ]
      + filtering + loopback + tunnelCommands(network, stack) + vlanBridgeCommands(network, stack)
  }

  static func filterCommands(_ networks: [DesiredNetwork], _ stack: DesiredStack) -> [String] {
    let filtered = stack.policy.filteredNetworks(of: stack)
    return networks.map { network in
      let switched = filtered.contains(network.name) ? 1 : 0
      return "ip link set \(network.bridge) type bridge nf_call_iptables \(switched) nf_call_ip6tables \(switched)"
    }
  }

  static func raisingCommands(_ network: DesiredNetwork, _ stack: DesiredStack) -> [String] {
    network.bridges.map { "ip link set \($0) up" } + (network.hasHost ? hostAddressCommands(network) : [])
      + stack.services.flatMap(\.attachments).filter { $0.network == network.name }.flatMap {
        neighbourCommands($0, network)
      }
  }

  private static func hostAddressCommands(_ network: DesiredNetwork) -> [String] {
    [
      "ip addr replace \(network.gateway)/\(network.subnet.length) dev \(network.bridge)",
      "ip route replace \(network.subnet) dev \(network.bridge) proto kernel scope link src \(network.gateway)",
    ]
      + (network.ipv6.map {
        [
          "ip addr replace \($0.gateway)/\($0.subnet.length) dev \(network.bridge) nodad",
          "ip route replace \($0.subnet) dev \(network.bridge) proto kernel metric 256",
        ]
      } ?? [])
  }

  static func removalCommands(_ network: DesiredNetwork) -> [String] {
    guard network.hasBridge else { return [] }
    return ((network.tunnel.map { [$0.link] } ?? []) + network.bridges).map {
      "[[ ! -e /sys/class/net/\($0) ]] || ip link del \($0)"
    }
  }

  /// All links of a stack at once.
  static func removalCommands(group: UInt32, _ stack: String) -> [String] {
    if group <= DesiredStack.highestLinkGroup { return ["ip link del group \(group)"] }
    return [
      Shell.comment("ip(8) knows device groups below 2147483648 alone, and these links are in group \(group)"),
      "for file in $(grep -l '^stack:\(stack)/' /sys/class/net/*/ifalias); do",
      "  [[ ! -e $file ]] || ip link del \"$(basename \"${file%/ifalias}\")\"",
      "done",
    ]
  }

  /// Bridges of VLANs, on a kernel whose bridges tell none apart.
  private static func vlanBridgeCommands(_ network: DesiredNetwork, _ stack: DesiredStack) -> [String] {
    network.vlans.compactMap(\.bridge).flatMap { bridge in
      [
        "ip link add \(bridge)\(mtu(network))\(group(stack)) type bridge stp_state 0 mcast_snooping 0",
        "set_sysctl net/ipv4/conf/\(bridge)/arp_ignore=8 net/ipv6/conf/\(bridge)/disable_ipv6=1",
      ] + arrivalFilterCommands(bridge) + [
        "ip link set \(bridge) \(naming(network, stack))\(mtu(network)) up"
      ]
    }
  }

  private static func tunnelCommands(_ network: DesiredNetwork, _ stack: DesiredStack) -> [String] {
    guard let tunnel = network.tunnel else { return [] }
    let local = tunnel.local.map { " local \($0)" } ?? ""
    return [
      "ip link add \(tunnel.link)\(mtu(network))\(group(stack)) type vxlan id \(tunnel.id)"
        + " remote \(tunnel.remote)\(local) dstport \(tunnel.port) nolearning",
      "ip link set \(tunnel.link) master \(network.bridge) \(naming(network, stack))",
    ] + network.vlans.filter { $0.bridge == nil }.map { "bridge vlan add vid \($0.id) dev \(tunnel.link)" }
      + ["ip link set \(tunnel.link) up"]
  }

  static func segmentCommands(_ segment: DesiredSegment, _ stack: DesiredStack) -> [String] {
    guard let network = stack.network(named: segment.network) else { return [] }
    let vlans = network.filtersVLANs ? network.vlans.map(\.id) : []
    func joining(_ end: String, _ bridge: String, suppression: String) -> [String] {
      [
        "ip link set \(end) master \(bridge) \(naming(network, stack))",
        "bridge link set dev \(end) neigh_suppress \(suppression)",
      ] + vlans.map { "bridge vlan add vid \($0) dev \(end)" } + ["ip link set \(end) up"]
    }
    return [
      "ip link add \(segment.bridge)\(mtu(network))\(group(stack)) type bridge stp_state 0 mcast_snooping 0"
        + filter(network),
      "ip link add \(segment.nearEnd)\(mtu(network))\(group(stack))\(oneQueue) type veth"
        + " peer name \(segment.farEnd)\(mtu(network))\(group(stack))\(oneQueue)",
    ] + arrivalFilterCommands(segment.bridge) + [
      "ip link set \(segment.bridge) \(naming(network, stack))\(mtu(network)) up"
    ] + joining(segment.nearEnd, network.bridge, suppression: "on")
      + joining(segment.farEnd, segment.bridge, suppression: "off")
      + ["bridge fdb replace \(network.mac) dev \(segment.farEnd) master static"]
  }

  // MARK: A service's ways to its networks

  static func attachCommands(
    _ attachment: DesiredAttachment, _ service: DesiredService, _ stack: DesiredStack
  ) -> [String] {
    guard let network = stack.network(named: attachment.network) else { return [] }
    let namespace = "\(stack.name).\(service.name)"
    if case .macvlan(let parent) = network.kind {
      return macvlanCommands(attachment, network, parent, namespace)
    }
    var commands = attachment.pairs.flatMap { pairCommands($0, attachment, network, service, stack) }
    if let segment = stack.segment(of: attachment) {
      commands.append("bridge fdb replace \(attachment.mac) dev \(segment.nearEnd) master static sticky")
    }
    commands += neighbourCommands(attachment, network)
    return commands + addressCommands(attachment, service, stack) + subinterfaceCommands(attachment, namespace)
  }

  static func addressCommand(_ address: DesiredAddress, on interface: String, _ namespace: String) -> String {
    "ip -n \(namespace) addr add \(address) dev \(Shell.quoted(interface))\(flags(address))"
  }

  /// The scope and the flags of an address, in the syntax of ip-address(8).
  static func flags(_ address: DesiredAddress) -> String {
    (address.isLinkScoped ? " scope link" : "") + (address.address.isV4 ? "" : " nodad")
  }

  static func loopbackCommands(_ service: DesiredService, _ stack: DesiredStack) -> [String] {
    service.loopback.map { addressCommand($0, on: FurtherAddress.loopback, "\(stack.name).\(service.name)") }
  }

  static func addressingCommands(_ service: DesiredService, _ stack: DesiredStack) -> [String] {
    let namespace = "\(stack.name).\(service.name)"
    let hasIPv6 = service.loopback.contains { !$0.address.isV4 }
    let setting = "nsenter --net=/run/netns/\(namespace) bash -ec 'set_sysctl net/ipv6/conf/lo/disable_ipv6=0'"
    let adding = service.furtherAddresses.map { own in
      "ip -n \(namespace) addr replace \(own.address) dev \(Shell.quoted(own.interface))\(flags(own.address))"
    }
    let outside = service.attachments.flatMap { attachment -> [String] in
      stack.network(named: attachment.network).map { neighbourCommands(attachment, $0) } ?? []
    }
    let beside = neighbourhood(of: service, in: stack).flatMap { own, other, attachment -> [String] in
      attachment.furtherAddresses.map {
        "ip -n \(stack.name).\(other) neigh replace \($0.address) lladdr \(attachment.mac)"
          + " dev \(Shell.quoted(own.interface)) nud permanent"
      }
    }
    return (hasIPv6 ? [setting] : []) + adding + outside + beside
  }

  static func addressRemovalCommands(
    _ addresses: [FurtherAddress], _ service: DesiredService, _ stack: DesiredStack
  ) -> [String] {
    let removal = addresses.map { own in
      "ip -n \(stack.name).\(service.name) addr del \(own.address) dev \(Shell.quoted(own.interface))"
    }
    let forgetting = addresses.flatMap { own -> [String] in
      let bridges = service.attachments.filter {
        $0.network == own.network && $0.knownToBridge.contains(own.address.address)
      }
      .compactMap { stack.network(named: $0.network)?.bridge }
      return bridges.map { "ip neigh del \(own.address.address) dev \($0) || true" }
        + neighbourhood(of: service, in: stack).filter { $0.attachment.network == own.network }.map {
          "ip -n \(stack.name).\($0.other) neigh del \(own.address.address) dev \(Shell.quoted($0.own.interface)) || true"
        }
    }
    return removal + forgetting
  }

  /// The attachments of others to the networks that a service has further addresses on.
  private static func neighbourhood(
    of service: DesiredService, in stack: DesiredStack
  ) -> [(own: DesiredAttachment, other: String, attachment: DesiredAttachment)] {
    service.attachments.filter { $0.isOnBridge && !$0.furtherAddresses.isEmpty }.flatMap { attachment in
      stack.services.filter { $0.name != service.name }.compactMap { other in
        other.attachments.first { $0.network == attachment.network }.map { ($0, other.name, attachment) }
      }
    }
  }

  /// The commands for the part of an attachment that is inside the service.
  static func addressCommands(
    _ attachment: DesiredAttachment, _ service: DesiredService, _ stack: DesiredStack
  ) -> [String] {
    guard let network = stack.network(named: attachment.network) else { return [] }
    let (namespace, link) = ("\(stack.name).\(service.name)", Shell.quoted(attachment.interface))
    var commands = [
      "ip -n \(namespace) addr add \(attachment.address)/\(network.subnet(of: attachment).length) dev \(link)"
    ]
    commands += ipv6AddressCommands(attachment, network, namespace, forwards: service.forwards)
    commands += attachment.furtherAddresses.map { addressCommand($0, on: attachment.interface, namespace) }
    commands.append("ip -n \(namespace) link set \(link) up")
    if attachment.accessVLAN == nil, !network.hostAddresses.isEmpty {
      commands.append(
        "ip -n \(namespace) neigh replace \(network.gateway) lladdr \(network.mac) dev \(link) nud permanent")
    }
    if attachment.isDefaultRoute, let gateway = network.gateway(of: attachment) {
      commands.append("ip -n \(namespace) route add default via \(gateway) proto static")
    }
    let neighbours = stack.knownNeighbours(of: attachment).map {
      "ip -n \(namespace) neigh replace \($0.address) lladdr \($0.mac) dev \(link) nud permanent"
    }
    return commands + ipv6RouteCommands(attachment, network, namespace) + neighbours
  }

  private static func neighbourCommands(_ attachment: DesiredAttachment, _ network: DesiredNetwork) -> [String] {
    attachment.knownToBridge.map {
      "ip neigh replace \($0) lladdr \(attachment.mac) dev \(network.bridge) nud permanent"
    }
  }

  private static func macvlanCommands(
    _ attachment: DesiredAttachment, _ network: DesiredNetwork, _ parent: String, _ namespace: String
  ) -> [String] {
    var commands =
      [
        "ip link add \(Shell.quoted(attachment.interface))\(mtu(network)) link \(Shell.quoted(parent)) address \(attachment.mac) netns \(namespace)"
          + " type macvlan mode bridge",
        "ip -n \(namespace) addr add \(attachment.address)/\(network.subnet.length) dev \(Shell.quoted(attachment.interface))",
      ] + attachment.furtherAddresses.map { addressCommand($0, on: attachment.interface, namespace) } + [
        "ip -n \(namespace) link set \(Shell.quoted(attachment.interface)) up"
      ]
    if attachment.isDefaultRoute {
      commands.append("ip -n \(namespace) route add default via \(network.gateway) proto static")
    }
    return commands
  }

  /// A veth pair, as a port of its bridge.
  private static func pairCommands(
    _ pair: AttachmentPair, _ attachment: DesiredAttachment, _ network: DesiredNetwork, _ service: DesiredService,
    _ stack: DesiredStack
  ) -> [String] {
    [
      "ip link add \(pair.link)\(mtu(network))\(group(stack))\(oneQueue) type veth"
        + " peer name \(Shell.quoted(pair.interface))\(mtu(network)) address \(attachment.mac)\(oneQueue)"
        + " netns \(stack.name).\(service.name)",
      "ip link set \(pair.link) master \(stack.bridge(of: pair, of: attachment, in: network))"
        + " \(naming(network, stack, service: service.name)) arp off up",
      "bridge link set dev \(pair.link) \(portSettings(attachment, hairpins: !service.ports.isEmpty))",
      filterPlaceCommand(pair.link, stack),
    ] + (network.filtersVLANs ? portCommands(attachment) : []) + [
      "bridge fdb replace \(attachment.mac) dev \(pair.link) master static sticky"
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

  private static func subinterfaceCommands(_ attachment: DesiredAttachment, _ namespace: String) -> [String] {
    attachment.subinterfaces.flatMap { interface -> [String] in
      let making =
        "ip -n \(namespace) link add \(Shell.quoted(interface.interface)) link \(Shell.quoted(attachment.interface)) type vlan id \(interface.vlan)"
      return (interface.link == nil ? [making] : [])
        + (interface.address.map {
          ["ip -n \(namespace) addr add \($0)/\(interface.length) dev \(Shell.quoted(interface.interface))"]
        } ?? []) + ["ip -n \(namespace) link set \(Shell.quoted(interface.interface)) up"]
    }
  }
}
