import Vocabulary

/// The findings of `verify`: a stack's promises beside the fate of packets.
package struct Verification: Sendable {
  /// The stack's name.
  let stack: String
  let rows: [ReachPeer]
  let columns: [ReachColumn]
  let findings: [ReachFinding]
  let expectations: [ExpectationFinding]
  /// What was changed by hand and what could not be found out, for people.
  package let notes: [String]
  /// How long the probes took.
  let duration: Duration

  var differences: [ReachFinding] { findings.filter(\.isWrong) }
  /// Lines that do not hold.
  var broken: [ExpectationFinding] { expectations.filter { !$0.objections.isEmpty } }
  /// Lines that nothing could be found out about.
  var untested: [ExpectationFinding] { expectations.filter { $0.obstacle != nil } }

  package var wrong: Int { differences.count + broken.count }
  /// How many lines of `expect:` could not be tested.
  package var unasked: Int { untested.count }
  package var total: Int { findings.count + expectations.count }

  /// `0 wrong of 81`
  package var summary: String {
    "\(wrong) wrong of \(total)" + (unasked == 0 ? "" : ", \(unasked) could not be tested")
  }

  /// What was seen of each cell and line, for comparison with another look.
  package var observations: [String: Bool] {
    Dictionary(
      findings.flatMap { finding in finding.verdicts.map { ("\(finding.check.name) \($0.family)", $0.isObserved) } }
        + expectations.map { ("expect \($0.rule.line)", $0.isMet) }, uniquingKeysWith: { first, _ in first })
  }
}
