import StackFiles

/// The fate of each key of a stack file.
package struct ExportReport: Sendable {
  package enum Outcome: String, Sendable, Comparable, CaseIterable {
    case kept, changed, lost
    /// Nothing was exported because of it.
    case refused

    package static func < (left: Outcome, right: Outcome) -> Bool {
      (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }
  }

  package struct Row: Sendable {
    /// `services.web.ports`
    package var key: String
    /// `web.stack:9`
    package var place: String
    package var outcome: Outcome
    /// How, or why.
    package var text: String
    package var remedy: String?

    /// The number of its line, which orders the rows of one file.
    fileprivate var line: Int { place.split(separator: ":").last.flatMap { Int($0) } ?? 0 }
  }

  package var target: ExportTarget
  package var stack: String
  package var rows: [Row]

  package func count(_ outcome: Outcome) -> Int { rows.count { $0.outcome == outcome } }
  package var isRefused: Bool { rows.contains { $0.outcome == .refused } }
  package var isWhole: Bool { !rows.contains { $0.outcome >= .lost } }

  /// `31 kept, 4 changed, 2 lost`
  package var summary: String {
    Outcome.allCases.filter { $0 != .refused || isRefused }.map { "\(count($0)) \($0.rawValue)" }
      .joined(separator: ", ")
  }
}

/// The engine that an export is for.
package enum ExportTarget: String, Sendable, CaseIterable {
  case kubernetes, swarm
}

// MARK: - Text and JSON

extension ExportReport {
  /// A table. What is lost or changed first, then what is kept, each in the order of the file.
  ///
  /// - Parameter width: columns of the terminal; nil for none.
  package func text(width: Int? = nil) -> String {
    let ordered = rows.enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }.map(
      \.element)
    let sorted = Outcome.allCases.reversed().flatMap { outcome in ordered.filter { $0.outcome == outcome } }
    let heads = sorted.map { [$0.outcome.rawValue.uppercased(), $0.place, $0.key] }
    let widths = (0..<3).map { column in heads.map { $0[column].count }.max() ?? 0 }
    let indent = widths.reduce(0) { $0 + $1 + 2 }
    var lines: [String] = []
    for (row, head) in zip(sorted, heads) {
      let start = zip(head, widths).map { $0 + String(repeating: " ", count: $1 - $0.count + 2) }.joined()
      let words = row.text + (row.remedy.map { "; \($0)" } ?? "")
      // A narrow terminal has the words on a line of their own.
      let room = width.map { $0 - indent } ?? .max
      if room < 30 {
        lines.append(start.trimmingEnd)
        lines += Self.wrapped(words, to: (width ?? 80) - 4).map { "    \($0)" }
      } else {
        let parts = Self.wrapped(words, to: room)
        lines.append((start + (parts.first ?? "")).trimmingEnd)
        lines += parts.dropFirst().map { String(repeating: " ", count: indent) + $0 }
      }
    }
    return (lines + ["\(stack) for \(target.title): \(summary)"]).joined(separator: "\n") + "\n"
  }

  private static func wrapped(_ text: String, to width: Int) -> [String] {
    var lines = [""]
    for word in text.split(separator: " ") {
      let line = lines[lines.count - 1]
      if !line.isEmpty, line.count + 1 + word.count > width {
        lines.append(String(word))
      } else {
        lines[lines.count - 1] = line.isEmpty ? String(word) : "\(line) \(word)"
      }
    }
    return lines
  }

  package var json: String {
    OutputValue.mapping([
      "stack": .text(stack), "target": .text(target.rawValue),
      "kept": .number(count(.kept)), "changed": .number(count(.changed)), "lost": .number(count(.lost)),
      "refused": .number(count(.refused)),
      "keys": .list(
        rows.map { row in
          .mapping([
            "key": .text(row.key), "place": .text(row.place), "outcome": .text(row.outcome.rawValue),
            "text": .text(row.text), "remedy": row.remedy.map { .text($0) },
          ])
        }),
    ]).prettyJSON + "\n"
  }
}

extension ExportTarget {
  package var title: String {
    switch self {
    case .kubernetes: "Kubernetes"
    case .swarm: "Swarm"
    }
  }
}

extension String {
  fileprivate var trimmingEnd: String {
    var text = self[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
