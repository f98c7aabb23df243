import Vocabulary

/// The matrix of a verification: a row for each source, a column for each destination.
struct VerificationTable {
  private let rows: [ReachPeer]
  private let columns: [ReachColumn]
  private let style: Verification.Style
  private var cells: [ReachPeer: [ReachColumn: ReachFinding]] = [:]

  /// A cell as it is shown, with what paints it.
  private struct Cell {
    var text: String
    /// nil where nothing is good or bad about it.
    var isGood: Bool?
  }

  init(_ verification: Verification, _ style: Verification.Style) {
    (rows, columns, self.style) = (verification.rows, verification.columns, style)
    for finding in verification.findings { cells[finding.check.source, default: [:]][finding.check.column] = finding }
  }

  /// As many columns side by side as there is room for, and the others below. Empty when it would be a wall of text.
  var text: String {
    guard !columns.isEmpty else { return "" }
    return style.isTerminal ? narrow : wide
  }

  // MARK: Plain text

  private var wide: String {
    let stub = max(4, rows.map { "\($0)".count }.max() ?? 0)
    let blocks = Self.blocks(columns.map { max(4, $0.label.count) + 2 }, width: style.width.map { $0 - stub })
    guard blocks.count <= Self.mostBlocks else { return tooWide }
    return blocks.map { block in
      let shown = columns[block]
      let head = [Cell(text: "")] + shown.map { Cell(text: $0.label) }
      return aligned(
        [head]
          + rows.map { row in
            [Cell(text: "\(row)")] + shown.map { cells[row]?[$0].map(Self.words) ?? Cell(text: "-") }
          }, least: 4, gap: 2)
    }.joined(separator: "\n")
  }

  private var tooWide: String {
    "\(rows.count) rows and \(columns.count) columns are too wide to show here: --only a,b shows a part\n"
  }

  /// `yes` and `no` where all is as predicted; `!yes`, `!no` where it is not; `~yes` where nothing was. Where the families
  /// differ, IPv4 stands before IPv6: `yes/no`.
  private static func words(_ finding: ReachFinding) -> Cell {
    let words = { (isObserved: Bool) in isObserved ? "yes" : "no" }
    let sign = finding.isWrong ? "!" : finding.isDecided ? "" : "~"
    let isAgreed = finding.verdict != nil || Set(finding.verdicts.map(\.isObserved)).count == 1
    let text =
      isAgreed ? words(finding.isObserved) : finding.verdicts.map { words($0.isObserved) }.joined(separator: "/")
    return Cell(text: sign + text, isGood: nil)
  }

  // MARK: Terminals

  /// Columns have numbers, and a list beside says what they are.
  private var narrow: String {
    let stub = max(4, rows.map { "\($0)".count }.max() ?? 0)
    let widths = columns.indices.map { "\($0 + 1)".count + 1 }
    let blocks = Self.blocks(widths, width: style.width.map { $0 - stub - 1 })
    guard blocks.count <= Self.mostBlocks else { return tooWide }
    let legend = columns.enumerated().map { "\($0 + 1) \($1.label)" }
    let tables = blocks.map { block in
      let shown = columns[block]
      let head = [Cell(text: "")] + block.map { Cell(text: "\($0 + 1)") }
      return aligned(
        [head]
          + rows.map { row in
            [Cell(text: "\(row)")] + shown.map { cells[row]?[$0].map(Self.mark) ?? Cell(text: "·") }
          }, least: 1, gap: 1)
    }
    return Self.wrapped(legend, width: style.width ?? 80) + "\n" + tables.joined(separator: "\n")
  }

  /// ✓ and ✗ for what comes through; red where that is not as predicted.
  private static func mark(_ finding: ReachFinding) -> Cell {
    let mark = { (isObserved: Bool) in isObserved ? "✓" : "✗" }
    let seen = finding.verdicts.map(\.isObserved)
    let text = Set(seen).count == 1 ? mark(finding.isObserved) : seen.map(mark).joined()
    return Cell(text: text, isGood: finding.isDecided ? !finding.isWrong : nil)
  }

  private static func wrapped(_ words: [String], width: Int) -> String {
    var lines = [""]
    for word in words {
      let line = lines[lines.count - 1]
      if !line.isEmpty, line.count + 2 + word.count > width {
        lines.append(word)
      } else {
        lines[lines.count - 1] = line.isEmpty ? word : "\(line)  \(word)"
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  // MARK: Both

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

  private func aligned(_ rows: [[Cell]], least: Int, gap: Int) -> String {
    let count = rows.first?.count ?? 0
    let widths = (0..<count).map { column in
      max(column == 0 ? 4 : least, rows.map { $0[column].text.count }.max() ?? 0)
    }
    let space = String(repeating: " ", count: gap)
    return rows.map { row in
      var line = ""
      // Blanks are added only before the next cell, so no line ends with blanks.
      var blanks = ""
      for (cell, width) in zip(row, widths) {
        if !cell.text.isEmpty {
          line += blanks + (cell.isGood.map { style.painted(cell.text, $0) } ?? cell.text)
          blanks = ""
        }
        blanks += String(repeating: " ", count: width - cell.text.count) + space
      }
      return line + "\n"
    }.joined()
  }
}
