import Addresses
import Intent
import Rules

/// Predicts whether packets arrive. Pure.
///
/// Predictions follow from the stack's routes and rules, and from the rules of stacks whose networks it has joined.
struct ReachForecaster {
  let routing: PacketRouting
  private let stack: DesiredStack
  private let rules: [NetworkRules]
  private let tracking: BridgeTracking
  private let words: WayWords
  private let routed: RoutedSources

  /// The rules that hold on some networks.
  private struct NetworkRules {
    let evaluator: PolicyEvaluator
    /// As this stack calls them; nil for those of the stack itself, and for what is on no network.
    let networks: Set<String>?
    let closed: Set<String>
    /// Those whose bridges show what they pass on, whatever the host's setting is.
    let filtered: Set<String>
    /// The place in the file where each network is declared, by the owner's name of the network.
    let places: [String: String]
    /// The stack that the rules belong to. Nil for this stack.
    let owner: String?
    /// The networks whose packets are held to belong to a connection that was begun in their sight. Without any rules, nothing
    /// is held to that.
    let guarded: Set<String>
  }

  /// - Parameter owners: the stacks whose networks this one has joined, as they were brought up.
  init(_ stack: DesiredStack, _ tracking: BridgeTracking, owners: [DesiredStack] = [], routing: PacketRouting? = nil) {
    self.stack = stack
    self.tracking = tracking
    self.routing = routing ?? PacketRouting(stack)
    words = WayWords(stack, self.routing)
    routed = RoutedSources(stack)
    rules = [Self.rules(of: stack, as: nil)] + owners.map { Self.rules(of: $0, as: stack) }
  }

  /// - Parameter guest: the stack that has joined the other's networks; nil for a stack's rules on its own.
  private static func rules(of stack: DesiredStack, as guest: DesiredStack?) -> NetworkRules {
    /// The names that the guest has for networks of the owner.
    func named(_ names: some Sequence<String>) -> Set<String> {
      guard let guest else { return Set(names) }
      let bridges = Set(names.compactMap { stack.network(named: $0)?.bridge })
      return Set(guest.networks.filter { $0.owner == stack.name && bridges.contains($0.bridge) }.map(\.name))
    }
    return NetworkRules(
      evaluator: PolicyEvaluator(stack), networks: guest.map { _ in named(stack.ownNetworks.map(\.name)) },
      closed: named(stack.policy.closedNetworks), filtered: named(stack.policy.filteredNetworks(of: stack)),
      places: Dictionary(
        stack.networks.map { ($0.name, $0.name + ($0.declaredAt.map { " (\($0))" } ?? "")) },
        uniquingKeysWith: { first, _ in first }),
      owner: guest.map { _ in stack.name },
      guarded: stack.policy.isEmpty ? [] : named(stack.ownNetworks.map(\.name)))
  }

  /// To an address of a service, of the host in a network, or of a machine that is not ours.
  ///
  /// - Returns: nil where the file does not say: what a service routes to the host comes from another network than the host
  ///   knows its sender in, and whether the host takes that is the host's own setting (rp_filter in ip-sysctl); from one
  ///   macvlan network to another leads a machine that is not the host.
  func forecast(from source: ReachPeer, to destination: IPAddress, _ traffic: Traffic) -> ReachForecast? {
    let ways = routing.ways(from: source, to: destination)
    let forecasts = ways.compactMap { forecast($0, to: destination, traffic) }
    return agreed(forecasts, among: ways.count)
  }

  /// One forecast where all ways come to the same.
  private func agreed(_ forecasts: [ReachForecast], among count: Int) -> ReachForecast? {
    guard let first = forecasts.first, forecasts.count == count else { return nil }
    if let open = forecasts.first(where: { !$0.isDecided }) { return open }
    guard let other = forecasts.first(where: { $0.isAllowed != first.isAllowed }) else { return first }
    var open = first
    open.isDecided = false
    open.because = "a router chooses among \(count) equally good ways: \(first.because); \(other.because)"
    return open
  }

  private func forecast(_ way: Way, to destination: IPAddress, _ traffic: Traffic) -> ReachForecast? {
    if let obscurity = way.obscurity { return .observedOnly(obscurity, sender: way.source) }
    if let obstacle = words.obstacle(way, to: destination) {
      return ReachForecast(isAllowed: false, because: "denied since \(obstacle)", sender: way.source)
    }
    if meetsHost(way) || way.isByHost, way.routerCount > 0 { return nil }
    if way.end == .outside, isOnMacvlan(destination) { return nil }
    guard let sender = way.source else {
      return ReachForecast(isAllowed: true, because: "allowed since it stays where it is")
    }
    if let obstacle = guarded(way, of: sender) ?? arrivalElsewhere(way, at: destination) {
      return ReachForecast(isAllowed: false, because: "denied since \(obstacle)", sender: sender)
    }
    var forecast = judge(way, sender, destination, traffic)
    forecast.sender = sender
    // Services of an internal network have no way back, so the host asks in the sender's place.
    forecast.isTranslated = way.end == .outside || way.isByHost && entersInternal(way)
    guard forecast.isAllowed, !forecast.isTranslated, let answerer = routing.owner(of: destination) else {
      return forecast
    }
    let backs = routing.ways(from: .service(answerer), to: sender)
    return agreed(backs.map { answered(forecast, way, by: $0, destination, sender, traffic) }, among: backs.count)
  }

  /// The forecast, seeing the way that the answer takes.
  private func answered(
    _ forecast: ReachForecast, _ way: Way, by back: Way, _ destination: IPAddress, _ sender: IPAddress,
    _ traffic: Traffic
  ) -> ReachForecast {
    if let obscurity = back.obscurity { return .observedOnly(obscurity, sender: sender) }
    if let obstacle = words.obstacle(back, to: sender) ?? guarded(back, of: destination)
      ?? arrivalElsewhere(back, at: sender)
    {
      return ReachForecast(isAllowed: false, because: "denied since no answer comes back: \(obstacle)", sender: sender)
    }
    guard way.hops.first?.machine != PacketRouting.host else { return forecast }
    var obstacle: String?
    if way.isByHost || tracker(of: way, destination) != nil {
      let asked = way.isByHost ? "the host" : guardian(of: way, destination).map { "the firewall of network \($0)" }
      // The third packet of the handshake would belong to nothing.
      if case .tcp = traffic, let asked, !back.isByHost, tracker(of: back, sender) == nil {
        obstacle = "\(asked) does not see the answers"
      }
    } else if back.isByHost {
      obstacle = "the answer goes through the host, which has not seen the question"
    } else if let network = guardian(of: back, sender), !isPassed(back, destination, sender, traffic) {
      obstacle = "the answer crosses network \(network), whose firewall has not seen the question"
    }
    return obstacle.map { ReachForecast(isAllowed: false, because: "denied since \($0)", sender: sender) } ?? forecast
  }

  /// The network into which a router sends packets that the guard there does not take from it: those of a service on that
  /// network, and of others who are not behind the router.
  private func guarded(_ way: Way, of source: IPAddress) -> String? {
    for hop in way.hops.dropFirst() where hop.machine != PacketRouting.host {
      let router = words.name(hop.machine)
      guard case .network(let name) = routing.wires[hop.wire], let network = stack.network(named: name),
        network.hasBridge, routing.owner(of: source) != router
      else { continue }
      if network.subnets.contains(where: { $0.contains(source) }) {
        return "\(router) sends it back into network \(name), which takes packets of \(source) from its own port alone"
      }
      guard !routed.mayBring(router, source, into: name) else { continue }
      return "\(router) sends it into network \(name), which takes from it only packets of those behind it, "
        + "and \(source) is not"
    }
    return nil
  }

  /// The network by which packets come to an address that a service has elsewhere. The guard lets them to none but routers.
  private func arrivalElsewhere(_ way: Way, at destination: IPAddress) -> String? {
    guard let last = way.hops.last, last.machine != PacketRouting.host, !routing.isOwned(destination, on: last.wire),
      let name = routing.owner(of: destination),
      let service = stack.service(named: name), !service.forwards,
      !service.loopback.contains(where: { $0.address == destination })
    else { return nil }
    let (network, vlan): (String, UInt16?)
    switch routing.wires[last.wire] {
    case .network(let name): (network, vlan) = (name, nil)
    case .vlan(let id, let name): (network, vlan) = (name, id)
    default: return nil
    }
    guard let attachment = service.attachments.first(where: { $0.network == network }),
      let pair = attachment.pairs.first(where: { $0.vlan == vlan }) ?? attachment.pairs.first,
      attachment.isElsewhere(destination, by: pair)
    else { return nil }
    return "\(name) does not forward, and has \(destination) elsewhere than on \(routing.wires[last.wire].words)"
  }

  /// True if an answer passes as what it is to a firewall that has not seen the question: a datagram is a question of its own.
  /// Other answers belong to nothing.
  private func isPassed(_ back: Way, _ answerer: IPAddress, _ asker: IPAddress, _ traffic: Traffic) -> Bool {
    guard case .udp = traffic else { return false }
    return judge(back, answerer, asker, .udp(Self.clientPort)).isAllowed
  }

  /// The first of the ports that programs ask from (ip_local_port_range in ip-sysctl).
  private static let clientPort: UInt16 = 32768

  /// The first network of a way whose bridge shows the packets to the host's connection tracking.
  private func tracker(of way: Way, _ destination: IPAddress) -> String? {
    network(of: way) { name in
      tracking.contains(destination) || rules.contains { $0.filtered.contains(name) }
    }
  }

  /// The first of them whose firewall drops packets that belong to no connection.
  private func guardian(of way: Way, _ destination: IPAddress) -> String? {
    network(of: way) { name in
      rules.contains { rules in
        rules.guarded.contains(name) && (tracking.contains(destination) || rules.filtered.contains(name))
      }
    }
  }

  private func network(of way: Way, where isMeant: (String) -> Bool) -> String? {
    for hop in way.hops {
      guard case .network(let name) = routing.wires[hop.wire], stack.network(named: name)?.hasBridge ?? true,
        isMeant(name)
      else { continue }
      return name
    }
    return nil
  }

  /// To a port of the host that leads to a service, by one of the host's addresses.
  func forecast(from source: ReachPeer, to publication: Firewall.Publication, at host: IPAddress) -> ReachForecast {
    // The host asks itself from the very address that it asks.
    var sender = host
    if case .service = source, let way = routing.ways(from: source, to: host).first {
      if let obscurity = way.obscurity { return .observedOnly(obscurity, sender: way.source) }
      if let obstacle = words.obstacle(way, to: host) {
        return ReachForecast(isAllowed: false, because: "denied since \(obstacle)", sender: way.source)
      }
      let last = way.hops.last.flatMap { routing.wires[$0.wire].network }
      if let last, stack.network(named: last)?.hasBridge == false {
        return ReachForecast(isAllowed: false, because: "denied since \(WayWords.apart(last))")
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
    let networks = stack.networks.filter { network in
      network.subnets.contains { $0.contains(asker) || $0.contains(publication.address) }
    }
    let verdict = decide(asker, publication.address, Traffic(port.target), isPublished: true, on: networks.map(\.name))
    return ReachForecast(
      isAllowed: verdict?.decision.isAllowed ?? true, because: verdict.map(explanation) ?? "allowed", sender: sender,
      isTranslated: true)
  }

  private func isOnMacvlan(_ address: IPAddress) -> Bool {
    routing.owner(of: address) != nil
      && stack.networks.contains { !$0.hasBridge && $0.subnets.contains { $0.contains(address) } }
  }

  private func meetsHost(_ way: Way) -> Bool { way.end == .outside || way.isToHost }

  private func entersInternal(_ way: Way) -> Bool {
    guard let last = way.hops.last, case .network(let name) = routing.wires[last.wire] else { return false }
    return stack.network(named: name)?.isInternal ?? false
  }

  // MARK: Rules

  private struct Verdict {
    var decision: PolicyDecision
    var by: NetworkRules
  }

  /// The verdict of the stacks whose networks the packets pass.
  ///
  /// The first denial counts. Otherwise the last verdict that names a rule counts.
  private func decide(
    _ sender: IPAddress, _ destination: IPAddress, _ traffic: Traffic, isPublished: Bool, on networks: [String]
  ) -> Verdict? {
    let joined = Set(stack.networks.filter { $0.owner != nil }.map(\.name))
    var chosen: Verdict?
    for rules in rules {
      // A stack without a part in it does not see it. The owner guards what has been joined.
      let isConcerned = rules.networks.map { !$0.isDisjoint(with: networks) } ?? !joined.isSuperset(of: networks)
      guard isConcerned,
        let decision = rules.evaluator.decision(
          from: sender, to: destination, traffic.packet, isPublished: isPublished, hostAddresses: [])
      else { continue }
      let verdict = Verdict(decision: decision, by: rules)
      if !decision.isAllowed { return verdict }
      if case .rule = decision.reason { chosen = verdict } else if chosen == nil { chosen = verdict }
    }
    return chosen
  }

  private func judge(_ way: Way, _ sender: IPAddress, _ destination: IPAddress, _ traffic: Traffic) -> ReachForecast {
    let networks = way.hops.compactMap { routing.wires[$0.wire].network }
    guard !networks.isEmpty, let verdict = decide(sender, destination, traffic, isPublished: false, on: networks)
    else { return ReachForecast(isAllowed: true, because: "allowed since links have no rules") }
    if case .rule = verdict.decision.reason {
      return ReachForecast(
        isAllowed: verdict.decision.isAllowed, because: explanation(verdict), isRuledOut: !verdict.decision.isAllowed)
    }
    // Whatever passes the host is the host's to keep apart; what does not is a matter of the networks that it passes.
    if way.isByHost || meetsHost(way)
      || networks.count == 1 && way.routerCount == 0 && way.hops.count == 1 && owns(destination, in: networks[0])
    {
      return ReachForecast(
        isAllowed: verdict.decision.isAllowed, because: explanation(verdict), isRuledOut: !verdict.decision.isAllowed)
    }
    let by =
      way.routerCount == 0
      ? "within \(routing.wires[way.hops[0].wire].words)" : "by way of \(words.routers(way))"
    // A network that is closed is closed to what passes through it too.
    for name in networks {
      guard let rules = rules.first(where: { $0.closed.contains(name) }) else { continue }
      return ReachForecast(
        isAllowed: false, because: "denied by default in network \(place(name, rules)), \(by)", isRuledOut: true)
    }
    return ReachForecast(isAllowed: true, because: "allowed \(by)")
  }

  private func owns(_ address: IPAddress, in network: String) -> Bool {
    stack.network(named: network)?.subnets.contains { $0.contains(address) } ?? false
  }

  private func explanation(_ verdict: Verdict) -> String {
    let decision = verdict.decision
    let owner = verdict.by.owner.map { " of stack \($0)" } ?? ""
    guard case .networkDefault(let name) = decision.reason else { return decision.description + owner }
    return "\(decision.isAllowed ? "allowed" : "denied") by default in network \(place(name, verdict.by))\(owner)"
  }

  /// `back (web.stack:20)`
  private func place(_ network: String, _ rules: NetworkRules) -> String { rules.places[network] ?? network }
}

extension ReachForecast {
  fileprivate static func observedOnly(_ obscurity: String, sender: IPAddress?) -> ReachForecast {
    ReachForecast(isAllowed: false, because: "observed only: \(obscurity)", sender: sender, isDecided: false)
  }
}
