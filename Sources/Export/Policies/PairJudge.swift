import Addresses
import Intent
import Vocabulary

/// Flattens the ordered rules for one source and one destination at a time.
struct PairJudge: Sendable {
  struct Rule: Sendable {
    var isAllow: Bool
    var ports: PortSet
  }

  let sides: RuleSides
  let rules: [Rule]
  private let closed: Set<String>
  private let internals: Set<String>

  init(_ stack: DesiredStack, _ sides: RuleSides) {
    self.sides = sides
    rules = stack.policy.rules.map { Rule(isAllow: $0.action == .allow, ports: PortSet($0.ports)) }
    closed = Set(stack.policy.closedNetworks)
    internals = Set(stack.networks.filter(\.isInternal).map(\.name))
  }

  func isInternal(_ network: String) -> Bool { internals.contains(network) }

  /// By any of the destination's addresses, and by its published ports: a pod has one address for all.
  func ports(from source: MemberTraits, to destination: MemberTraits) -> PortSet {
    let fallback = source.defaultRoute.map { source.interfaces[$0] }
    var sum = PortSet.none
    for target in destination.interfaces {
      guard let own = source.interfaces.first(where: { $0.network == target.network }) ?? fallback else { continue }
      let isOpen = own.network == target.network && !closed.contains(target.network)
      sum.formUnion(walk(own.asSource.intersection(target.asDestination).numbers, isOpen: isOpen))
    }
    guard let own = fallback, let place = destination.publishing, !destination.publications.isEmpty else { return sum }
    let target = destination.interfaces[place]
    let isOpen = !internals.contains(own.network) && !closed.contains(target.network)
    let through = walk(own.asSource.intersection(target.asDestination).numbers, isOpen: isOpen)
    for publication in destination.publications {
      let isMeant = publication.sources.map { sources in sources.contains { own.sourceRanges.contains($0) } } ?? true
      guard isMeant else { continue }
      sum.formUnion(through.intersection(.port(publication.port, isTCP: publication.isTCP)))
    }
    return sum
  }

  /// The traffic that the rules allow, in their order.
  ///
  /// - Parameters:
  ///   - numbers: the rules that name both ends, in their order.
  ///   - isOpen: whether what no rule names passes.
  func walk(_ numbers: some Sequence<Int>, isOpen: Bool) -> PortSet {
    var rest = PortSet.everything
    var sum = PortSet.none
    for number in numbers {
      let rule = rules[number]
      if rule.isAllow { sum.formUnion(rest.intersection(rule.ports)) }
      rest.subtract(rule.ports)
      if rest.isEmpty { break }
    }
    if isOpen { sum.formUnion(rest) }
    return sum
  }

  func isClosed(_ network: String) -> Bool { closed.contains(network) }
}

/// Flattens the rules for what comes from outside the stack or goes there.
struct OutsideJudge: Sendable {
  private let judge: PairJudge
  /// The ranges of rules that are outside, with the whole of each family, the widest first.
  private let targets: [IPPrefix]
  private let sources: [IPPrefix]

  init(_ judge: PairJudge, _ stack: DesiredStack) {
    self.judge = judge
    let own = stack.networks.filter(\.hasBridge).flatMap(\.subnets)
    func outside(_ ranges: [IPPrefix]) -> [IPPrefix] {
      let all = ranges.filter { range in !own.contains { $0.holds(range) } } + [.anyV4, .anyV6]
      return all.uniqued().sorted { ($0.length, "\($0)") < ($1.length, "\($1)") }
    }
    targets = outside(judge.sides.destinations.flatMap(\.ranges))
    sources = outside(
      judge.sides.sources.flatMap(\.ranges) + stack.services.flatMap(\.ports).flatMap { $0.sources ?? [] })
  }

  func outgoing(from source: MemberTraits) -> [TrafficMatrix.OutsideRange] {
    guard let place = source.defaultRoute else { return [] }
    let own = source.interfaces[place]
    guard !judge.isInternal(own.network) else { return [] }
    return ranges(targets, hasIPv6: source.hasIPv6) { range in
      let rules = own.asSource.numbers.filter { judge.sides.destinations[$0].concerns(outside: range) }
      return judge.walk(rules, isOpen: !judge.isClosed(own.network))
    }
  }

  func incoming(to destination: MemberTraits) -> [TrafficMatrix.OutsideRange] {
    guard let place = destination.publishing, !destination.publications.isEmpty else { return [] }
    let target = destination.interfaces[place]
    return ranges(sources, hasIPv6: destination.hasIPv6) { range in
      let rules = target.asDestination.numbers.filter { judge.sides.sources[$0].concerns(outside: range) }
      let through = judge.walk(rules, isOpen: !judge.isClosed(target.network))
      var ports = PortSet.none
      for publication in destination.publications {
        guard publication.sources.map({ $0.contains { $0.holds(range) } }) ?? true else { continue }
        ports.formUnion(through.intersection(.port(publication.port, isTCP: publication.isTCP)))
      }
      return ports
    }
  }

  /// Each range for which something else holds than for the narrowest one around it.
  private func ranges(
    _ ranges: [IPPrefix], hasIPv6: Bool, _ ports: (IPPrefix) -> PortSet
  ) -> [TrafficMatrix.OutsideRange] {
    var kept: [(range: IPPrefix, ports: PortSet, parent: Int?)] = []
    for range in ranges where hasIPv6 || range.network.isV4 {
      let own = ports(range)
      let parent = kept.lastIndex { $0.range.holds(range) }
      if let parent, kept[parent].ports == own { continue }
      kept.append((range, own, parent))
    }
    return kept.indices.compactMap { place in
      guard !kept[place].ports.isEmpty else { return nil }
      return TrafficMatrix.OutsideRange(
        range: kept[place].range, exceptions: kept.filter { $0.parent == place }.map(\.range).sorted(),
        ports: kept[place].ports)
    }
  }
}
