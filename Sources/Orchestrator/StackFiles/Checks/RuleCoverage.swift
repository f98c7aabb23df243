import Addresses
import Vocabulary

/// Finds rules that an earlier one leaves nothing to decide.
///
/// Every rule is filed under the pairs of members that it is about, so that it is compared with few others: a thousand rules
/// about a thousand pairs are a thousand look-ups.
struct RuleCoverage {
  /// A member of a rule's side: a service by its interface in a network, or a peer that is no service.
  private enum Member: Hashable {
    case interface(service: String, network: String)
    case range(IPPrefix)
    case host, internet, any
  }

  private struct Pair: Hashable {
    var source: Member
    var destination: Member
  }

  /// A class, since each is looked at many times and copied never.
  private final class Entry {
    let rule: StackFile.Rule
    let sources: Set<Member>
    let destinations: Set<Member>
    let ranges: (sources: [IPPrefix], destinations: [IPPrefix])

    init(_ rule: StackFile.Rule, sources: Set<Member>, destinations: Set<Member>) {
      self.rule = rule
      self.sources = sources
      self.destinations = destinations
      ranges = (sources.compactMap(RuleCoverage.range), destinations.compactMap(RuleCoverage.range))
    }
  }

  private let stack: StackFile
  private var entries: [Entry] = []
  private var byPair: [Pair: [Int]] = [:]
  /// Those that are about too many pairs to file them under each.
  private var wide: [Int] = []
  private var members: [PolicyPeer: [Member]] = [:]

  private static let mostPairs = 64

  init(stack: StackFile) {
    self.stack = stack
  }

  /// Takes in the next rule.
  ///
  /// - Returns: an earlier rule that is about everything that this one is about.
  mutating func add(_ rule: StackFile.Rule) -> StackFile.Rule? {
    let sources = Set(rule.sources.flatMap { members(of: $0.value) })
    let destinations = Set(rule.destinations.flatMap { members(of: $0.value) })
    // A side that stands for nobody is another warning's.
    guard let source = sources.first, let destination = destinations.first else { return nil }
    let entry = Entry(rule, sources: sources, destinations: destinations)
    var candidates = wide
    for source in Self.covering(source) {
      for destination in Self.covering(destination) {
        candidates += byPair[Pair(source: source, destination: destination)] ?? []
      }
    }
    let earlier = candidates.sorted().first { Self.covers(entries[$0], entry) }
    let place = entries.count
    entries.append(entry)
    if sources.count * destinations.count > Self.mostPairs {
      wide.append(place)
    } else {
      for source in sources {
        for destination in destinations {
          byPair[Pair(source: source, destination: destination), default: []].append(place)
        }
      }
    }
    return earlier.map { entries[$0].rule }
  }

  /// The members that stand for all that one does.
  private static func covering(_ member: Member) -> [Member] {
    guard case .range(let prefix) = member else { return [member, .any] }
    return [.any]
      + (0...prefix.length).compactMap { IPPrefix(containing: prefix.network, length: $0).map { .range($0) } }
  }

  private static func range(_ member: Member) -> IPPrefix? {
    if case .range(let prefix) = member { prefix } else { nil }
  }

  private mutating func members(of peer: PolicyPeer) -> [Member] {
    if let known = members[peer] { return known }
    let found = compute(peer)
    members[peer] = found
    return found
  }

  private func compute(_ peer: PolicyPeer) -> [Member] {
    switch peer {
    case .any: return [.any]
    case .host: return [.host]
    case .internet: return [.internet]
    case .range(let prefix): return [.range(prefix)]
    case .service(let name):
      // A replica is a member of its own, which is compared by name alone.
      guard let service = stack.services[name] else { return [.interface(service: name, network: "")] }
      return interfaces(of: service)
    case .network(let name):
      return stack.services.filter { service in service.attachments.contains { $0.network.value == name } }
        .map { .interface(service: $0.name.value, network: name) }
    case .pattern(let text):
      let pattern = NamePattern(text)
      return stack.services.filter { pattern.matches($0.name.value) }.flatMap(interfaces)
    case .label: return stack.services.filter(peer.concerns).flatMap(interfaces)
    }
  }

  private func interfaces(of service: StackFile.Service) -> [Member] {
    service.attachments.map { .interface(service: service.name.value, network: $0.network.value) }
  }

  private static func covers(_ earlier: Entry, _ later: Entry) -> Bool {
    covers(earlier.rule.ports, later.rule.ports)
      && covers(earlier.sources, earlier.ranges.sources, later.sources)
      && covers(earlier.destinations, earlier.ranges.destinations, later.destinations)
  }

  private static func covers(_ earlier: Set<Member>, _ ranges: [IPPrefix], _ later: Set<Member>) -> Bool {
    if earlier.contains(.any) { return true }
    return later.allSatisfy { member in
      if earlier.contains(member) { return true }
      guard case .range(let prefix) = member else { return false }
      return ranges.contains { $0.length <= prefix.length && $0.contains(prefix.network) }
    }
  }

  private static func covers(_ earlier: [Located<PortSelector>], _ later: [Located<PortSelector>]) -> Bool {
    if earlier.isEmpty { return true }
    return !later.isEmpty && later.allSatisfy { port in earlier.contains { $0.value.covers(port.value) } }
  }
}
