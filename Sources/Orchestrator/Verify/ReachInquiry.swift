import Addresses
import Intent
import Vocabulary

/// The questions of some checks, and the conclusions from the answers. Pure.
///
/// Beside the checks, it asks whether the host itself gets through where services are to get through.
struct ReachInquiry {
  private let stack: DesiredStack
  private let checks: [ReachCheck]
  private let nextHop: IPAddress?
  /// The traffic that is sent to the internet.
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
    checks.flatMap { check in
      check.probes.map { probe in
        var question = probe.question
        question.expectsAnswer = probe.forecast.isAllowed || !probe.forecast.isDecided
        return question
      }
    }
      + outward.compactMap { traffic in
        nextHop.map { ReachQuestion(source: ReachPeer.host.place, destination: $0, traffic: traffic) }
      }
  }

  /// - Parameters:
  ///   - answers: one to each of ``questions``.
  ///   - selection: whose lines of `expect:` are judged; nil for none.
  ///   - notes: further ones, for people.
  func verification(
    _ answers: [ReachAnswer], of matrix: ReachMatrix, judging selection: VerifySelection?, notes: [String] = [],
    duration: Duration
  ) -> Verification {
    var answers = answers[...]
    var findings = checks.map { check in
      defer { answers = answers.dropFirst(check.probes.count) }
      return ReachFinding(check: check, answers: Array(answers.prefix(check.probes.count)))
    }
    var notes = stack.interventions + notes
    for (traffic, answer) in zip(outward, answers) {
      let (count, reason) = leaveOut(traffic, answer, &findings)
      if count > 0 { notes.append("checks of internet \(traffic) left out: \(reason)") }
    }
    let expectations = selection.map { judge(findings, $0) } ?? []
    if selection?.expectationsAlone ?? false { findings = [] }
    findings.removeAll(where: \.isUndecided)
    let rows = Set(findings.map(\.check.source))
    let columns = Set(findings.map(\.check.column))
    return Verification(
      stack: stack.name, rows: matrix.rows.filter(rows.contains), columns: matrix.columns.filter(columns.contains),
      findings: findings, expectations: expectations, notes: notes, duration: duration)
  }

  private func judge(_ findings: [ReachFinding], _ selection: VerifySelection) -> [ExpectationFinding] {
    guard !stack.policy.expectations.isEmpty else { return [] }
    let judge = ExpectationJudge(stack, ExpectationMembers(stack))
    return stack.policy.expectations.compactMap { judge.judge($0, findings, isPart: !selection.only.isEmpty) }
  }

  /// Sets apart what cannot be found out about the way to the internet.
  ///
  /// - Parameter control: the answer that the host itself got.
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
      let statement = nextHop.map { control.statement(of: .host, $0) } ?? "the host has no default route"
      return (count, "\(statement) when the host itself asks")
    }
    // The firewall refuses TCP by a reset too.
    if case .tcp = traffic { setApart { $0.answers.contains(.refused(.port)) } }
    return (count, "a reset does not say whether it is of \(hop) or of the firewall")
  }
}

extension ReachAnswer {
  /// True if the packets got to a machine that is not ours.
  fileprivate var comesOut: Bool { isAnswered || self == .refused(.port) }
}
