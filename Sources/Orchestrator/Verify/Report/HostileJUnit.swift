/// The outcome of forged frames as JUnit writes it down: a test case for each kind, and one for each attacker that could not be asked.
extension HostileVerification {
  package var junit: String {
    let cases =
      kinds.map { kind in
        let complaints = findings.filter { $0.kind == kind.kind }.map(\.complaint)
        return Verification.testCase(
          "\(stack).hostile", "\(kind.kind.rawValue): \(kind.kind.title)",
          complaints.isEmpty ? nil : complaints.joined())
      } + unasked.map { Verification.testCase("\(stack).hostile", $0, "could not be asked: \($0)\n") }
    let failures = kinds.filter { $0.open > 0 }.count + unasked.count
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuite name="\(Verification.escaped(stack))" tests="\(cases.count)" failures="\(failures)" errors="0" \
      skipped="0" time="\((seconds * 1000).rounded() / 1000)">
      \(cases.joined())</testsuite>
      """
  }
}
