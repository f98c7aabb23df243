import Addresses
import Intent
import Vocabulary

/// Chooses the ports to probe: those that a service is said to listen on, and those that rules and expectations name.
struct ReachPorts {
  private var members: PolicyMembers
  private let rules: [PolicyRule]

  init(_ stack: DesiredStack) {
    members = PolicyMembers(stack)
    rules = stack.policy.rules + stack.policy.expectations
  }

  /// The traffic that rules name for a service.
  mutating func named(for service: DesiredService) -> [Traffic] {
    var found: [Traffic] = []
    for rule in rules where rule.destinations.contains(where: { concerns($0, service) }) {
      found += rule.ports.flatMap(\.samples)
    }
    return found
  }

  func traffic(toHost extra: [Traffic]) -> [Traffic] {
    ([.echo] + named { $0 == .host } + extra).uniqued()
  }

  func traffic(toInternet extra: [Traffic]) -> [Traffic] {
    ([.echo] + named { $0 == .internet } + extra).uniqued()
  }

  private func named(_ isMeant: (PolicyPeer) -> Bool) -> [Traffic] {
    rules.filter { $0.destinations.contains(where: isMeant) }.flatMap { $0.ports.flatMap(\.samples) }
  }

  private mutating func concerns(_ peer: PolicyPeer, _ service: DesiredService) -> Bool {
    if peer == .any { return true }
    if case .range(let prefix) = peer {
      return service.attachments.contains { $0.addresses.contains(where: prefix.contains) }
    }
    guard let addresses = members.addresses(of: peer) else { return false }
    return service.attachments.contains { !addresses.isDisjoint(with: $0.addresses) }
  }
}

extension PortSelector {
  /// The ports that show whether a rule holds: of a range its ends, of a whole transport none.
  fileprivate var samples: [Traffic] {
    switch transport {
    case .icmp: [.echo]
    case .tcp, .udp:
      first == 0 && last == .max
        ? [] : Set([first, last]).sorted().map { transport == .tcp ? .tcp($0) : .udp($0) }
    }
  }
}
