import Vocabulary

/// The findings of `verify`: a stack's promises beside the fate of packets.
package struct Verification: Sendable {
  /// The stack's name.
  let stack: String
  let rows: [ReachPeer]
  let columns: [ReachColumn]
  let findings: [ReachFinding]
  let expectations: [ExpectationFinding]
  /// Notes for the report: changes made by hand, and facts that could not be found out.
  package var notes: [String]
  /// The time that the probes took.
  let duration: Duration

  var differences: [ReachFinding] { findings.filter(\.isWrong) }
  /// Lines of `expect:` that do not hold.
  var broken: [ExpectationFinding] { expectations.filter { !$0.objections.isEmpty } }
  /// Lines of `expect:` that could not be tested.
  var untested: [ExpectationFinding] { expectations.filter { $0.obstacle != nil } }

  package var wrong: Int { differences.count + broken.count }
  /// The number of lines of `expect:` that could not be tested.
  package var unasked: Int { untested.count }
  package var total: Int { findings.count + expectations.count }

  /// `0 wrong of 81`
  package var summary: String {
    "\(wrong) wrong of \(total)" + (unasked == 0 ? "" : ", \(unasked) could not be tested")
  }

  /// The result of each cell and line, by its name. Two verifications agree if these are equal.
  package var observations: [String: Bool] {
    Dictionary(
      findings.flatMap { finding in finding.verdicts.map { ("\(finding.check.name) \($0.family)", $0.isObserved) } }
        + expectations.map { ("expect \($0.rule.line)", $0.isMet) }, uniquingKeysWith: { first, _ in first })
  }
}
