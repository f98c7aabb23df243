import Vocabulary

/// A verification as people read it.
extension Verification {
  /// The form of a report: wide lines of plain text, or narrow columns for a terminal.
  package struct Style: Sendable {
    /// The terminal's width, in columns; nil where lines may be as long as they like.
    package var width: Int?
    /// True if cells are ✓, ✗ and · in narrow columns, in green and red.
    package var isTerminal = false
    package var isColored = false

    package init(width: Int? = nil, isTerminal: Bool = false, isColored: Bool = false) {
      self.width = width
      self.isTerminal = isTerminal
      self.isColored = isColored
    }
  }

  /// The matrix, a line for each line of `expect:`, what is wrong, and the last line: `0 wrong of 81`.
  package func text(_ style: Style = Style()) -> String {
    let table = VerificationTable(self, style).text
    let lines = style.isTerminal || findings.isEmpty ? expectationLines(style) : ""
    return ([table, lines] + complaints(style)).filter { !$0.isEmpty }.map { $0 + "\n" }.joined()
      + style.painted(summary, wrong + unasked == 0)
  }

  /// Check by check, with the reasons of both sides, and the same last line.
  package var details: String {
    (findings.map(\.details) + notesAsLines).joined(separator: "\n") + "\n" + summary
  }

  /// The wrong cells, the broken and untested lines, and the notes, in this order.
  private func complaints(_ style: Style) -> [String] {
    differences.map(\.complaint) + broken.map(\.complaint) + untested.map(\.complaint) + notesAsLines
  }

  private var notesAsLines: [String] { notes.map { "note: \($0)\n" } }

  private func expectationLines(_ style: Style) -> String {
    expectations.map { finding in
      let mark = style.painted(finding.isMet ? "✓" : "✗", finding.isMet)
      let note = finding.isObserved || finding.obstacle != nil ? "" : " (by the file alone)"
      return "\(mark) \(finding.place)\(finding.rule.line)\(note)\n"
    }.joined()
  }
}

extension Verification.Style {
  /// Green or red, in a terminal that has colours.
  func painted(_ text: String, _ isGood: Bool) -> String {
    isColored ? "\u{1B}[\(isGood ? 32 : 31)m\(text)\u{1B}[0m" : text
  }
}

extension ReachFinding {
  var complaint: String {
    // Only all answers together say which addresses are reached and which are not.
    let reasons = (isObservedInPart || isObservedApart ? [statements.joined(separator: ", ")] : complaints)
      .map { "  observed \(observed): \($0)\n" }.joined()
    return "wrong: \(check.name)\n\(prediction)\(reasons)"
  }

  /// A line for what is promised; one for each family where they differ.
  private var prediction: String {
    let verdicts = verdicts
    guard let first = verdicts.first else { return "" }
    if verdicts.allSatisfy({ ($0.isPredicted, $0.isDecided) == (first.isPredicted, first.isDecided) }) {
      return "  \(Self.words(first)): \(because)\n"
    }
    return verdicts.map { verdict in
      let reasons = check.probes.filter { $0.question.destination.isV4 == verdict.isV4 }.map(\.forecast.because)
        .uniqued()
      return "  \(Self.words(verdict)) by \(verdict.family): \(reasons.joined(separator: "; "))\n"
    }.joined()
  }

  private static func words(_ verdict: Verdict) -> String {
    verdict.isDecided ? "predicted \(verdict.isPredicted ? "yes" : "no")" : "not predicted"
  }

  private var observed: String {
    if isObservedInPart { return "in part" }
    guard isObservedApart else { return isObserved ? "yes" : "no" }
    return verdicts.map { "\($0.isObserved ? "yes" : "no") by \($0.family)" }.joined(separator: ", ")
  }

  /// True if one family comes through and the other does not.
  private var isObservedApart: Bool { Set(verdicts.map(\.isObserved)).count > 1 }

  /// The reasons of all its questions, each once.
  var because: String { check.probes.map(\.forecast.because).uniqued().joined(separator: "; ") }

  var details: String {
    "\(check.name)\n\(prediction)\(paths)  observed \(observed): \(statements.joined(separator: ", "))\n" + closedPorts
  }

  /// Hop by hop, one address after the other.
  private var paths: String {
    check.probes.filter { !$0.path.isEmpty }.map { probe in
      "  path to \(probe.question.destination):\n" + probe.path.map { "    \($0)\n" }.joined()
    }.joined()
  }

  /// A note for a check of one port: the packets arrive, but the service itself does not listen there.
  private var closedPorts: String {
    guard case .service(let name, _, _) = check.column.target else { return "" }
    let isOurs = answers.contains { answer in
      if case .answered(let arrival) = answer { arrival.witness == .listener } else { false }
    }
    return isOurs && check.column.traffic != .echo
      ? "  note: \(name) itself listens on nothing there: its \(check.column.traffic) is closed\n" : ""
  }
}

extension ExpectationFinding {
  /// Names the line: `wrong: web.stack:14, deny: cache -> db:5432 does not hold`.
  var complaint: String {
    if let obstacle { return "error: \(place)\(rule.line) cannot be tested\n  \(obstacle)\n" }
    let most = 5
    let shown = objections.prefix(most).map { "  \($0)\n" }.joined()
    let rest = objections.count > most ? "  and \(objections.count - most) more\n" : ""
    return "wrong: \(place)\(rule.line) does not hold\n\(shown)\(rest)"
  }

  var place: String { rule.declaredAt.map { "\($0), " } ?? "" }
}
