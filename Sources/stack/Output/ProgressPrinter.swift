import Kernel
import Vocabulary
import Glibc
import Orchestrator
import Planning
import Supervision

/// Shows what happens while a stack changes: a line that rewrites itself in a terminal, plain lines elsewhere.
final class ProgressPrinter {
  private let style: ProgressOptions.Style
  private let stack: String
  private var states: [String: String] = [:]
  private var hasLine = false

  init(_ options: ProgressOptions, stack: String) {
    style =
      options.progress == .auto ? (isatty(STDERR_FILENO) == 1 ? .tty : .plain) : options.progress
    self.stack = stack
  }

  func show(_ event: OperationEvent) {
    switch (style, event.kind) {
    case (.quiet, .warning), (.plain, .warning), (.auto, .warning): standardError("", "warning: \(event.text)")
    case (.quiet, _): break
    case (.json, _): standardError("", event.jsonLine)
    case (.tty, .warning):
      clearLine()
      standardError("", "warning: \(event.text)")
    case (.tty, .plan):
      for change in event.changes { states[change.service] = change.text }
      redraw(event)
    case (.tty, _):
      if let service = event.service { states[service] = event.text }
      redraw(event)
    case (_, .plan): standardError("", event.changes.map { "\(stack)/\($0.service): \($0.text)" })
    case (_, .progress): break
    case (_, .service): standardError("", ["\(stack)/\(event.service ?? ""): \(event.text)"])
    default: break
    }
  }

  /// Something to be said at the end, on standard output.
  func say(_ text: String) {
    if style == .tty || style == .plain { print(text) }
  }

  /// Leaves the terminal as it was.
  func end() {
    clearLine()
  }

  private func redraw(_ event: OperationEvent) {
    let counts = Dictionary(grouping: states.values, by: \.self).map { "\($0.value.count) \($0.key)" }.sorted()
    let width = Terminal.width(of: STDERR_FILENO)
    let text = "\(stack): \(counts.joined(separator: ", ")) \u{2014} \(event.service ?? "") \(event.text)"
    write("\r\u{1B}[K\(VisibleText.line(text).prefix(max(width - 1, 20)))")
    hasLine = true
  }

  private func clearLine() {
    guard hasLine else { return }
    write("\r\u{1B}[K")
    hasLine = false
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
