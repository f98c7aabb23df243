import Addresses
import Intent
import Rules
import Vocabulary

/// Compares the lines of `expect:` with what was found.
struct ExpectationJudge {
  private let stack: DesiredStack
  private let evaluator: PolicyEvaluator
  private let members: ExpectationMembers

  init(_ stack: DesiredStack, _ members: ExpectationMembers) {
    self.stack = stack
    self.members = members
    evaluator = PolicyEvaluator(stack)
  }

  /// - Parameter isPart: whether the findings are of a part of the stack, so that a line may be about the rest.
  /// - Returns: nil when the line is about nobody in that part.
  func judge(_ rule: PolicyRule, _ findings: [ReachFinding], isPart: Bool) -> ExpectationFinding? {
    let concerned = findings.compactMap { self.part(of: $0, for: rule) }
    guard !concerned.isEmpty else {
      if let judged = judgeByPrediction(rule) { return judged }
      guard !isPart else { return nil }
      return ExpectationFinding(rule: rule, objections: [], isObserved: false, obstacle: obstacle(rule))
    }
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

  /// The part of a finding that a line covers, since a range has one address family. Nil if it covers none of it.
  private func part(of finding: ReachFinding, for rule: PolicyRule) -> ReachFinding? {
    let check = finding.check
    guard members.concerns(rule, check.source, check.column) else { return nil }
    let places = check.probes.indices.filter { members.concerns(rule, check, check.probes[$0]) }
    if places.count == check.probes.count { return finding }
    return places.isEmpty ? nil : finding.narrowed(to: places)
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
      let column = finding.check.column
      let pair = Pair(
        source: finding.check.source, destination: column.target.service ?? column.label, traffic: column.traffic)
      if groups[pair] == nil { order.append(pair) }
      groups[pair, default: []].append(finding)
    }
    return order.compactMap { groups[$0] }
  }

  private static func objection(_ finding: ReachFinding) -> String {
    let answers = finding.check.probes.indices.map {
      "\(finding.statement(at: $0)); \(finding.check.probes[$0].forecast.because)"
    }
    return "\(finding.check.name): \(answers.joined(separator: "; "))"
  }

  // MARK: What cannot be probed

  /// From outside nobody of ours can send, and to an address outside nobody of ours answers: what the stack lets expect must do.
  private func judgeByPrediction(_ rule: PolicyRule) -> ExpectationFinding? {
    let (from, to) = (rule.sources.compactMap(members.outsider), rule.destinations.compactMap(members.outsider))
    var objections: [String] = []
    var count = 0
    func judge(_ name: String, _ port: PolicyPacket, _ decision: PolicyDecision) {
      count += 1
      guard decision.isAllowed != (rule.action == .allow) else { return }
      objections.append("\(name)\(port.suffix): \(decision)")
    }
    for service in stack.services {
      if rule.destinations.contains(where: { $0 == .any || members.names(of: $0).contains(service.name) }) {
        for packet in packets(rule, service) {
          let isPublished = service.ports.contains { Traffic($0.target).packet == packet }
          for address in from {
            judge(
              "\(address) -> \(service.name)", packet,
              evaluator.decision(
                from: .outside(address), to: .service(service.name), packet, isPublished: isPublished))
          }
        }
      }
      if rule.sources.contains(where: { $0 == .any || members.names(of: $0).contains(service.name) }) {
        for packet in rule.ports.isEmpty ? [.icmp] : rule.ports.map(\.packet) {
          for address in to {
            judge(
              "\(service.name) -> \(address)", packet,
              evaluator.decision(from: .service(service.name), to: .outside(address), packet))
          }
        }
      }
    }
    return count == 0 ? nil : ExpectationFinding(rule: rule, objections: objections, isObserved: false)
  }

  private func packets(_ rule: PolicyRule, _ service: DesiredService) -> [PolicyPacket] {
    guard rule.ports.isEmpty else { return rule.ports.map(\.packet) }
    let known = service.readyPorts.map { Traffic($0).packet }
    return known.isEmpty ? [.icmp] : known
  }

  /// The reason why a line without findings cannot be tested.
  private func obstacle(_ rule: PolicyRule) -> String {
    for peer in rule.sources + rule.destinations {
      let names = members.names(of: peer)
      if let reason = members.absence(of: peer) { return reason }
      let bare = names.filter { !members.hasAddress($0) }.sorted()
      if !names.isEmpty, bare.count == names.count {
        return
          "\(bare.joined(separator: ", ")) has no address that is known: it is on no network, and on no link with one"
      }
    }
    if let port = rule.ports.first {
      return "nothing is known to send to by \(port): name a port of the destination, as in b:53/udp"
    }
    return "no packet can be sent from the one to the other: they are the same, or no network has both their families"
  }
}

extension PortSelector {
  /// A packet that it covers.
  fileprivate var packet: PolicyPacket {
    switch transport {
    case .tcp: .tcp(first)
    case .udp: .udp(first)
    case .icmp: .icmp
    }
  }
}

extension PolicyPacket {
  /// `:5432`, `:53/udp`
  fileprivate var suffix: String {
    switch self {
    case .tcp(let port): ":\(port)"
    case .udp(let port): ":\(port)/udp"
    case .icmp: " icmp"
    case .other(let number): " protocol \(number)"
    }
  }
}
