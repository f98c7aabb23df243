import Addresses
import Intent
import Rules

/// Predicts the fate of packets from the stack's routes and rules. Pure.
struct ReachForecaster {
  private let stack: DesiredStack
  private let routing: PacketRouting
  private let evaluator: PolicyEvaluator
  private let closed: Set<String>
  private let tracking: BridgeTracking
  /// The networks whose bridges show what they pass on whatever the host's setting is.
  private let filtered: Set<String>

  init(_ stack: DesiredStack, _ tracking: BridgeTracking) {
    self.stack = stack
    self.tracking = tracking
    filtered = stack.policy.filteredNetworks(of: stack)
    routing = PacketRouting(stack)
    evaluator = PolicyEvaluator(stack)
    closed = Set(stack.policy.closedNetworks)
  }

  /// To an address of a service, of the host in a network, or of a machine that is not ours.
  ///
  /// - Returns: nil where the file does not say: what a service routes to the host comes from another network than the host
  ///   knows its sender in, and whether the host takes that is the host's own setting (rp_filter in ip-sysctl); from one
  ///   macvlan network to another leads a machine that is not the host.
  func forecast(from source: ReachPeer, to destination: IPAddress, _ traffic: Traffic) -> ReachForecast? {
    let way = routing.way(from: source, to: destination)
    if let obstacle = way.obstacle { return ReachForecast(isAllowed: false, because: "denied since \(obstacle)") }
    if way.meetsHost || way.isByHost, !way.routers.isEmpty { return nil }
    if way.end == .outside, isOnMacvlan(destination) { return nil }
    guard let sender = way.source else {
      return ReachForecast(isAllowed: true, because: "allowed since it stays where it is")
    }
    var forecast = judge(way, sender, destination, traffic)
    forecast.sender = sender
    // Services of an internal network have no way back, so the host asks in the sender's place.
    forecast.isTranslated = way.end == .outside || way.isByHost && entersInternal(way)
    guard forecast.isAllowed, !forecast.isTranslated, let answerer = routing.owner(of: destination) else {
      return forecast
    }
    let back = routing.way(from: .service(answerer), to: sender)
    if let obstacle = back.obstacle {
      return ReachForecast(isAllowed: false, because: "denied since no answer comes back: \(obstacle)", sender: sender)
    }
    if back.isByHost, !way.isByHost, !isTracked(way, destination) {
      return ReachForecast(
        isAllowed: false, because: "denied since the answer goes through the host, which has not seen the question",
        sender: sender)
    }
    return forecast
  }

  /// True if the host's connection tracking sees packets that it does not forward, since they pass a bridge of its own.
  private func isTracked(_ way: PacketRouting.Way, _ destination: IPAddress) -> Bool {
    way.segments.contains { segment in
      guard case .network(let name) = segment, stack.network(named: name)?.hasBridge ?? true else { return false }
      return tracking.contains(destination) || filtered.contains(name)
    }
  }

  /// To a port of the host that leads to a service, by one of the host's addresses.
  func forecast(from source: ReachPeer, to publication: Firewall.Publication, at host: IPAddress) -> ReachForecast {
    // The host asks itself from the very address that it asks.
    var sender = host
    if case .service = source {
      let way = routing.way(from: source, to: host)
      if let obstacle = way.obstacle { return ReachForecast(isAllowed: false, because: "denied since \(obstacle)") }
      if let network = way.segments.last?.network, stack.network(named: network)?.hasBridge == false {
        return ReachForecast(isAllowed: false, because: "denied since \(PacketRouting.Way.apart(network))")
      }
      sender = way.source ?? host
    }
    let port = publication.port
    guard port.sources?.contains(where: { $0.contains(sender) }) ?? true else {
      let place = port.declaredAt.map { " (\($0))" } ?? ""
      return ReachForecast(
        isAllowed: false, because: "denied since the port is not for \(sender)\(place)", sender: sender)
    }
    let asker = source == .host ? publication.gateway : sender
    let decision = evaluator.decision(
      from: asker, to: publication.address, Traffic(port.target).packet, isPublished: true, hostAddresses: [])
    return ReachForecast(
      isAllowed: decision?.isAllowed ?? true, because: decision.map(explanation) ?? "allowed", sender: sender,
      isTranslated: true)
  }

  private func isOnMacvlan(_ address: IPAddress) -> Bool {
    routing.owner(of: address) != nil
      && stack.networks.contains { !$0.hasBridge && $0.subnets.contains { $0.contains(address) } }
  }

  private func entersInternal(_ way: PacketRouting.Way) -> Bool {
    guard case .network(let name)? = way.segments.last else { return false }
    return stack.network(named: name)?.isInternal ?? false
  }

  private func judge(
    _ way: PacketRouting.Way, _ sender: IPAddress, _ destination: IPAddress, _ traffic: Traffic
  ) -> ReachForecast {
    let networks = way.segments.compactMap(\.network)
    guard !networks.isEmpty,
      let decision = evaluator.decision(
        from: sender, to: destination, traffic.packet, isPublished: false, hostAddresses: [])
    else { return ReachForecast(isAllowed: true, because: "allowed since links have no rules") }
    if case .rule = decision.reason {
      return ReachForecast(isAllowed: decision.isAllowed, because: explanation(decision))
    }
    // Whatever passes the host is the host's to keep apart; what does not is a matter of the networks that it passes.
    if way.isByHost || way.meetsHost
      || networks.count == 1 && way.routers.isEmpty && way.segments.count == 1
        && owns(destination, in: networks[0])
    {
      return ReachForecast(isAllowed: decision.isAllowed, because: explanation(decision))
    }
    let by =
      way.routers.isEmpty
      ? "within \(way.segments[0].words)" : "by way of \(way.routers.joined(separator: ", "))"
    // A network that is closed is closed to what passes through it too.
    if let name = networks.first(where: closed.contains) {
      return ReachForecast(isAllowed: false, because: "denied by default in network \(place(of: name)), \(by)")
    }
    return ReachForecast(isAllowed: true, because: "allowed \(by)")
  }

  private func owns(_ address: IPAddress, in network: String) -> Bool {
    stack.network(named: network)?.subnets.contains { $0.contains(address) } ?? false
  }

  private func explanation(_ decision: PolicyDecision) -> String {
    guard case .networkDefault(let name) = decision.reason else { return decision.description }
    return "\(decision.isAllowed ? "allowed" : "denied") by default in network \(place(of: name))"
  }

  /// `back (web.stack:20)`
  private func place(of network: String) -> String {
    network + (stack.network(named: network)?.declaredAt.map { " (\($0))" } ?? "")
  }
}

extension PacketRouting.Segment {
  fileprivate var words: String {
    switch self {
    case .network(let name): "network \(name)"
    case .vlan(let id, let name): "VLAN \(id) of network \(name)"
    case .link: "a link"
    }
  }
}

extension PacketRouting.Way {
  /// True if it ends at the host, or beyond.
  fileprivate var meetsHost: Bool { end == .outside || isToHost }

  fileprivate static func apart(_ network: String) -> String {
    "network \(network) is macvlan: the host and its own services there do not reach each other"
  }

  /// Why packets do not arrive; nil when they do.
  fileprivate var obstacle: String? {
    switch end {
    case .arrived, .outside: nil
    case .noRoute(let name): "\(name) has no route there"
    case .blackhole(let name, let line): "\(name) drops what goes there" + (line.map { " (\($0))" } ?? "")
    case .keptIn(let network): "network \(network) is internal"
    case .notForwarded(let name): "\(name) does not forward"
    case .apart(let network): Self.apart(network)
    case .loop: "it goes round in circles: \(routers.prefix(4).joined(separator: ", "))"
    }
  }
}
