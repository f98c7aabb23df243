import Addresses
import Intent
import Netfilter

/// The table of family bridge that holds each port of a stack to what is its own: its hardware address, its addresses,
/// and its claims by ARP and neighbour discovery.
///
/// Its chain comes before the bridge learns from a frame and before br_netfilter shows it to connection tracking (NF_BR_PRI_BRNF is 0).
/// Sets by the port's name hold the allowed addresses. So they are complete before the first port exists, and the number of
/// rules does not grow with services. Tables of other stacks on the same bridge guard their own ports.
package struct PortGuard {
  let stack: DesiredStack
  let ports: [GuardedPort]
  /// Those behind which others may be, tunnels among them.
  let openPorts: [GuardedPort]
  let families: [AddressFamily]
  let judgement: PortJudgement?

  init(_ stack: DesiredStack) {
    self.stack = stack
    let all = stack.guardedPorts()
    ports = all.filter { !$0.isOpen }
    openPorts = all.filter(\.isOpen) + stack.guardedTunnels()
    families = stack.networks.contains { $0.ipv6 != nil } ? [.v4, .v6] : [.v4]
    judgement = stack.policy.isEmpty ? nil : PortJudgement(stack, all, families)
  }

  package static func tableName(_ stack: String) -> NftTableName {
    NftTableName(.bridge, "\(StackTable.name(of: stack))/ports")
  }

  var isEmpty: Bool { ports.isEmpty && openPorts.isEmpty }

  var table: NftTable {
    NftTable(
      .bridge, Self.tableName(stack.name).name, comment: StackTable.comment(of: stack.name),
      chains: [arriving, fromService, addressed] + errors + (hasIPv6 ? [discovery, advertised] : [])
        + (hasTrunks ? [tagged] : [])
        + (openPorts.isEmpty ? [] : [fromOthers] + (hasIPv6 ? [advertisedByOthers] : [])) + [leaving]
        + passing,
      sets: [links, hardware, hosts] + families.flatMap(sources) + families.compactMap(detours)
        + (hasIPv6 ? [routers, targets] + claimedTargets : []) + quotedSets + (hasTrunks ? [trunks] : [])
        + (openPorts.isEmpty ? [] : taken) + elsewhereSets + (judgement?.sets ?? []),
      maps: [places] + (judgement?.maps ?? []))
  }

  var all: [GuardedPort] { ports + openPorts }
  private var hasIPv6: Bool { families.contains(.v6) }
  private var hasTrunks: Bool { all.contains(where: \.carriesTags) }

  // MARK: Sets

  private var places: NftMap {
    NftMap(
      "ports", key: [.interfaceName], data: .verdict,
      elements: ports.map { NftMapElement([.interface($0.link)], verdict: .goto("from_service")) }
        + openPorts.map { NftMapElement([.interface($0.link)], verdict: .goto("from_others")) },
      comment: "where frames come in")
  }

  private var links: NftSet { names("links", all, "ports of the stack") }

  func names(_ name: String, _ ports: [GuardedPort], _ comment: String) -> NftSet {
    NftSet(name, key: [.interfaceName], elements: ports.map { NftElement(.interface($0.link)) }, comment: comment)
  }

  private var hardware: NftSet {
    NftSet(
      "hardware", key: [.interfaceName, .hardwareAddress],
      elements: all.flatMap { port in port.hardware.map { NftElement(.interface(port.link), .hardware($0)) } },
      comment: "the hardware addresses of each port")
  }

  private func sources(_ family: AddressFamily) -> [NftSet] {
    let own = NftSet(
      "own\(family.suffix)", key: [.interfaceName, .hardwareAddress, family.type],
      elements: all.flatMap { port in
        port.hardware.flatMap { mac in
          port.addresses.filter(family.holds).map { NftElement(.interface(port.link), .hardware(mac), .address($0)) }
        }
      }, comment: "the addresses of each port")
    return [own]
      + [
        ranges("claimed", family, \.claimed, "further ones that it may claim"),
        ranges("routed", family, \.routed, "whose packets come by way of it"),
      ].filter { !$0.elements.isEmpty }
  }

  private func ranges(
    _ name: String, _ family: AddressFamily, _ ranges: KeyPath<GuardedPort, [AddressFamily: [AddressRange]]>,
    _ comment: String
  ) -> NftSet {
    NftSet(
      name + family.suffix, key: [.interfaceName, family.type], isInterval: true,
      elements: ports.flatMap { port in
        (port[keyPath: ranges][family] ?? []).map { NftElement(.interface(port.link), family.value($0)) }
      }, comment: comment)
  }

  private func has(_ ranges: KeyPath<GuardedPort, [AddressFamily: [AddressRange]]>, _ family: AddressFamily) -> Bool {
    ports.contains { !($0[keyPath: ranges][family] ?? []).isEmpty }
  }

  private var targets: NftSet {
    NftSet(
      "targets6", key: [.interfaceName, .hardwareAddress, .neighbourTarget],
      elements: all.flatMap { port in
        port.hardware.flatMap { mac in
          port.addresses.compactMap { address in
            guard case .v6(let own) = address else { return nil }
            return NftElement(.interface(port.link), .hardware(mac), .neighbour(own))
          }
        }
      }, comment: "the same, as neighbour advertisements name them")
  }

  private var claimedTargets: [NftSet] {
    guard has(\.claimed, .v6) else { return [] }
    return [
      NftSet(
        "claimed_targets6", key: [.interfaceName, .neighbourTarget], isInterval: true,
        elements: ports.flatMap { port in
          (port.claimed[.v6] ?? []).compactMap { range in
            guard case .v6(let first) = AddressFamily.v6.address(range.first),
              case .v6(let last) = AddressFamily.v6.address(range.last)
            else { return nil }
            return NftElement(.interface(port.link), .neighbours(first, last))
          }
        })
    ]
  }

  private var routers: NftSet { names("routers", all.filter(\.isRouter), "ports of services that forward") }
  private var trunks: NftSet { names("trunks", all.filter(\.carriesTags), "ports whose frames may have tags") }

  /// Addresses with a known place: those of services, at their ports, and the host's own.
  private var taken: [NftSet] {
    let networks = stack.ownNetworks.filter(\.hasBridge)
    let addresses = Set(all.flatMap(\.judged) + networks.flatMap(\.hostAddresses)).sorted()
    let macs = Set(ports.flatMap(\.hardware) + networks.map(\.mac)).sorted { $0.bits < $1.bits }
    return [
      NftSet(
        "taken_hardware", key: [.hardwareAddress], elements: macs.map { NftElement(.hardware($0)) },
        comment: "hardware addresses that are somebody's")
    ]
      + families.map { family in
        NftSet(
          "taken\(family.suffix)", key: [family.type],
          elements: addresses.filter(family.holds).map { NftElement(.address($0)) },
          comment: "addresses that are somebody's")
      }
      + (hasIPv6
        ? [
          NftSet(
            "taken_targets6", key: [.neighbourTarget],
            elements: addresses.compactMap { address in
              guard case .v6(let own) = address else { return nil }
              return NftElement(.neighbour(own))
            })
        ] : [])
  }

  // MARK: Chains

  private static let ownHardware = NftMatch.set([.inputInterface, .etherSource], named: "hardware")
  private static let tag = NftMatch.anyOf(.etherType, [.etherType(0x8100), .etherType(0x88A8)])

  private static func own(_ family: AddressFamily) -> NftMatch {
    .set([.inputInterface, .etherSource, family.source], named: "own\(family.suffix)")
  }

  private static let ownClaim = NftMatch.set([.inputInterface, .arpSenderHardware, .arpSenderAddress], named: "own")

  private var arriving: NftChain {
    NftChain(
      "arriving", base: NftBase(.filter, .prerouting, priority: -310),
      rules: [NftRule([], .verdictMap([.inputInterface], map: "ports"))])
  }

  /// See ``PacketMark/seen``: by the last hook before the port, so that no other program's marks come between.
  private var leaving: NftChain {
    NftChain(
      "leaving", base: NftBase(.filter, .postrouting, priority: 300),
      rules: [NftRule([.set([.outputInterface], named: "links")], .setMark(PacketMark.seen))])
  }

  /// A VLAN tag hides the addresses of a packet from filters, and receivers remove it. That holds for a tag of VLAN 0
  /// too.
  private var fromService: NftChain {
    NftChain(
      "from_service",
      rules: [NftRule([], .setMark(PacketMark.seen))] + tagRules + detourRules + [
        NftRule([], .verdict(.jump("addressed"))),
        NftRule([Self.ownHardware], .accept),
        NftRule([], .drop),
      ])
  }

  private var tagRules: [NftRule] {
    (hasTrunks ? [NftRule([Self.tag, .set([.inputInterface], named: "trunks")], .verdict(.goto("tagged")))] : [])
      + [NftRule([Self.tag], .drop)]
  }

  /// The bridge knows which VLANs the port is in. A second tag is in nobody's interest.
  private var tagged: NftChain {
    NftChain("tagged", rules: [NftRule([], .verdict(.jump("addressed"))), NftRule([], .drop)])
  }

  /// Comes back with what has no addresses of a protocol that is known here.
  private var addressed: NftChain {
    NftChain(
      "addressed",
      // No service is told of nearer routers by another: services that an earlier release has started still believe them.
      rules: [NftRule([.field(.icmpType, .icmpType(5))], .drop)] + errorRules
        + (hasIPv6 ? [NftRule([.field(.transportProtocol, .icmpv6)], .verdict(.jump("discovery")))] : [])
        + families.flatMap(sourceRules) + claimRules + [
          NftRule([.anyOf(.etherType, [.etherType(0x0800), .etherType(0x0806), .etherType(0x86DD)])], .drop)
        ])
  }

  private func sourceRules(_ family: AddressFamily) -> [NftRule] {
    [NftRule([Self.own(family)], .accept)]
      + [("claimed", has(\.claimed, family)), ("routed", has(\.routed, family))].filter(\.1).map { name, _ in
        NftRule([.set([.inputInterface, family.source], named: name + family.suffix), Self.ownHardware], .accept)
      }
      + (family == .v4 && ports.contains(where: \.asksForAddress) ? [askingRule] : [])
  }

  /// A question to DHCP servers, from nowhere to everybody (RFC 2131, 4.1).
  private var askingRule: NftRule {
    let askers = ports.filter(\.asksForAddress).map { NftValue.interface($0.link) }
    return NftRule(
      [
        .anyOf(.inputInterface, askers), Self.ownHardware, .field(.ipSource, .address(.v4(.any))),
        .field(.transportProtocol, .udp), .field(.sourcePort, .port(68)), .field(.destinationPort, .port(67)),
      ], .accept)
  }

  private var claimRules: [NftRule] {
    let senders = NftMatch.set([.inputInterface, .arpSenderHardware], named: "hardware")
    return [NftRule([Self.ownClaim, Self.ownHardware], .accept)]
      + (has(\.claimed, .v4)
        ? [
          NftRule(
            [.set([.inputInterface, .arpSenderAddress], named: "claimed"), senders, Self.ownHardware], .accept)
        ] : [])
      // Whoever asks whether an address is somebody's has none yet (RFC 5227).
      + [NftRule([.field(.arpSenderAddress, .address(.v4(.any))), senders, Self.ownHardware], .accept)]
  }

  /// Of IPv6: who announces itself as a router, or another's address as its own, and what has no address yet (RFC 4861, RFC 3810).
  private var discovery: NftChain {
    let anybody = NftMatch.field(.ip6Source, .address(.v6(IPv6Address(high: 0, low: 0))))
    let advertises = NftMatch.field(.icmpv6Type, .icmpType(136))
    return NftChain(
      "discovery",
      rules: [
        NftRule([.field(.icmpv6Type, .icmpType(137))], .drop),
        NftRule(
          [.field(.icmpv6Type, .icmpType(134)), .set([.inputInterface], .notEqual, named: "routers")], .drop),
        NftRule([advertises], .verdict(.jump("advertised"))),
        NftRule(
          [
            .anyOf(.icmpv6Type, [.icmpType(131), .icmpType(132), .icmpType(135), .icmpType(143)]), anybody,
            Self.ownHardware,
          ], .accept),
      ])
  }

  /// A first fragment can be too short to have the target. It is dropped, so accepted ones return.
  private var advertised: NftChain {
    NftChain(
      "advertised",
      rules: [
        NftRule(
          [.set([.inputInterface, .etherSource, .neighbourTarget], named: "targets6")], .verdict(.return))
      ]
        + (has(\.claimed, .v6)
          ? [NftRule([.set([.inputInterface, .neighbourTarget], named: "claimed_targets6")], .verdict(.return))] : [])
        + [NftRule([], .drop)])
  }

  /// The neighbour advertisements that others send. Those of an address known to be somebody else's are dropped.
  private var advertisedByOthers: NftChain {
    let last = IPv6Address(high: .max, low: .max)
    let any = NftMatch.field(.neighbourTarget, .neighbours(IPv6Address(high: 0, low: 0), last))
    return NftChain(
      "advertised_by_others",
      rules: [
        NftRule(
          [.set([.inputInterface, .etherSource, .neighbourTarget], named: "targets6")], .verdict(.return)),
        NftRule([.set([.neighbourTarget], named: "taken_targets6")], .drop),
        NftRule([any], .verdict(.return)),
        NftRule([], .drop),
      ])
  }

  /// From a tunnel, and from a service that bridges: nothing that is known to be somebody else's.
  private var fromOthers: NftChain {
    NftChain(
      "from_others",
      rules: [
        NftRule([], .setMark(PacketMark.seen)),
        NftRule([Self.tag] + (hasTrunks ? [.set([.inputInterface], .notEqual, named: "trunks")] : []), .drop),
      ] + detourRules + errorRules + [
        NftRule(
          [
            .set([.etherSource], named: "taken_hardware"),
            .set([.inputInterface, .etherSource], .notEqual, named: "hardware"),
          ], .drop)
      ]
        + (hasIPv6
          ? [
            NftRule([.field(.icmpv6Type, .icmpType(136))], .verdict(.jump("advertised_by_others")))
          ] : [])
        + families.flatMap { family in
          [
            NftRule([Self.own(family)], .accept),
            NftRule([.set([family.source], named: "taken\(family.suffix)")], .drop),
          ]
        } + [
          NftRule([Self.ownClaim], .accept),
          NftRule([.set([.arpSenderAddress], named: "taken")], .drop),
          NftRule([], .accept),
        ])
  }
}
