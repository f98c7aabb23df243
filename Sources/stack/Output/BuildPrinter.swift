import BuildExecutor
import FoundationEssentials
import Glibc
import Kernel
import Synchronization

/// Shows how an image is built: in a terminal a line for each step under way, which rewrites itself; elsewhere plain lines.
final class BuildPrinter: Sendable {
  enum Style: Sendable { case tty, plain, json, quiet }

  private let style: Style
  /// True if lines say which image they are about: several are built at once.
  private let namesImages: Bool
  private let state = Mutex(State())

  private struct State {
    /// Steps under way, in the order in which they began.
    var active: [Active] = []
    var height = 0
  }

  private struct Active {
    var image: String
    var step: BuildStep
    var began: Double
    var line = ""
  }

  init(_ style: Style, namesImages: Bool = false) { (self.style, self.namesImages) = (style, namesImages) }

  static func style(_ progress: ProgressOptions.Style) -> Style {
    switch progress {
    case .auto: isatty(STDERR_FILENO) == 1 ? .tty : .plain
    case .tty: .tty
    case .plain: .plain
    case .json: .json
    case .quiet: .quiet
    }
  }

  func show(_ event: BuildEvent) {
    switch style {
    case .quiet: if case .note(let text) = event.kind, text.hasPrefix("warning: ") { standardError("", text) }
    case .json: standardError("", BuildEventJSON(event).lineOfText)
    case .plain: if let text = plain(event) { standardError("", text) }
    case .tty: state.withLock { show(event, &$0) }
    }
  }

  /// `[build 2/5]`, or `[web build 2/5]` where several images are built.
  private func head(_ image: String, _ step: BuildStep) -> String {
    let latest = ":latest"
    let name = image.hasSuffix(latest) ? String(image.dropLast(latest.count)) : image
    return "[\(namesImages ? "\(name) " : "")\(step.stage) \(step.number)/\(step.count)]"
  }

  private func title(_ image: String, _ step: BuildStep) -> String { "\(head(image, step)) \(step.text)" }

  private func plain(_ event: BuildEvent) -> String? {
    guard let step = event.step else {
      if case .note(let text) = event.kind { return namesImages ? "\(event.image): \(text)" : text }
      return nil
    }
    let head = head(event.image, step)
    return switch event.kind {
    case .began(let reason): "\(head) \(step.text)\(reason.map { " (\($0))" } ?? "")"
    case .planned(let reason): "\(head) \(step.text): to be done\(reason.map { ", since \($0)" } ?? "")"
    case .cached: "\(head) \(step.text): cached"
    case .output(let line): "\(head)   \(line)"
    case .ended(let seconds): "\(head) done in \(Self.text(seconds))"
    case .failed(let seconds): "\(head) failed after \(Self.text(seconds))"
    case .stopped(let seconds): "\(head) stopped after \(Self.text(seconds))"
    case .note(let text): text
    }
  }

  /// `0.1 s`, `2 min 5 s`
  private static func text(_ seconds: Double) -> String {
    guard seconds >= 60 else { return "\((seconds * 10).rounded() / 10) s" }
    return "\(Int(seconds) / 60) min \(Int(seconds) % 60) s"
  }

  // MARK: Terminal

  private func show(_ event: BuildEvent, _ state: inout State) {
    guard let step = event.step else {
      if case .note(let text) = event.kind { write(erasing(&state) + VisibleText.lines(plain(event) ?? text) + "\n") }
      return draw(&state)
    }
    let place = state.active.firstIndex { $0.image == event.image && $0.step == step }
    switch event.kind {
    case .began(_): state.active.append(Active(image: event.image, step: step, began: Self.now))
    case .output(let line):
      if let place { state.active[place].line = line }
      // Drawn by the clock: a step may write thousands of lines a second.
      return
    case .cached:
      if let place { state.active.remove(at: place) }
      write(erasing(&state) + fitted("   cached  \(title(event.image, step))") + "\n")
    case .ended(let seconds), .failed(let seconds), .stopped(let seconds):
      if let place { state.active.remove(at: place) }
      let title = title(event.image, step)
      let end =
        switch event.kind {
        case .failed: ": failed"
        case .stopped: ": stopped"
        default: ""
        }
      write(erasing(&state) + fitted("\(Self.padded(seconds))  \(title)\(end)") + "\n")
    case .planned(let reason):
      write(erasing(&state) + fitted("to be done  \(title(event.image, step))\(reason.map { ": \($0)" } ?? "")") + "\n")
    case .note: break
    }
    draw(&state)
  }

  /// Draws steps under way anew, with their seconds.
  func tick() {
    guard style == .tty else { return }
    state.withLock { draw(&$0) }
  }

  /// Leaves the terminal as it was.
  func end() {
    guard style == .tty else { return }
    state.withLock { state in
      write(erasing(&state))
      state.active = []
    }
  }

  private func erasing(_ state: inout State) -> String {
    defer { state.height = 0 }
    return state.height > 0 ? "\u{1B}[\(state.height)A\r\u{1B}[J" : ""
  }

  private func draw(_ state: inout State) {
    let room = max(Terminal.height(of: STDERR_FILENO) - 2, 2)
    var lines: [String] = []
    for step in state.active.suffix(room / 2) {
      lines.append(fitted("\(Self.padded(Self.now - step.began))  \(title(step.image, step.step))"))
      if !step.line.isEmpty { lines.append(fitted("           \(step.line)")) }
    }
    let text = erasing(&state) + lines.map { "\($0)\n" }.joined()
    state.height = lines.count
    if !text.isEmpty { write(text) }
  }

  private static func padded(_ seconds: Double) -> String {
    let text = text(seconds)
    return String(repeating: " ", count: max(9 - text.count, 0)) + text
  }

  private func fitted(_ text: String) -> String {
    String(VisibleText.line(text).prefix(max(Terminal.width(of: STDERR_FILENO) - 1, 20)))
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// An event of a build as an object on a line.
private struct BuildEventJSON: Encodable {
  var image: String
  var stage: String?
  var step: Int?
  var steps: Int?
  var text: String?
  var place: String?
  var event: String
  var line: String?
  var seconds: Double?

  init(_ event: BuildEvent) {
    image = event.image
    (stage, step, steps) = (event.step?.stage, event.step?.number, event.step?.count)
    (text, place) = (event.step?.text, event.step?.place)
    switch event.kind {
    case .began(let reason): (self.event, self.line) = ("began", reason)
    case .planned(let reason): (self.event, self.line) = ("planned", reason)
    case .cached: self.event = "cached"
    case .output(let line): (self.event, self.line) = ("output", line)
    case .ended(let seconds): (self.event, self.seconds) = ("ended", seconds)
    case .failed(let seconds): (self.event, self.seconds) = ("failed", seconds)
    case .stopped(let seconds): (self.event, self.seconds) = ("stopped", seconds)
    case .note(let line): (self.event, self.line) = ("note", line)
    }
  }

  var lineOfText: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Texts and numbers can always be encoded.
    return (try? encoder.encode(self)).map { VisibleText.json(String(decoding: $0, as: UTF8.self)) } ?? ""
  }
}
