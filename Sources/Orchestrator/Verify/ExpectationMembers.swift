import Addresses
import Intent
import Vocabulary

/// The services that the lines of `expect:` name, each by the service whose namespace sends and receives for it.
struct ExpectationMembers {
  private let stack: DesiredStack
  private let services: [String: DesiredService]
  private let addresses: [String: Set<IPAddress>]
  private var known: [PolicyPeer: Set<String>] = [:]

  init(_ stack: DesiredStack) {
    self.stack = stack
    services = Dictionary(stack.services.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var addresses: [String: Set<IPAddress>] = [:]
    for service in stack.services {
      addresses[service.name] = Set(
        service.attachments.flatMap(\.everyAddress) + service.loopback.map(\.address))
    }
    for end in stack.links.flatMap(\.ends) {
      addresses[end.service, default: []].formUnion(end.addresses.map(\.address))
    }
    self.addresses = addresses
    for peer in Set(stack.policy.expectations.flatMap { $0.sources + $0.destinations }) {
      known[peer] = found(peer)
    }
  }

  /// The services that a peer names, each by the service whose namespace it runs in. Empty for the host, the internet
  /// and `any`.
  func names(of peer: PolicyPeer) -> Set<String> { known[peer] ?? found(peer) }

  private func found(_ peer: PolicyPeer) -> Set<String> {
    let all: [DesiredService]
    switch peer {
    case .host, .internet, .any: return []
    case .network(let name): all = stack.services.filter { $0.attachments.contains { $0.network == name } }
    case .range(let prefix):
      all = stack.services.filter { addresses[$0.name, default: []].contains(where: prefix.contains) }
    case .service, .pattern, .label: all = PolicyMembers(stack).services(of: peer)
    }
    return Set(all.compactMap(Self.place))
  }

  /// The service whose namespace another runs in; nil for the host's.
  private static func place(_ service: DesiredService) -> String? {
    switch service.namespace {
    case .own: service.name
    case .service(let owner): owner
    case .host: nil
    }
  }

  func hasAddress(_ service: String) -> Bool { !addresses[service, default: []].isEmpty }

  /// The reason why a peer neither sends nor receives in the stack's networks. Nil if it does.
  func absence(of peer: PolicyPeer) -> String? {
    guard case .service(let name) = peer, names(of: peer).isEmpty else { return nil }
    return "\(name) is on the host's own network: write host"
  }

  /// An address of somebody outside who is meant; the one that stands for the internet is of TEST-NET-3 (RFC 5737).
  func outsider(_ peer: PolicyPeer) -> IPAddress? {
    switch peer {
    case .internet: .v4(IPv4Address(bits: 0xCB00_71FE))
    case .range(let prefix): names(of: peer).isEmpty ? prefix.network : nil
    default: nil
    }
  }

  // MARK: Checks

  /// True if a line may be about a cell. Of ranges, only its addresses tell.
  func concerns(_ rule: PolicyRule, _ source: ReachPeer, _ column: ReachColumn) -> Bool {
    guard rule.ports.isEmpty || rule.ports.contains(where: { $0.covers(column.traffic.packet) }) else { return false }
    return rule.sources.contains { isSource($0, source) } && rule.destinations.contains { isDestination($0, column) }
  }

  /// True if a line is about one of a cell's questions.
  func concerns(_ rule: PolicyRule, _ check: ReachCheck, _ probe: ReachProbe) -> Bool {
    rule.sources.contains { isSource($0, check, probe) }
      && rule.destinations.contains { isDestination($0, check, probe) }
  }

  private func isSource(_ peer: PolicyPeer, _ source: ReachPeer) -> Bool {
    switch (source, peer) {
    case (_, .any), (.host, .host): true
    case (.host, _), (.service, .host), (.service, .internet): false
    case (.service(let name), _): names(of: peer).contains(name)
    }
  }

  private func isSource(_ peer: PolicyPeer, _ check: ReachCheck, _ probe: ReachProbe) -> Bool {
    guard isSource(peer, check.source) else { return false }
    guard case .service(let name) = check.source else { return true }
    switch peer {
    case .range(let prefix): return probe.forecast.sender.map(prefix.contains) ?? prefix.isFamily(of: probe)
    case .network(let network):
      // Known by the address that it sends from; all of its own when it sends nothing.
      guard let sender = probe.forecast.sender,
        let used = services[name]?.attachments.first(where: { $0.neighbourAddresses.contains(sender) })
      else { return true }
      return used.network == network
    default: return true
    }
  }

  private func isDestination(_ peer: PolicyPeer, _ column: ReachColumn) -> Bool {
    switch (column.target, peer) {
    // It is the service's own port that is meant, not the host's.
    case (.published, _): return false
    case (_, .any), (.host, .host), (.internet, .internet): return true
    case (.host, _), (.internet, _), (_, .host), (_, .internet): return false
    case (.service(_, let network, _), .network(let other)): return network == other
    case (.service(let name, _, _), _), (.linked(let name, _, _), _), (.loopback(let name), _):
      return names(of: peer).contains(name)
    }
  }

  private func isDestination(_ peer: PolicyPeer, _ check: ReachCheck, _ probe: ReachProbe) -> Bool {
    guard isDestination(peer, check.column) else { return false }
    if case .range(let prefix) = peer { return prefix.contains(probe.question.destination) }
    return true
  }
}

extension IPPrefix {
  fileprivate func isFamily(of probe: ReachProbe) -> Bool { network.isV4 == probe.question.destination.isV4 }
}
