import Addresses
import Intent
import Rules
import Vocabulary

/// The verdict on a line of `expect:`.
struct ExpectationFinding: Sendable {
  var rule: PolicyRule
  /// The objections to it, for people. Empty when it holds.
  var objections: [String]
  /// True if packets were sent to find it out. Peers outside this machine cannot be made to send any.
  var isObserved: Bool

  var isMet: Bool { objections.isEmpty }
}

/// Compares the lines of `expect:` with what was found.
struct ExpectationJudge {
  private let stack: DesiredStack
  private let evaluator: PolicyEvaluator

  init(_ stack: DesiredStack) {
    self.stack = stack
    evaluator = PolicyEvaluator(stack)
  }

  /// nil when the line is about nobody among the findings.
  func judge(_ rule: PolicyRule, _ findings: [ReachFinding]) -> ExpectationFinding? {
    var concerned: [ReachFinding] = []
    for finding in findings where concerns(rule, finding.check) { concerned.append(finding) }
    if concerned.isEmpty { return judgeByPrediction(rule) }
    var objections: [String] = []
    for group in Self.pairs(concerned) {
      switch rule.action {
      case .deny:
        objections += group.filter(\.isObserved).map { Self.objection($0) }
      case .allow:
        let direct = group.filter { $0.check.isNear(in: stack) }
        if direct.isEmpty {
          if let first = group.first, !group.contains(where: \.isObserved) { objections.append(Self.objection(first)) }
        } else {
          objections += direct.filter { !$0.isObserved }.map { Self.objection($0) }
        }
      }
    }
    return ExpectationFinding(rule: rule, objections: objections, isObserved: true)
  }

  /// Findings about one source, one destination and one port: by its addresses in several networks.
  private static func pairs(_ findings: [ReachFinding]) -> [[ReachFinding]] {
    struct Pair: Hashable {
      var source: ReachPeer
      var destination: String
      var traffic: Traffic
    }
    var order: [Pair] = []
    var groups: [Pair: [ReachFinding]] = [:]
    for finding in findings {
      let destination =
        switch finding.check.column.target {
        case .service(let name, _, _), .linked(let name, _, _): name
        default: finding.check.column.label
        }
      let pair = Pair(source: finding.check.source, destination: destination, traffic: finding.check.column.traffic)
      if groups[pair] == nil { order.append(pair) }
      groups[pair, default: []].append(finding)
    }
    return order.compactMap { groups[$0] }
  }

  private static func objection(_ finding: ReachFinding) -> String {
    let answers = zip(finding.check.probes, finding.answers).map {
      "\($0.question.destination) \($1.words); \($0.forecast.because)"
    }
    return "\(finding.check.name): \(answers.joined(separator: "; "))"
  }

  // MARK: Who is meant

  private func concerns(_ rule: PolicyRule, _ check: ReachCheck) -> Bool {
    guard rule.ports.isEmpty || rule.ports.contains(where: { $0.covers(check.column.traffic.packet) }) else {
      return false
    }
    return rule.sources.contains { isSource($0, check) } && rule.destinations.contains { isDestination($0, check) }
  }

  private func isSource(_ peer: PolicyPeer, _ check: ReachCheck) -> Bool {
    switch (check.source, peer) {
    case (_, .any), (.host, .host): return true
    case (.host, _), (.service, .host), (.service, .internet): return false
    case (.service, .range(let prefix)):
      return check.probes.contains { $0.forecast.sender.map(prefix.contains) ?? false }
    case (.service(let name), .network(let network)): return check.senders(in: stack, name).contains { $0 == network }
    case (.service(let name), _): return has(name, peer)
    }
  }

  private func isDestination(_ peer: PolicyPeer, _ check: ReachCheck) -> Bool {
    switch (check.column.target, peer) {
    // It is the service's own port that is meant, not the host's.
    case (.published, _): return false
    case (_, .any), (.host, .host), (.internet, .internet): return true
    case (.host, _), (.service, .host), (.service, .internet), (.linked, .host), (.linked, .internet): return false
    case (_, .range(let prefix)): return check.probes.contains { prefix.contains($0.question.destination) }
    case (.internet, _): return false
    case (.service(_, let network, _), .network(let other)): return network == other
    case (.service(let name, _, _), _), (.linked(let name, _, _), _): return has(name, peer)
    }
  }

  /// True if a service is one of those that a peer names.
  private func has(_ service: String, _ peer: PolicyPeer) -> Bool {
    guard let service = stack.service(named: service) else { return false }
    return switch peer {
    case .service(let name): service.service == name || service.name == name
    case .pattern(let text): NamePattern(text).matches(service.service) || NamePattern(text).matches(service.name)
    case .label(let key, let value): service.labels[key] == value
    case .network(let name): service.attachments.contains { $0.network == name }
    case .range(let prefix): service.attachments.contains { $0.addresses.contains(where: prefix.contains) }
    case .host, .internet, .any: false
    }
  }

  // MARK: What cannot be probed

  /// From outside nobody of ours can send: what the stack lets expect must do.
  private func judgeByPrediction(_ rule: PolicyRule) -> ExpectationFinding? {
    let outsiders = rule.sources.compactMap(\.outsider)
    guard !outsiders.isEmpty else { return nil }
    var objections: [String] = []
    for service in stack.services where rule.destinations.contains(where: { $0 == .any || has(service.name, $0) }) {
      for port in rule.ports.isEmpty ? service.readyPorts.map(PortSelector.init) : rule.ports {
        let packet = port.packet
        let isPublished = service.ports.contains { Traffic($0.target).packet == packet }
        for address in outsiders {
          let decision = evaluator.decision(
            from: .outside(address), to: .service(service.name), packet, isPublished: isPublished)
          if decision.isAllowed != (rule.action == .allow) {
            objections.append("\(address) -> \(service.name):\(port): \(decision)")
          }
        }
      }
    }
    return ExpectationFinding(rule: rule, objections: objections, isObserved: false)
  }
}

extension ReachCheck {
  /// The networks by which a service sends: known by the address that it sends from, all of its own when it sends nothing.
  fileprivate func senders(in stack: DesiredStack, _ name: String) -> [String] {
    let own = stack.service(named: name)?.attachments ?? []
    let used = own.filter { attachment in
      probes.contains { $0.forecast.sender.map(attachment.addresses.contains) ?? false }
    }
    return (used.isEmpty ? own : used).map(\.network)
  }
}

extension PolicyPeer {
  /// An address of somebody outside who is meant; the one that stands for the internet is of TEST-NET-3 (RFC 5737).
  fileprivate var outsider: IPAddress? {
    switch self {
    case .internet: .v4(IPv4Address(bits: 0xCB00_71FE))
    case .range(let prefix): prefix.network
    default: nil
    }
  }
}

extension PortSelector {
  fileprivate init(_ port: ListeningPort) {
    self.init(port.port...port.port, port.transport == .tcp ? .tcp : .udp)
  }

  /// A packet that it covers.
  fileprivate var packet: PolicyPacket {
    switch transport {
    case .tcp: .tcp(first)
    case .udp: .udp(first)
    case .icmp: .icmp
    }
  }
}
