import Addresses
import Intent
import Kernel
import Loop
import Vocabulary

/// Puts a stack's checks to the network.
package struct Verifier {
  package let stack: DesiredStack
  package let prober: ReachProber
  package let nextHop: IPAddress?
  /// What was changed by hand, and what differs from the file, for people.
  package let notes: [String]
  /// Who may answer for an address of the stack in its place, for people: who the host's routes lead to.
  package var impostor: (IPAddress) -> String? = { _ in nil }

  package init(stack: DesiredStack, prober: ReachProber, nextHop: IPAddress?, notes: [String] = []) {
    self.stack = stack
    self.prober = prober
    self.nextHop = nextHop
    self.notes = notes
  }

  /// What is asked of a stack: the cells that a selection means.
  package static func checks(_ matrix: ReachMatrix, _ selection: VerifySelection, of stack: DesiredStack)
    -> [ReachCheck]
  {
    let scope = VerifyScope(selection, of: stack, ExpectationMembers(stack))
    return matrix.checks(where: scope.contains)
  }

  /// Asks everything at once, and beside it whether the host itself comes as far as the services are to come.
  ///
  /// - Parameter selection: whose lines of `expect:` are looked at; nil for none.
  package func ask(
    _ checks: [ReachCheck], of matrix: ReachMatrix, judging selection: VerifySelection?
  ) throws(KernelError) -> Verification {
    let began = EventLoop.Instant.now
    let outward = checks.filter { $0.column.target == .internet }.map(\.column.traffic).uniqued()
    let controls = outward.compactMap { traffic in
      nextHop.map { ReachQuestion(source: ReachPeer.host.place, destination: $0, traffic: traffic) }
    }
    let questions = checks.flatMap { $0.probes.map(\.question) } + controls
    var answers = zip(questions, try prober.ask(questions)).map { exposed($1, to: $0) }[...]
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
      findings: findings, expectations: expectations, notes: notes,
      duration: began.duration(to: .now))
  }

  /// Names who answered in another's place.
  private func exposed(_ answer: ReachAnswer, to question: ReachQuestion) -> ReachAnswer {
    guard case .answered(var arrival) = answer, arrival.witness == .stranger else { return answer }
    arrival.impostor = impostor(question.destination)
    return .answered(arrival)
  }

  private func judge(_ findings: [ReachFinding], _ selection: VerifySelection) -> [ExpectationFinding] {
    guard !stack.policy.expectations.isEmpty else { return [] }
    let judge = ExpectationJudge(stack, ExpectationMembers(stack))
    return stack.policy.expectations.compactMap { judge.judge($0, findings, isPart: !selection.only.isEmpty) }
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
      let statement = nextHop.map { control.statement(of: .host, $0) } ?? "the host has no default route"
      return (count, "\(statement) when the host itself asks")
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
  /// Whether the packets came as far as a machine that is not ours.
  fileprivate var comesOut: Bool { isAnswered || self == .refused(.port) }
}
