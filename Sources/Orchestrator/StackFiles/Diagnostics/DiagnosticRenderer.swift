/// Diagnostics as people read them: the place, what is wrong, the lines with what is meant underlined.
///
///     web.stack:6:16: error[E0102]: service "web1" joins undefined network "frnt"
///       6 │     networks: [frnt]
///         │                ^^^^ did you mean "front"?
///      11 │   front: {}
///         │   ----- "front" is declared here
package struct DiagnosticRenderer {
  /// With ANSI colours.
  package var isColored = false
  /// Longer lines are shown around what is underlined.
  var lineWidth = 120

  package init(isColored: Bool = false, lineWidth: Int = 120) {
    self.isColored = isColored
    self.lineWidth = lineWidth
  }

  package func render(_ diagnostics: [Diagnostic]) -> String {
    diagnostics.map(render).joined(separator: "\n")
  }

  /// Ends with a newline.
  func render(_ diagnostic: Diagnostic) -> String {
    let place = diagnostic.primary.map { "\($0.span)" } ?? diagnostic.path
    let color = color(of: diagnostic.severity)
    var lines = [
      paint("\(place):", .bold) + " " + paint("\(diagnostic.severity.rawValue)[\(diagnostic.code.rawValue)]:", color)
        + " " + paint(Self.printable(diagnostic.message), .bold)
    ]
    let excerpts = excerpts(of: diagnostic)
    let widest = excerpts.map { String($0.line).count }.max() ?? 0
    let gutter = 1 + max(2, widest)
    var file = diagnostic.primary?.span.file
    var isNumbered = false
    for excerpt in excerpts {
      if excerpt.file !== file {
        lines.append(String(repeating: " ", count: gutter) + paint(" ┌ \(excerpt.file.path):\(excerpt.line)", .blue))
        file = excerpt.file
      }
      lines += render(excerpt, gutter: gutter, color: color)
      isNumbered = true
    }
    let margin = isNumbered ? String(repeating: " ", count: gutter) + " " : "  "
    for help in diagnostic.help {
      lines.append(margin + paint("=", .blue) + " " + paint("help:", .bold) + " " + Self.printable(help))
    }
    return lines.map { $0 + "\n" }.joined()
  }

  // MARK: - Lines with their marks

  /// One line of source and the labels that begin on it.
  private struct Excerpt {
    var file: SourceFile
    var line: Int
    var labels: [(label: Diagnostic.Label, isPrimary: Bool)]
  }

  /// The primary's file first, then the others as they come; by line within a file.
  private func excerpts(of diagnostic: Diagnostic) -> [Excerpt] {
    var excerpts: [Excerpt] = []
    let labels = (diagnostic.primary.map { [($0, true)] } ?? []) + diagnostic.secondary.map { ($0, false) }
    for (label, isPrimary) in labels {
      let line = label.span.start.line
      if let place = excerpts.firstIndex(where: { $0.file === label.span.file && $0.line == line }) {
        excerpts[place].labels.append((label, isPrimary))
      } else {
        excerpts.append(Excerpt(file: label.span.file, line: line, labels: [(label, isPrimary)]))
      }
    }
    var files: [ObjectIdentifier] = []
    for excerpt in excerpts where !files.contains(ObjectIdentifier(excerpt.file)) {
      files.append(ObjectIdentifier(excerpt.file))
    }
    return files.flatMap { file in
      excerpts.filter { ObjectIdentifier($0.file) == file }.sorted { $0.line < $1.line }
    }
  }

  private func render(_ excerpt: Excerpt, gutter: Int, color: Style) -> [String] {
    let number = String(excerpt.line)
    let range = excerpt.file.range(ofLine: excerpt.line)
    let text = DisplayText(line: range, of: excerpt.file)
    let labels = excerpt.labels.map { item in
      (text.columns(of: item.label.span.range.clamped(to: range)), item.label.text, item.isPrimary)
    }
    let window = window(on: text, around: labels.map(\.0.start).min() ?? 0)
    let shown = text.text(columns: window)
    let head = window.lowerBound > 0 ? "…" : ""
    let tail = window.upperBound < text.width ? "…" : ""
    let indent = String(repeating: " ", count: gutter - number.count)
    var lines = [indent + paint("\(number) │", .blue) + Self.trimmed(" " + head + shown + tail)]
    for (columns, label, isPrimary) in labels {
      let start = columns.start - window.lowerBound + head.count
      guard start >= 0, columns.start < window.upperBound || columns.width <= 1 else { continue }
      let width = max(1, min(columns.width, window.upperBound - columns.start))
      let mark = String(repeating: isPrimary ? "^" : "-", count: width)
      let words = label.isEmpty ? mark : "\(mark) \(Self.printable(label))"
      lines.append(
        String(repeating: " ", count: gutter) + paint(" │", .blue) + " " + String(repeating: " ", count: start)
          + paint(words, isPrimary ? color : .blue))
    }
    return lines
  }

  /// The columns to show of a line.
  private func window(on text: DisplayText, around column: Int) -> Range<Int> {
    let width = text.width
    guard width > lineWidth else { return 0..<width }
    let start = max(0, min(column - lineWidth / 3, width - lineWidth))
    return start..<start + lineWidth
  }

  private static func trimmed(_ text: String) -> String {
    var text = text
    while text.last == " " { text.removeLast() }
    return text
  }

  /// Names from a file may hold anything: nothing of it may drive the terminal.
  private static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
    return text.unicodeScalars.map { scalar in
      scalar.properties.generalCategory == .control ? scalar.escaped(asASCII: true) : String(scalar)
    }.joined()
  }

  // MARK: - Colours

  private enum Style: String {
    case bold = "1"
    case red = "1;31"
    case yellow = "1;33"
    case cyan = "1;36"
    case blue = "34"
  }

  private func color(of severity: Diagnostic.Severity) -> Style {
    switch severity {
    case .error: .red
    case .warning: .yellow
    case .note: .cyan
    }
  }

  private func paint(_ text: String, _ style: Style) -> String {
    isColored ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
  }
}
