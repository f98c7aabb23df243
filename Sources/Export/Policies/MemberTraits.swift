import Addresses
import Intent
import Rules
import Vocabulary

/// The two sides of each rule.
struct RuleSides: Sendable {
  private(set) var sources: [PolicySide] = []
  private(set) var destinations: [PolicySide] = []
  /// The ranges of `from:` in the stack.
  let sourceRanges: [IPPrefix]

  init(_ stack: DesiredStack) {
    sourceRanges = stack.services.flatMap(\.ports).flatMap { $0.sources ?? [] }.uniqued()
    var members = PolicyMembers(stack)
    for rule in stack.policy.rules {
      sources.append(PolicySide(rule.sources, &members))
      destinations.append(PolicySide(rule.destinations, &members))
    }
  }
}

extension PolicySide {
  /// - Parameter range: one that no narrower range of a rule is looked at in.
  func concerns(outside range: IPPrefix) -> Bool {
    isAny || isInternet || ranges.contains { $0.holds(range) }
  }
}

/// All that decides about a replica's packets: replicas with equal traits may reach, and be reached by, the same
/// others.
struct MemberTraits: Hashable, Sendable {
  struct Interface: Hashable, Sendable {
    var network: String
    /// The numbers of the rules that name it as a source, and as a destination.
    var asSource: NumberSet
    var asDestination: NumberSet
    /// The ranges of `from:` in the stack that its address is in.
    var sourceRanges: [IPPrefix]
  }

  struct Publication: Hashable, Sendable {
    var isTCP: Bool
    var port: UInt16
    /// nil for everybody.
    var sources: [IPPrefix]?
  }

  var interfaces: [Interface]
  /// The place in `interfaces` of the one that its default route uses.
  var defaultRoute: Int?
  /// The place of the one that published ports lead to.
  var publishing: Int?
  var publications: [Publication]
  var hasIPv6: Bool

  init(_ service: DesiredService, _ sides: RuleSides) {
    let capacity = sides.sources.count
    interfaces = service.attachments.map { attachment in
      let own = attachment.neighbourAddresses
      return Interface(
        network: attachment.network,
        asSource: NumberSet(capacity: capacity, sides.sources.indices.filter { sides.sources[$0].names(own) }),
        asDestination: NumberSet(
          capacity: capacity, sides.destinations.indices.filter { sides.destinations[$0].names(own) }),
        sourceRanges: sides.sourceRanges.filter { range in own.contains { range.contains($0) } })
    }
    defaultRoute = service.attachments.firstIndex(where: \.isDefaultRoute)
    let beside = service.attachments.indices.filter { !service.attachments[$0].isWithoutHost }
    publishing = beside.first { service.attachments[$0].isDefaultRoute } ?? beside.first
    // Published for the host alone: nobody outside may have it, and a cluster has no such place.
    publications = service.ports.filter { !($0.hostAddress?.isLoopback ?? false) }.map {
      Publication(isTCP: $0.target.transport == .tcp, port: $0.target.port, sources: $0.sources)
    }.uniqued()
    hasIPv6 = service.attachments.contains { $0.isDefaultRoute && $0.ipv6 != nil }
  }
}

extension IPPrefix {
  /// True if every address of the other is one of its own.
  func holds(_ other: IPPrefix) -> Bool { contains(other.network) && other.length >= length }
}
