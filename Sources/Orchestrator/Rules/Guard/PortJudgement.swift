import Intent
import Netfilter

/// The decisions on frames between services of one network where they leave the bridge. They concern frames to a group, and
/// frames whose address does not name one service.
///
/// The table of family inet finds a packet's receiver by its destination. A packet to a group goes to all services
/// behind the ports that it leaves by. A packet to an unknown address of a service reaches that service all the same.
/// So these are judged at the port, by the rules about its service, without regard to connections.
struct PortJudgement {
  private let ports: [GuardedPort]
  private let families: [AddressFamily]
  private let closed: Set<String>
  private let tables: PolicyTables
  private let routing: [(port: GuardedPort, ranges: [AddressFamily: [AddressRange]])]

  /// nil where no bridge shows its frames to the firewall.
  ///
  /// - Parameter all: the ports of the stack.
  init?(_ stack: DesiredStack, _ all: [GuardedPort], _ families: [AddressFamily]) {
    let filtered = stack.policy.filteredNetworks(of: stack)
    ports = all.filter { filtered.contains($0.network) }
    guard !ports.isEmpty else { return nil }
    self.families = families
    closed = Set(stack.policy.closedNetworks)
    tables = PolicyTables(stack, judging: ports, families)
    routing = ports.filter { !$0.routed.isEmpty || !$0.claimed.isEmpty }.map { port in
      (port, port.routed.merging(port.claimed) { AddressRange.merged($0 + $1) })
    }
  }

  var sets: [NftSet] {
    [
      NftSet(
        "closed", key: [.interfaceName],
        elements: ports.filter { closed.contains($0.network) }.map { NftElement(.interface($0.link)) },
        comment: "ports on networks that are closed by default")
    ]
      + families.flatMap { family in
        [
          NftSet(
            "home\(family.suffix)", key: [.interfaceName, family.type],
            elements: ports.flatMap { port in
              port.addresses.filter(family.holds).map { NftElement(.interface(port.link), .address($0)) }
            }, comment: "whom a packet is for who is behind the port"),
          NftSet(
            "beyond\(family.suffix)", key: [.interfaceName, family.type], isInterval: true,
            elements: routing.flatMap { port, ranges in
              (ranges[family] ?? []).map { NftElement(.interface(port.link), family.value($0)) }
            }, comment: "whom the service behind the port passes it on to"),
        ].filter { !($0.isInterval && $0.elements.isEmpty) }
      }
  }

  var maps: [NftMap] {
    [
      NftMap(
        "leaving", key: [.interfaceName], data: .verdict,
        elements: ports.map { NftMapElement([.interface($0.link)], verdict: .goto("to_port")) },
        comment: "ports of networks that rules are about")
    ] + tables.maps
  }

  /// - Parameter elsewhere: the conditions for a packet to an address that its receiver has on another network.
  func chains(leading elsewhere: [NftMatch]) -> [NftChain] {
    [toPort(elsewhere), byPort] + (elsewhere.isEmpty ? [] : [toElsewhere]) + tables.chains
  }

  private func toPort(_ elsewhere: [NftMatch]) -> NftChain {
    var rules = [NftRule([.field(.etherType, .etherType(0x0806))], .accept)]
    rules += elsewhere.map { NftRule([$0], .verdict(.goto("to_elsewhere"))) }
    rules += [
      NftRule([.anyOf(.packetType, [.packetType(1), .packetType(2)])], .verdict(.goto("by_port")))
    ]
    let names = Set(sets.map(\.name))
    for family in families {
      for name in ["home\(family.suffix)", "beyond\(family.suffix)"] where names.contains(name) {
        rules.append(NftRule([.set([.outputInterface, family.destination], named: name)], .accept))
      }
    }
    rules.append(NftRule([], .verdict(.goto("by_port"))))
    return NftChain("to_port", rules: rules)
  }

  /// A rule that lets a packet to the service pass covers all its addresses. By default, none passes to those elsewhere.
  private var toElsewhere: NftChain {
    NftChain("to_elsewhere", rules: judging + [NftRule([], .drop)])
  }

  private var judging: [NftRule] {
    tables.maps.contains { $0.name == PolicyTables.portMap }
      ? [NftRule([], .verdictMap([.outputInterface], map: PolicyTables.portMap))] : []
  }

  /// Neighbour discovery (RFC 4861) is how IPv6 finds hardware addresses: no rule is about it. No rule is about other protocols
  /// than those of the internet either, and so where there are rules they do not pass.
  private var byPort: NftChain {
    let passes: [NftStatement] = [.setMark(PacketMark.judged), .verdict(.accept)]
    var rules: [NftRule] = []
    if families.contains(.v6) {
      rules.append(NftRule(neighbourDiscovery(133...137), passes))
    }
    rules.append(NftRule([.anyOf(.etherType, .notEqual, [.etherType(0x0800), .etherType(0x86DD)])], .drop))
    rules += judging
    rules.append(NftRule([.set([.outputInterface], named: "closed")], .drop))
    rules.append(NftRule([], passes))
    return NftChain("by_port", rules: rules)
  }
}
