import Addresses
import Intent
import Kernel
import Loop
import Vocabulary

/// The findings of `verify`: what a stack promises beside what packets do.
package struct Verification: Sendable {
  /// The stack's name.
  let stack: String
  let rows: [ReachPeer]
  let columns: [ReachColumn]
  let findings: [ReachFinding]
  let expectations: [ExpectationFinding]
  /// Notes for people: changes by hand, and questions without an answer.
  package let notes: [String]
  /// The time that the probes took.
  let duration: Duration

  var differences: [ReachFinding] { findings.filter(\.isWrong) }
  var broken: [ExpectationFinding] { expectations.filter { !$0.isMet } }

  package var wrong: Int { differences.count + broken.count }
  package var total: Int { findings.count + expectations.count }

  /// `0 wrong of 81`
  var summary: String { "\(wrong) wrong of \(total)" }
}

/// The part of a stack that is verified.
package struct VerifySelection: Sendable {
  /// Services, instances, `host` or `internet`: checks between two of them, or with the one that is named. Empty for all.
  package var only: [String] = []

  package init() {}

  func contains(_ check: ReachCheck, in stack: DesiredStack) -> Bool {
    guard !only.isEmpty else { return true }
    let destination: String =
      switch check.column.target {
      case .service(let name, _, _), .linked(let name, _, _), .published(_, let name): name
      case .host: "host"
      case .internet: "internet"
      }
    let (source, target) = (isNamed("\(check.source)", stack), isNamed(destination, stack))
    return only.count == 1 ? source || target : source && target
  }

  private func isNamed(_ name: String, _ stack: DesiredStack) -> Bool {
    only.contains(name) || stack.service(named: name).map { only.contains($0.service) } ?? false
  }
}

/// Puts a stack's checks to the network.
package struct Verifier {
  package let stack: DesiredStack
  package let prober: ReachProber
  package let nextHop: IPAddress?
  package let tracking: BridgeTracking

  package init(stack: DesiredStack, prober: ReachProber, nextHop: IPAddress?, tracking: BridgeTracking) {
    self.stack = stack
    self.prober = prober
    self.nextHop = nextHop
    self.tracking = tracking
  }

  package func verify(_ selection: VerifySelection) throws(KernelError) -> Verification {
    let matrix = ReachMatrix(stack, nextHop: nextHop, tracking: tracking)
    return try ask(matrix.checks().filter { selection.contains($0, in: stack) }, rows: matrix.rows, matrix.columns)
  }

  /// Asks everything at once, and beside it whether the host itself comes as far as the services are to come.
  ///
  /// - Parameter judging: whether the lines of `expect:` are looked at.
  package func ask(
    _ checks: [ReachCheck], rows: [ReachPeer], _ columns: [ReachColumn], judging: Bool = true
  ) throws(KernelError) -> Verification {
    let began = EventLoop.Instant.now
    let outward = checks.filter { $0.column.target == .internet }.map(\.column.traffic).uniqued()
    let controls = outward.compactMap { traffic in
      nextHop.map { ReachQuestion(source: ReachPeer.host.place, destination: $0, traffic: traffic) }
    }
    var answers = try prober.ask(checks.flatMap { $0.probes.map(\.question) } + controls)[...]
    var findings = checks.map { check in
      defer { answers = answers.dropFirst(check.probes.count) }
      return ReachFinding(check: check, answers: Array(answers.prefix(check.probes.count)))
    }
    var notes = stack.interventions
    for (traffic, answer) in zip(outward, answers) {
      let (count, reason) = leaveOut(traffic, answer, &findings)
      if count > 0 { notes.append("checks of internet \(traffic) left out: \(reason)") }
    }
    let judge = ExpectationJudge(stack)
    var expectations: [ExpectationFinding] = []
    for rule in judging ? stack.policy.expectations : [] {
      if let finding = judge.judge(rule, findings) { expectations.append(finding) }
    }
    findings.removeAll(where: \.isUndecided)
    let rowsLeft = Set(findings.map(\.check.source))
    let columnsLeft = Set(findings.map(\.check.column))
    return Verification(
      stack: stack.name, rows: rows.filter(rowsLeft.contains), columns: columns.filter(columnsLeft.contains),
      findings: findings, expectations: expectations, notes: notes,
      duration: began.duration(to: .now))
  }

  /// Sets apart what cannot be found out about the way to the internet.
  ///
  /// - Parameter control: what the host itself was answered.
  /// - Returns: how many were set apart, and why.
  private func leaveOut(
    _ traffic: Traffic, _ control: ReachAnswer, _ findings: inout [ReachFinding]
  ) -> (Int, String) {
    let hop = nextHop.map { "\($0)" } ?? ""
    var count = 0
    func setApart(_ isMeant: (ReachFinding) -> Bool) {
      for index in findings.indices
      where findings[index].check.column.target == .internet && findings[index].check.column.traffic == traffic
        && isMeant(findings[index])
      {
        findings[index].isUndecided = true
        count += 1
      }
    }
    guard control.comesOut else {
      setApart { _ in true }
      return (count, "\(hop) \(control.words) when the host itself asks")
    }
    // The firewall refuses TCP by a reset too.
    if case .tcp = traffic { setApart { $0.answers.contains(.refused(.port)) } }
    return (count, "a reset does not say whether it is of \(hop) or of the firewall")
  }
}

extension Traffic: CustomStringConvertible {
  package var description: String { self == .echo ? "icmp" : "\(transport) \(port)" }
}

extension ReachAnswer {
  /// True if the packets got to a machine that is not ours.
  fileprivate var comesOut: Bool { isAnswered || self == .refused(.port) }
}
