import Vocabulary

/// A verification as people read it.
extension Verification {
  /// The matrix, what is wrong, and the last line: `0 wrong of 81`.
  ///
  /// - Parameter width: the terminal's, in columns; nil where lines may be as long as they like.
  package func text(width: Int?) -> String {
    ([matrix(width: width)] + complaints).filter { !$0.isEmpty }.map { $0 + "\n" }.joined() + summary
  }

  /// Check by check, with the reasons of both sides, and the same last line.
  package var details: String {
    (findings.map(\.details) + notesAsLines).joined(separator: "\n") + "\n" + summary
  }

  /// The lines below the matrix: wrong findings, then notes.
  private var complaints: [String] {
    differences.map(\.complaint) + broken.map(\.complaint) + notesAsLines
  }

  private var notesAsLines: [String] { notes.map { "note: \($0)\n" } }

  // MARK: The matrix

  /// As many columns side by side as there is room for, and the others below. Empty when it would be a wall of text.
  private func matrix(width: Int?) -> String {
    var cells: [ReachPeer: [ReachColumn: ReachFinding]] = [:]
    for finding in findings { cells[finding.check.source, default: [:]][finding.check.column] = finding }
    let stub = max(4, rows.map { "\($0)".count }.max() ?? 0)
    let blocks = Self.blocks(columns.map { max(4, $0.label.count) + 2 }, width: width.map { $0 - stub })
    guard blocks.count <= Self.mostBlocks else {
      return "\(rows.count) rows and \(columns.count) columns are too wide to show here: --only a,b shows a part\n"
    }
    return blocks.map { block in
      let shown = columns[block]
      let head = [""] + shown.map(\.label)
      return Self.aligned(
        [head] + rows.map { row in ["\(row)"] + shown.map { cells[row]?[$0]?.cell ?? "-" } }, stub: stub)
    }.joined(separator: "\n")
  }

  private static let mostBlocks = 6

  /// Runs of columns that fit the width; at least one in each.
  private static func blocks(_ widths: [Int], width: Int?) -> [Range<Int>] {
    guard let width else { return widths.isEmpty ? [] : [widths.indices] }
    var blocks: [Range<Int>] = []
    var (start, used) = (0, 0)
    for (index, column) in widths.enumerated() {
      if index > start, used + column > width {
        blocks.append(start..<index)
        (start, used) = (index, 0)
      }
      used += column
    }
    if start < widths.count { blocks.append(start..<widths.count) }
    return blocks
  }

  private static func aligned(_ rows: [[String]], stub: Int) -> String {
    let count = rows.first?.count ?? 0
    let widths = (0..<count).map { column in
      column == 0 ? stub : max(4, rows.map { $0[column].count }.max() ?? 0)
    }
    return rows.map { row in
      let line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
      return line.trimmingTrailingSpaces + "\n"
    }.joined()
  }
}

extension ReachFinding {
  /// `yes` and `no` where all is as predicted; `!yes`, `!no` where it is not.
  var cell: String { (isWrong ? "!" : "") + (isObserved ? "yes" : "no") }

  var complaint: String {
    // Only all answers together say which addresses are reached and which are not.
    let reasons = (isObservedInPart ? [statements.joined(separator: ", ")] : complaints)
      .map { "  observed \(observed): \($0)\n" }.joined()
    return "wrong: \(check.name)\n  predicted \(isPredicted ? "yes" : "no"): \(because)\n\(reasons)"
  }

  private var observed: String { isObservedInPart ? "in part" : isObserved ? "yes" : "no" }

  /// The reasons of all its questions, each once.
  var because: String { check.probes.map(\.forecast.because).uniqued().joined(separator: "; ") }

  var details: String {
    """
    \(check.name)
      predicted \(isPredicted ? "yes" : "no"): \(because)
      observed \(observed): \(statements.joined(separator: ", "))

    """
  }
}

extension ExpectationFinding {
  /// Names the line: `wrong: web.stack:14, deny: cache -> db:5432 does not hold`.
  var complaint: String {
    let most = 5
    let shown = objections.prefix(most).map { "  \($0)\n" }.joined()
    let rest = objections.count > most ? "  and \(objections.count - most) more\n" : ""
    return "wrong: \(place)\(rule.line) does not hold\n\(shown)\(rest)"
  }

  var place: String { rule.declaredAt.map { "\($0), " } ?? "" }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
