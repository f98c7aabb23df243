import Netlink

/// The table of family bridge that holds each port of a stack to what is its own: hardware address, addresses, and what is claimed of
/// them by ARP and neighbour discovery.
///
/// Its chain comes before the bridge learns from a frame and before br_netfilter shows it to connection tracking (NF_BR_PRI_BRNF is 0).
/// What may come in stands in sets by the port's name; so they are complete before the first port is there, and the number of rules is
/// the same for one service and for a thousand. Tables of other stacks on the same bridge guard their own ports.
struct PortGuard {
  private let stack: DesiredStack
  private let ports: [GuardedPort]
  private let families: [AddressFamily]

  init(_ stack: DesiredStack) {
    self.stack = stack
    ports = stack.guardedPorts()
    families = stack.networks.contains { $0.ipv6 != nil } ? [.v4, .v6] : [.v4]
  }

  static func tableName(_ stack: String) -> NftTableName {
    NftTableName(.bridge, "\(Firewall.tableName(stack))/ports")
  }

  var table: NftTable {
    NftTable(
      .bridge, Self.tableName(stack.name).name, comment: "stack:\(stack.name)",
      chains: [arriving, fromService, addressed] + (hasTrunks ? [tagged] : []) + [discovery].filter { _ in hasIPv6 },
      sets: [hardware, announcers].filter { $0.name != "routers" || hasIPv6 } + families.flatMap(sources)
        + (hasIPv6 ? [targets] : []) + (hasTrunks ? [trunks] : []),
      maps: [places])
  }

  private var hasIPv6: Bool { families.contains(.v6) }
  private var hasTrunks: Bool { ports.contains(where: \.carriesTags) }

  // MARK: Sets

  private var places: NftMap {
    NftMap(
      "ports", key: [.interfaceName], data: .verdict,
      elements: ports.map { NftMapElement([.interface($0.link)], verdict: .goto("from_service")) },
      comment: "ports of the stack's services")
  }

  private var hardware: NftSet {
    NftSet(
      "hardware", key: [.interfaceName, .hardwareAddress],
      elements: ports.flatMap { port in
        port.hardware.map { NftElement(.interface(port.link), .hardware($0)) }
      }, comment: "the hardware address of each port")
  }

  private func sources(_ family: AddressFamily) -> [NftSet] {
    let own = NftSet(
      "own\(family.suffix)", key: [.interfaceName, .hardwareAddress, family.type],
      elements: ports.flatMap { port in
        port.hardware.flatMap { mac in
          port.addresses.filter(family.holds).map {
            NftElement(.interface(port.link), .hardware(mac), .address($0))
          }
        }
      }, comment: "the addresses of each port")
    let routed = NftSet(
      "routed\(family.suffix)", key: [.interfaceName, family.type], isInterval: true,
      elements: ports.flatMap { port in
        (port.routed[family] ?? []).map { NftElement(.interface(port.link), family.value($0)) }
      }, comment: "whose packets come by way of a port")
    return [own] + (routed.elements.isEmpty ? [] : [routed])
  }

  private func routes(_ family: AddressFamily) -> Bool { ports.contains { !($0.routed[family] ?? []).isEmpty } }

  private var targets: NftSet {
    NftSet(
      "targets6", key: [.interfaceName, .hardwareAddress, .neighbourTarget],
      elements: ports.flatMap { port in
        port.hardware.flatMap { mac in
          port.addresses.compactMap { address in
            guard case .v6(let own) = address else { return nil }
            return NftElement(.interface(port.link), .hardware(mac), .neighbour(own))
          }
        }
      }, comment: "the same, as neighbour advertisements name them")
  }

  private var announcers: NftSet {
    NftSet(
      "routers", key: [.interfaceName],
      elements: ports.filter(\.isRouter).map { NftElement(.interface($0.link)) },
      comment: "ports of services that forward")
  }

  private var trunks: NftSet {
    NftSet(
      "trunks", key: [.interfaceName],
      elements: ports.filter(\.carriesTags).map { NftElement(.interface($0.link)) },
      comment: "ports whose frames may have tags")
  }

  // MARK: Chains

  private static let ownHardware = NftMatch.set([.inputInterface, .etherSource], named: "hardware")

  private var arriving: NftChain {
    NftChain(
      "arriving", base: NftBase(.filter, .prerouting, priority: -310),
      rules: [NftRule([], .verdictMap([.inputInterface], map: "ports"))])
  }

  /// A tag, also one of VLAN 0 that means none, hides a packet from whoever looks for addresses in it, and receivers take it off.
  private var fromService: NftChain {
    let tag = NftMatch.anyOf(.etherType, [.etherType(0x8100), .etherType(0x88A8)])
    return NftChain(
      "from_service",
      rules: (hasTrunks
        ? [NftRule([tag, .set([.inputInterface], named: "trunks")], .verdict(.goto("tagged")))] : [])
        + [
          NftRule([tag], .drop),
          NftRule([], .verdict(.jump("addressed"))),
          NftRule([Self.ownHardware], .accept),
          NftRule([], .drop),
        ])
  }

  /// The bridge knows which VLANs the port is in. A second tag is in nobody's interest.
  private var tagged: NftChain {
    NftChain("tagged", rules: [NftRule([], .verdict(.jump("addressed"))), NftRule([], .drop)])
  }

  /// Comes back with what has no addresses of a protocol that is known here.
  private var addressed: NftChain {
    NftChain(
      "addressed",
      rules: (hasIPv6 ? [NftRule([.field(.transportProtocol, .icmpv6)], .verdict(.jump("discovery")))] : [])
        + families.flatMap { family in
          [NftRule([.set([.inputInterface, .etherSource, family.source], named: "own\(family.suffix)")], .accept)]
            + (routes(family)
              ? [
                NftRule(
                  [.set([.inputInterface, family.source], named: "routed\(family.suffix)"), Self.ownHardware], .accept)
              ] : [])
        } + [
          NftRule(
            [.set([.inputInterface, .arpSenderHardware, .arpSenderAddress], named: "own"), Self.ownHardware], .accept),
          // Whoever asks whether an address is somebody's has none yet (RFC 5227).
          NftRule(
            [
              .field(.arpSenderAddress, .address(.v4(.any))),
              .set([.inputInterface, .arpSenderHardware], named: "hardware"), Self.ownHardware,
            ], .accept),
          NftRule([.anyOf(.etherType, [.etherType(0x0800), .etherType(0x0806), .etherType(0x86DD)])], .drop),
        ])
  }

  /// Of IPv6: who announces itself as a router, or another's address as its own, and what has no address yet (RFC 4861, RFC 3810).
  private var discovery: NftChain {
    let anybody = NftMatch.field(.ip6Source, .address(.v6(IPv6Address(high: 0, low: 0))))
    return NftChain(
      "discovery",
      rules: [
        NftRule(
          [
            .anyOf(.icmpv6Type, [.icmpType(134), .icmpType(137)]),
            .set([.inputInterface], .notEqual, named: "routers"),
          ], .drop),
        NftRule(
          [
            .field(.icmpv6Type, .icmpType(136)),
            .set([.inputInterface, .etherSource, .neighbourTarget], .notEqual, named: "targets6"),
          ], .drop),
        NftRule(
          [
            .anyOf(.icmpv6Type, [.icmpType(131), .icmpType(132), .icmpType(135), .icmpType(143)]), anybody,
            Self.ownHardware,
          ], .accept),
      ])
  }
}
