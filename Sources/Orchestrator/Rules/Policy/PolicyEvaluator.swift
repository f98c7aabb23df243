import Addresses
import Intent
import Vocabulary

/// Decides on flows as the firewall of a stack does: by its services, networks and rules alone. Pure.
///
/// `verify` predicts from it, and a change of the policy asks it which flows must end.
package struct PolicyEvaluator: Sendable {
  private struct Rule {
    var source: PolicySide
    var destination: PolicySide
    /// In the place of `destination`, for ``LinkLocal`` addresses.
    var linkLocal: PolicySide
    var rule: PolicyRule
  }

  /// An interface of a service, the host or somebody outside.
  private enum Place {
    /// By an interface on a network, or, without one, by an address elsewhere. Services of other stacks are on networks too.
    case service(network: String?, [IPAddress])
    case host(IPAddress?)
    case outside(IPAddress)
  }

  private let rules: [Rule]
  private let closed: Set<String>
  private let services: [String: DesiredService]
  private let networks: [String: DesiredNetwork]
  private let owners: [IPAddress: (service: String, network: String?)]
  private let gateways: [IPAddress: String]
  /// The networks that only services are on, with their ranges.
  private let ranges: [(prefix: IPPrefix, network: String)]

  package init(_ stack: DesiredStack) {
    var members = PolicyMembers(stack)
    rules = stack.policy.rules.map { rule in
      Rule(
        source: PolicySide(rule.sources, &members), destination: PolicySide(rule.destinations, &members),
        linkLocal: PolicySide(LinkLocal.destinations(of: rule), &members), rule: rule)
    }
    closed = Set(stack.policy.closedNetworks)
    services = stack.services.keyed(by: \.name)
    networks = stack.networks.keyed(by: \.name)
    let known = ServiceAddresses(stack)
    owners = Dictionary(
      keepingFirst: stack.services.flatMap { service -> [(IPAddress, (service: String, network: String?))] in
        service.attachments.flatMap { attachment in
          attachment.ownAddresses(forwards: service.forwards).map { ($0, (service.name, attachment.network)) }
        } + known.all(of: service).map { ($0, (service.name, nil)) }
      })
    gateways = Dictionary(
      keepingFirst: stack.networks.flatMap { network in network.hostAddresses.map { ($0, network.name) } })
    ranges = stack.networks.filter(\.hasBridge).flatMap { network in
      network.subnets.map { ($0, network.name) }
    }
  }

  // MARK: - Flows by name

  /// - Parameter isPublished: whether it is sent to a port that the host publishes for the destination.
  package func decision(
    from source: PolicyEndpoint, to destination: PolicyEndpoint, _ packet: PolicyPacket, isPublished: Bool = false
  ) -> PolicyDecision {
    switch (source, destination) {
    case (.service(let sender, let by), .service(let receiver, let network)):
      guard sender != receiver || isPublished else { return PolicyDecision(true, .itself) }
      guard let from = services[sender],
        let to = services[receiver],
        let target = isPublished
          ? publishedAttachment(of: to) : attachment(of: to, in: network, sharedWith: from)
      else { return PolicyDecision(false, .noRoute) }
      let direct = isPublished ? nil : from.attachments.first { $0.network == target.network }
      let chosen = by.map { name in from.attachments.first { $0.network == name } }
      guard let own = chosen ?? direct ?? from.attachments.first(where: \.isDefaultRoute) ?? nil else {
        return PolicyDecision(false, .noRoute)
      }
      return decide(Self.place(from, own), Self.place(to, target), packet, isPublished: isPublished)
    case (.service(let sender, let by), .host(let address)):
      guard let from = services[sender] else { return PolicyDecision(false, .noRoute) }
      guard let own = attachment(of: from, in: by, towards: address) else { return PolicyDecision(false, .noRoute) }
      let target = address ?? networks[own.network]?.hostAddresses.first
      return decide(Self.place(from, own), .host(target), packet, isPublished: false)
    case (.service(let sender, let by), .outside(let address)):
      guard let from = services[sender],
        let own = from.attachments.first(where: { by == nil ? $0.isDefaultRoute : $0.network == by })
      else { return PolicyDecision(false, .noRoute) }
      return decide(Self.place(from, own), .outside(address), packet, isPublished: false)
    case (.host(let address), .service(let receiver, let network)):
      guard let to = services[receiver],
        let target = isPublished
          ? publishedAttachment(of: to) : to.attachments.first(where: { network == nil || $0.network == network })
      else { return PolicyDecision(false, .noRoute) }
      return decide(
        .host(address ?? networks[target.network]?.hostAddresses.first), Self.place(to, target), packet,
        isPublished: isPublished)
    case (.outside(let address), .service(let receiver, let network)):
      guard let to = services[receiver],
        let target = isPublished
          ? publishedAttachment(of: to) : to.attachments.first(where: { network == nil || $0.network == network })
      else { return PolicyDecision(false, .noRoute) }
      return decide(.outside(address), Self.place(to, target), packet, isPublished: isPublished)
    case (.host, .host), (.host, .outside), (.outside, .host), (.outside, .outside):
      return PolicyDecision(true, .elsewhere)
    }
  }

  private static func place(_ service: DesiredService, _ attachment: DesiredAttachment) -> Place {
    .service(network: attachment.network, attachment.neighbourAddresses)
  }

  /// The attachment by which a service is reached: on the first network that both share, or as asked.
  private func attachment(
    of service: DesiredService, in network: String?, sharedWith other: DesiredService
  ) -> DesiredAttachment? {
    if let network { return service.attachments.first { $0.network == network } }
    let shared = other.attachments.first { own in service.attachments.contains { $0.network == own.network } }
    return service.attachments.first { shared == nil || $0.network == shared?.network }
  }

  /// The attachment that the service's published ports lead to.
  private func publishedAttachment(of service: DesiredService) -> DesiredAttachment? {
    let beside = service.attachments.filter { !$0.isWithoutHost }
    return beside.first(where: \.isDefaultRoute) ?? beside.first
  }

  /// The attachment by which a service reaches an address of the host.
  private func attachment(
    of service: DesiredService, in network: String?, towards address: IPAddress?
  ) -> DesiredAttachment? {
    if let network { return service.attachments.first { $0.network == network } }
    let near = address.map { gateways[$0] } ?? service.attachments.first?.network
    return service.attachments.first { $0.network == near } ?? service.attachments.first(where: \.isDefaultRoute)
  }

  // MARK: - Flows by address

  /// A flow as connection tracking knows it: source and destination behind translation.
  ///
  /// - Parameter hostAddresses: the host's own, beside those in the stack's networks.
  /// - Returns: nil for what does not concern the stack's services.
  package func decision(
    from source: IPAddress, to destination: IPAddress, _ packet: PolicyPacket, isPublished: Bool,
    hostAddresses: Set<IPAddress>
  ) -> PolicyDecision? {
    let (from, to) = (place(source, hostAddresses), place(destination, hostAddresses))
    switch (from, to) {
    case (.service, _), (_, .service): return decide(from, to, packet, isPublished: isPublished)
    default: return nil
    }
  }

  private func place(_ address: IPAddress, _ hostAddresses: Set<IPAddress>) -> Place {
    // By the packet's own address: a range is of one family, and what a service has of the other is not in it.
    if let owner = owners[address] { return .service(network: owner.network, [address]) }
    if gateways[address] != nil || hostAddresses.contains(address) || address.isLoopback { return .host(address) }
    // A service of another stack that has joined the network: rules know it by its address alone.
    if let range = ranges.first(where: { $0.prefix.contains(address) }) {
      return .service(network: range.network, [address])
    }
    return .outside(address)
  }

  // MARK: - The decision

  private func decide(
    _ source: Place, _ destination: Place, _ packet: PolicyPacket, isPublished: Bool
  ) -> PolicyDecision {
    switch (source, destination) {
    case (.outside, .service) where !isPublished: return PolicyDecision(false, .isolation)
    case (.service(let own, _), .outside) where isInternal(own):
      return PolicyDecision(false, .noRoute)
    case (.service(let own, _), .host(let address?)):
      if let network = gateways[address] {
        guard own == nil || network == own else { return PolicyDecision(false, .isolation) }
        if packet == .udp(53) || packet == .tcp(53) { return PolicyDecision(true, .names) }
      }
    default: break
    }
    if let number = rules.firstIndex(where: { concerns($0, source, destination, packet) }) {
      let rule = rules[number].rule
      return PolicyDecision(rule.action == .allow, .rule(number), rule: rule)
    }
    if Self.isToLinkLocal(source, destination) { return PolicyDecision(false, .linkLocal) }
    switch (source, destination) {
    case (.service(let own?, _), .service) where isPublished && isInternal(own):
      return PolicyDecision(false, .kept(in: own))
    case (.service(let own, _), .service(let target, _)):
      // An address elsewhere is reached by any network.
      guard own == target || own == nil || target == nil || isPublished else {
        return PolicyDecision(false, .isolation)
      }
      return byDefault(in: target)
    case (_, .service(let target, _)): return byDefault(in: target)
    case (.service(let own?, _), .host) where isInternal(own): return PolicyDecision(false, .kept(in: own))
    case (.service(let own, _), _): return byDefault(in: own)
    default: return PolicyDecision(true, .elsewhere)
    }
  }

  private func isInternal(_ network: String?) -> Bool { network.flatMap { networks[$0] }?.isInternal ?? false }

  private func byDefault(in network: String?) -> PolicyDecision {
    guard let network else { return PolicyDecision(true, .elsewhere) }
    return PolicyDecision(!closed.contains(network), .networkDefault(network))
  }

  private func concerns(_ rule: Rule, _ source: Place, _ destination: Place, _ packet: PolicyPacket) -> Bool {
    (rule.rule.ports.isEmpty || rule.rule.ports.contains { $0.covers(packet) })
      && concerns(rule.source, source)
      && concerns(Self.isToLinkLocal(source, destination) ? rule.linkLocal : rule.destination, destination)
  }

  /// True from a service to a ``LinkLocal`` address of the host, or of a machine beyond it.
  private static func isToLinkLocal(_ source: Place, _ destination: Place) -> Bool {
    switch (source, destination) {
    case (.service, .host(let address?)), (.service, .outside(let address)): LinkLocal.contains(address)
    default: false
    }
  }

  private func concerns(_ side: PolicySide, _ place: Place) -> Bool {
    if side.isAny { return true }
    switch place {
    case .service(_, let addresses): return side.names(addresses)
    case .host(let address):
      return side.isHost || address.map { address in side.ranges.contains { $0.contains(address) } } ?? false
    case .outside(let address):
      return side.isInternet || side.ranges.contains { $0.contains(address) }
    }
  }
}

extension IPAddress {
  package var isLoopback: Bool {
    switch self {
    case .v4(let address): address.isLoopback
    case .v6(let address): address == IPv6Address(high: 0, low: 1)
    }
  }
}
