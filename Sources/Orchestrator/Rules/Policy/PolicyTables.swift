import Addresses
import Intent
import Netfilter
import Vocabulary

/// Compiles rules to chains that a packet passes in a number of steps which does not depend on how many rules there are.
///
/// Rules overlap, and the first decides. So destination addresses are split into ranges that match the same rules.
/// Within each list of rules, sources are split likewise, and then ports. A packet is looked up by its destination, its
/// source and its port: three maps, each without overlaps. Equal lists share their chains.
package struct PolicyTables {
  /// The packets that a map looks up: between services and with the outside, from services to the host, from the host
  /// to services.
  enum Direction: String, CaseIterable {
    case forward = ""
    case toHost = "_host"
    case fromHost = "_from_host"
    /// From services to IPv4 link-local addresses that are not in the stack's networks.
    case linkLocal = "_link_local"
    /// From services to such addresses of the host.
    case linkLocalOfHost = "_link_local_of_host"

    fileprivate var isToHost: Bool { self == .toHost || self == .linkLocalOfHost }
    fileprivate var isToLinkLocal: Bool { self == .linkLocal || self == .linkLocalOfHost }
  }

  /// Leads a packet by the port that it leaves by.
  static let portMap = "judges"

  private let policy: StackPolicy
  /// True if the table is one of family bridge, whose packets are refused without a word and counted elsewhere.
  private let isBridged: Bool
  private var members: PolicyMembers
  private let subnets: [IPPrefix]
  /// Addresses of services in none of the subnets.
  private let elsewhere: [IPAddress]
  /// In the order of the rules.
  let counterNames: [String]
  private(set) var chains: [NftChain] = []
  private(set) var maps: [NftMap] = []

  private struct Side: Hashable {
    var peers: [PolicyPeer]
    var isSource: Bool
    var direction: Direction
    var family: AddressFamily
  }

  private struct Sources: Hashable {
    var rules: [Int]
    var direction: Direction
    var family: AddressFamily
  }

  private var ranges: [Side: [AddressRange]] = [:]
  private var sourceChains: [Sources: NftVerdict] = [:]
  private var portChains: [[Int]: NftVerdict] = [:]

  init(_ stack: DesiredStack) {
    self.init(stack, isBridged: false)
    let families: [AddressFamily] = [.v4, .v6].filter { family in subnets.contains { family.holds($0.network) } }
    for family in families {
      for direction in Direction.allCases { compile(direction, family) }
    }
  }

  /// For the table of family bridge: packets are led by the ports that they leave by, whatever their destination.
  init(_ stack: DesiredStack, judging ports: [GuardedPort], _ families: [AddressFamily]) {
    self.init(stack, isBridged: true)
    compile(ports, families)
  }

  private init(_ stack: DesiredStack, isBridged: Bool) {
    self.isBridged = isBridged
    policy = stack.policy
    counterNames = Self.counterNames(policy)
    members = PolicyMembers(stack)
    subnets = stack.networks.flatMap(\.subnets)
    elsewhere = members.addresses(outside: subnets)
    for (number, name) in counterNames.enumerated() {
      chains.append(ruleChain(number, countingIn: name))
    }
  }

  /// The name of the map that leads a packet by its destination.
  static func map(_ direction: Direction, _ family: AddressFamily) -> String {
    "to\(direction.rawValue)\(family.suffix)"
  }

  /// The rules that lead packets through the maps: none for a family that no network has.
  func lookUps(_ direction: Direction) -> [NftRule] {
    [AddressFamily.v4, .v6].compactMap { family in
      let name = Self.map(direction, family)
      return maps.contains { $0.name == name } ? NftRule([], .verdictMap([family.destination], map: name)) : nil
    }
  }

  // MARK: Rules

  private func ruleChain(_ number: Int, countingIn counterName: String) -> NftChain {
    let rule = policy.rules[number]
    let allows = rule.action == .allow
    let statements: [NftStatement] =
      isBridged
      ? (allows ? [.setMark(PacketMark.judged), .verdict(.accept)] : [.verdict(.drop)])
      : [.countIn(counterName), .verdict(allows ? .accept : .goto(PolicyChains.refuse))]
    let place = rule.declaredAt.map { "\($0): " } ?? ""
    return NftChain(
      Self.chain(number),
      rules: [
        NftRule([], statements, comment: Self.comment(place + rule.line))
      ])
  }

  private static func chain(_ number: Int) -> String { "rule_\(number + 1)" }

  /// The kernel keeps 127 octets.
  private static func comment(_ text: String) -> String {
    guard text.utf8.count > 127 else { return text }
    var text = text
    while text.utf8.count > 124 { text.removeLast() }
    return text + "…"
  }

  /// A counter's name for each rule: the same for the same rule wherever it stands, so that it keeps its count when others
  /// change.
  package static func counterNames(_ policy: StackPolicy) -> [String] {
    var seen: [String: Int] = [:]
    return policy.rules.map { rule in
      let line = rule.line
      let words = line.utf8.split { !isLetterOrDigit($0) }.joined(separator: CollectionOfOne(UInt8(ascii: "_")))
      let name = "\(String(decoding: Array(words.prefix(48)), as: UTF8.self))_\(StableHash("rule", line).tag)"
      seen[name, default: 0] += 1
      return seen[name] == 1 ? name : "\(name)_\(seen[name, default: 0])"
    }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }

  // MARK: Destinations

  private mutating func compile(_ direction: Direction, _ family: AddressFamily) {
    let owners = policy.rules.indices.map { number in
      (number, destinations(of: policy.rules[number], direction, family))
    }
    var elements: [NftMapElement] = []
    for (range, rules) in AddressPartition.stretches(owners) {
      guard let target = sources(Sources(rules: rules, direction: direction, family: family)) else { continue }
      elements.append(NftMapElement([family.value(range)], verdict: target))
    }
    guard !elements.isEmpty else { return }
    maps.append(
      NftMap(
        Self.map(direction, family), key: [family.type], data: .verdict, isInterval: true, elements: elements,
        comment: "which rules are about a destination"))
  }

  private mutating func destinations(
    of rule: PolicyRule, _ direction: Direction, _ family: AddressFamily
  ) -> [AddressRange] {
    guard direction.isToLinkLocal else { return addresses(rule.destinations, isSource: false, direction, family) }
    guard family == .v4 else { return [] }
    let range = AddressRange(.v4(LinkLocal.range))
    return addresses(LinkLocal.destinations(of: rule), isSource: false, direction, family).filter(range.meets).map {
      AddressRange(max($0.first, range.first), min($0.last, range.last))
    }
  }

  // MARK: Ports of bridges

  /// The rules about a port are those about any of its service's addresses on that network.
  private mutating func compile(_ ports: [GuardedPort], _ families: [AddressFamily]) {
    var stretches: [AddressFamily: [(AddressRange, [Int])]] = [:]
    for family in families {
      let owners = policy.rules.indices.map { number in
        (number, addresses(policy.rules[number].destinations, isSource: false, .forward, family))
      }
      stretches[family] = AddressPartition.stretches(owners)
    }
    var known: [[[Int]]: String] = [:]
    var elements: [NftMapElement] = []
    for port in ports {
      let lists = families.map { family in
        Set(
          port.judged.filter(family.holds).flatMap { address in
            Self.rules(about: AddressRange(address).first, stretches[family] ?? [])
          }
        ).sorted()
      }
      guard lists.contains(where: { !$0.isEmpty }) else { continue }
      let name = known[lists] ?? "port_\(known.count + 1)"
      if known.updateValue(name, forKey: lists) == nil { addPortChain(name, lists, families) }
      elements.append(NftMapElement([.interface(port.link)], verdict: .jump(name)))
    }
    guard !elements.isEmpty else { return }
    maps.append(
      NftMap(
        Self.portMap, key: [.interfaceName], data: .verdict, elements: elements,
        comment: "which rules are about who is behind a port"))
  }

  private mutating func addPortChain(_ name: String, _ lists: [[Int]], _ families: [AddressFamily]) {
    var rules: [NftRule] = []
    for (family, list) in zip(families, lists) where !list.isEmpty {
      guard let target = sources(Sources(rules: list, direction: .forward, family: family)) else { continue }
      rules.append(NftRule([.field(.etherType, .etherType(family == .v4 ? 0x0800 : 0x86DD))], .verdict(target)))
    }
    chains.append(NftChain(name, rules: rules))
  }

  /// The stretches are in order, and apart.
  private static func rules(about address: UInt128, _ stretches: [(AddressRange, [Int])]) -> [Int] {
    var (low, high) = (0, stretches.count)
    while low < high {
      let middle = (low + high) / 2
      if stretches[middle].0.last < address { low = middle + 1 } else { high = middle }
    }
    return low < stretches.count && stretches[low].0.first <= address ? stretches[low].1 : []
  }

  // MARK: Sources

  /// The verdict for packets whose destination several rules match; nil if those rules have no sources.
  private mutating func sources(_ key: Sources) -> NftVerdict? {
    if let known = sourceChains[key] { return known }
    let owners = key.rules.map { number in
      (number, addresses(policy.rules[number].sources, isSource: true, key.direction, key.family))
    }
    var elements: [(range: AddressRange, target: NftVerdict)] = []
    for (range, rules) in AddressPartition.stretches(owners) {
      let target = ports(rules)
      if let last = elements.last, last.target == target, last.range.last + 1 == range.first {
        elements[elements.count - 1].range.last = range.last
      } else {
        elements.append((range, target))
      }
    }
    guard let first = elements.first else { return nil }
    let verdict: NftVerdict
    if elements.count == 1, first.range.first == 0, first.range.last >= key.family.whole.last {
      verdict = first.target
    } else {
      let name = "from_\(sourceChains.count + 1)"
      maps.append(
        NftMap(
          name, key: [key.family.type], data: .verdict, isInterval: true,
          elements: elements.map { NftMapElement([key.family.value($0.range)], verdict: $0.target) }))
      chains.append(NftChain(name, rules: [NftRule([], .verdictMap([key.family.source], map: name))]))
      verdict = .jump(name)
    }
    sourceChains[key] = verdict
    return verdict
  }

  // MARK: Ports

  /// The verdict for packets whose source and destination a list of rules matches.
  private mutating func ports(_ rules: [Int]) -> NftVerdict {
    // Behind one that is about everything, none has anything to decide.
    let end = rules.firstIndex { policy.rules[$0].ports.isEmpty }
    let deciding = end.map { Array(rules[...$0]) } ?? rules
    if let known = portChains[deciding] { return known }
    let verdict: NftVerdict
    if let only = deciding.first, end == rules.startIndex {
      verdict = .jump(Self.chain(only))
    } else {
      verdict = .jump(addPortChain(deciding, last: end == nil ? nil : deciding.last))
    }
    portChains[deciding] = verdict
    return verdict
  }

  private mutating func addPortChain(_ deciding: [Int], last: Int?) -> String {
    let name = "ports_\(portChains.count + 1)"
    var rules: [NftRule] = []
    var elements: [NftMapElement] = []
    for (transport, value) in [(PortSelector.Transport.tcp, NftValue.tcp), (.udp, .udp)] {
      let owners = deciding.map { number in
        (
          number,
          AddressRange.merged(
            policy.rules[number].ports.filter { $0.transport == transport }
              .map { AddressRange(UInt128($0.ports.lowerBound), UInt128($0.ports.upperBound)) })
        )
      }
      for (range, about) in AddressPartition.stretches(owners) {
        let ports = UInt16(truncatingIfNeeded: range.first)...UInt16(truncatingIfNeeded: min(range.last, 0xFFFF))
        elements.append(
          NftMapElement(
            [value, ports.count == 1 ? .port(ports.lowerBound) : .ports(ports)],
            verdict: .goto(Self.chain(about[0]))))
      }
    }
    if !elements.isEmpty {
      let isInterval = elements.contains { $0.key.contains { if case .ports = $0 { true } else { false } } }
      maps.append(
        NftMap(
          name, key: [.transportProtocol, .port], data: .verdict, isInterval: isInterval, elements: elements))
      rules.append(NftRule([], .verdictMap([.transportProtocol, .destinationPort], map: name)))
    }
    let icmp = deciding.first { policy.rules[$0].ports.contains { $0.transport == .icmp } }
    if let icmp {
      rules.append(
        NftRule([.anyOf(.transportProtocol, [.icmp, .icmpv6])], .verdict(.goto(Self.chain(icmp)))))
    }
    if let last { rules.append(NftRule([], .verdict(.goto(Self.chain(last))))) }
    chains.append(NftChain(name, rules: rules))
    return name
  }

  // MARK: Peers

  private mutating func addresses(
    _ peers: [PolicyPeer], isSource: Bool, _ direction: Direction, _ family: AddressFamily
  ) -> [AddressRange] {
    let side = Side(peers: peers, isSource: isSource, direction: direction, family: family)
    if let known = ranges[side] { return known }
    let isHost = isSource ? direction == .fromHost : direction.isToHost
    var all: [AddressRange] = []
    for peer in peers {
      switch peer {
      case .any: all.append(family.whole)
      case .host: if isHost { all.append(family.whole) }
      case .range(let prefix): if family.holds(prefix.network) { all.append(AddressRange(prefix)) }
      case .internet:
        guard !isHost else { continue }
        let own = subnets.filter { family.holds($0.network) }.map { AddressRange($0) }
        all += AddressRange.complement(
          of: own + elsewhere.filter(family.holds).map { AddressRange($0) }, in: family.whole)
      case .service, .pattern, .label, .network:
        guard !isHost else { continue }
        all += (members.addresses(of: peer) ?? []).filter(family.holds).map { AddressRange($0) }
        all += members.ranges(of: peer).filter { family.holds($0.network) }.map { AddressRange($0) }
      }
    }
    let merged = AddressRange.merged(all)
    ranges[side] = merged
    return merged
  }
}
