import Addresses
import Intent
import Vocabulary

/// The questions of some checks, and what follows from the answers. Pure.
///
/// Beside the checks, it asks whether the host itself comes as far as the services are to come.
struct ReachInquiry {
  private let stack: DesiredStack
  private let checks: [ReachCheck]
  private let nextHop: IPAddress?
  /// What is sent to the internet.
  private let outward: [Traffic]

  init(_ stack: DesiredStack, _ checks: [ReachCheck], nextHop: IPAddress?) {
    self.stack = stack
    self.checks = checks
    self.nextHop = nextHop
    outward =
      nextHop == nil
      ? [] : checks.filter { $0.column.target == .internet }.map(\.column.traffic).uniqued()
  }

  /// Those of the checks, in order, then those that the host asks.
  var questions: [ReachQuestion] {
    checks.flatMap { $0.probes.map(\.question) }
      + outward.compactMap { traffic in
        nextHop.map { ReachQuestion(source: ReachPeer.host.place, destination: $0, traffic: traffic) }
      }
  }

  /// - Parameters:
  ///   - answers: one to each of ``questions``.
  ///   - judging: whether the lines of `expect:` are looked at.
  func verification(
    _ answers: [ReachAnswer], rows: [ReachPeer], _ columns: [ReachColumn], judging: Bool, duration: Duration
  ) -> Verification {
    var answers = answers[...]
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
    let expectations = judging ? stack.policy.expectations.compactMap { judge.judge($0, findings) } : []
    findings.removeAll(where: \.isUndecided)
    let rowsLeft = Set(findings.map(\.check.source))
    let columnsLeft = Set(findings.map(\.check.column))
    return Verification(
      stack: stack.name, rows: rows.filter(rowsLeft.contains), columns: columns.filter(columnsLeft.contains),
      findings: findings, expectations: expectations, notes: notes, duration: duration)
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

extension ReachAnswer {
  /// Whether the packets came as far as a machine that is not ours.
  fileprivate var comesOut: Bool { isAnswered || self == .refused(.port) }
}
