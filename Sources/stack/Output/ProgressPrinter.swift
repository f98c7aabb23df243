import Glibc
import Host
import Intent
import Kernel
import Orchestrator
import Planning
import Supervision
import Vocabulary

/// Shows what happens while a stack changes: lines that rewrite themselves in a terminal, plain lines elsewhere.
final class ProgressPrinter {
  private let style: ProgressOptions.Style
  private let stack: String
  private var board: ProgressBoard
  private var ticker: Ticker?
  private var lineCount = 0

  var errorStyle: ErrorStyle { style == .json ? .json : .text }

  init(_ options: ProgressOptions, stack: String, isQuiet: Bool = false) {
    let wanted = options.style
    style =
      isQuiet ? .quiet : wanted == .auto ? (Terminal.canMove(STDERR_FILENO) ? .tty : .plain) : wanted
    self.stack = stack
    board = ProgressBoard(stack: stack, folders: StateFolders())
  }

  func show(_ event: OperationEvent) {
    switch style {
    case .json: standardError("", event.jsonLine)
    case .quiet: if event.kind == .warning { warn(event.text) }
    case .tty: showLive(event)
    case .plain, .auto: showPlain(event)
    }
  }

  private func showLive(_ event: OperationEvent) {
    if event.kind == .warning {
      withCleanScreen { warn(event.text) }
      return
    }
    withBoard { $0.take(event) }
    if ticker == nil { ticker = Ticker { [weak self] in self?.tick() } }
    redraw()
  }

  private func showPlain(_ event: OperationEvent) {
    switch event.kind {
    case .warning: warn(event.text)
    case .plan:
      board.take(event)
      let lines = event.changes.map { "\(stack)/\($0.service): \($0.text)" }
      guard lines.count > ProgressBoard.mostPlainLines else { return standardError("", lines) }
      let kinds = Dictionary(grouping: event.changes, by: \.text).map { "\($0.value.count) \($0.key)" }.sorted()
      standardError("", "\(stack): \(kinds.joined(separator: ", "))")
    case .service:
      board.take(event)
      if let line = board.plainLine(event) { standardError("", line) }
    default: break
    }
  }

  /// A line about something that stops nothing.
  func warn(_ text: String) {
    if style == .json { return standardError("", OperationEvent(.warning, text: text).jsonLine) }
    let colour = Terminal.showsColour(STDERR_FILENO)
    guard colour else { return standardError("", "warning: \(text)") }
    writeError("\u{1B}[33mwarning:\u{1B}[0m \(VisibleText.lines(text))\n")
  }

  /// A line about what is done, for people.
  func note(_ text: String) {
    if style == .tty || style == .plain { standardError("", text) }
  }

  /// Something to be said at the end, on standard output.
  func say(_ text: String) {
    if style == .tty || style == .plain { print(text) }
  }

  /// Leaves the terminal as it was.
  func end() {
    ticker?.stop()
    ticker = nil
    clear()
  }

  // MARK: The terminal

  private func withBoard(_ body: (inout ProgressBoard) -> Void) {
    guard let ticker else { return body(&board) }
    ticker.alone { body(&board) }
  }

  private func withCleanScreen(_ body: () -> Void) {
    func act() {
      clear()
      body()
      draw()
    }
    if let ticker { ticker.alone(act) } else { act() }
  }

  private func redraw() {
    if let ticker { ticker.alone { draw() } } else { draw() }
  }

  /// Called by the ticker, alone.
  private func tick() { draw() }

  private func draw() {
    let width = max(Terminal.width(of: STDERR_FILENO) - 1, 20)
    let room = max(Terminal.height(of: STDERR_FILENO) - 1, 1)
    let lines = board.lines(room: min(room, 20), width: width, isColoured: Terminal.showsColour(STDERR_FILENO))
    let back = lineCount > 0 ? "\u{1B}[\(lineCount)A\r" : "\r"
    write(back + lines.map { "\u{1B}[K\($0)\n" }.joined() + "\u{1B}[J")
    lineCount = lines.count
  }

  private func clear() {
    guard lineCount > 0 else { return }
    write("\u{1B}[\(lineCount)A\r\u{1B}[J")
    lineCount = 0
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
