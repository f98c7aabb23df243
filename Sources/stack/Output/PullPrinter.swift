import Glibc
import ImageReference
import Images
import Kernel

/// Shows how an image comes: in a terminal a line for each layer, which rewrites itself; elsewhere a line for each image at its end.
final class PullPrinter {
  private let isQuiet: Bool
  private let isLive: Bool
  private var layers: [String: LayerProgress] = [:]
  /// Layers in the order in which they were first heard of.
  private var order: [String] = []
  private var notice: String?
  private var height = 0
  private var drawn = 0.0
  private static let pause = 0.1

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    isLive = !isQuiet && isatty(STDERR_FILENO) == 1
  }

  func show(_ event: PullEvent) {
    guard !isQuiet else { return }
    if case .retrying(let text) = event.state {
      let line = "\(event.image): \(text)"
      if !isLive, line != notice { standardError("", line) }
      notice = line
    }
    guard isLive else { return }
    if let name = event.layer {
      if layers[name] == nil { order.append(name) }
      layers[name, default: LayerProgress(name)].take(event, at: Self.now)
    }
    let isMoving = event.state == .downloading
    if isMoving { notice = nil }
    if !isMoving || Self.now - drawn >= Self.pause { draw() }
  }

  func finish(_ pull: ImageService.Pull, _ source: ImageSource) {
    end()
    guard !isQuiet else { return print(source) }
    print("\(source): \(pull.wasPresent ? "up to date" : "pulled") (\(pull.digest))")
  }

  /// Leaves the terminal as it was; the next image begins anew.
  func end() {
    if height > 0 { write("\u{1B}[\(height)A\r\u{1B}[J") }
    (layers, order, notice, height) = ([:], [], nil, 0)
  }

  private func draw() {
    drawn = Self.now
    let width = max(Terminal.width(of: STDERR_FILENO) - 1, 20)
    let room = max(Terminal.height(of: STDERR_FILENO) - 3, 3)
    var lines = order.compactMap { layers[$0] }
    var more: [String] = []
    if lines.count > room {
      let over = lines.count { $0.isOver }
      more = ["\(over) of \(lines.count) layers are here"]
      lines = Array(lines.filter { !$0.isOver }.prefix(room))
    }
    let texts = more + lines.map { $0.line(at: drawn) } + [notice].compactMap(\.self)
    let back = height > 0 ? "\u{1B}[\(height)A" : ""
    write("\(back)\r\u{1B}[J" + texts.map { "\(VisibleText.line($0).prefix(width))\n" }.joined())
    height = texts.count
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

/// One layer on its way.
struct LayerProgress {
  private let name: String
  private var state = PullEvent.State.waiting
  private var bytes: Int64 = 0
  private var size: Int64 = 0
  /// When it had how many bytes, over the last seconds.
  private var samples: [(time: Double, bytes: Int64)] = []
  private static let window = 5.0

  init(_ name: String) { self.name = name }

  var isOver: Bool { state == .done || state == .present }

  mutating func take(_ event: PullEvent, at time: Double) {
    (state, size) = (event.state, event.size)
    guard event.state == .downloading else { return }
    // A download that begins anew has no rate yet.
    if event.bytes < bytes { samples = [] }
    bytes = event.bytes
    samples.append((time, bytes))
    samples.removeAll { $0.time < time - Self.window }
  }

  /// Bytes in a second; nil while nobody can say.
  private func rate(at time: Double) -> Double? {
    guard let first = samples.first, let last = samples.last, time - first.time >= 0.5 else { return nil }
    return Double(last.bytes - first.bytes) / (time - first.time)
  }

  func line(at time: Double) -> String {
    let text: String
    switch state {
    case .waiting: text = "waiting for another pull"
    case .present: text = "already here"
    case .unpacking: text = "unpacking \(DecimalSize.text(size))"
    case .done: text = "done, \(DecimalSize.text(size))"
    case .retrying: text = "\(DecimalSize.text(bytes)) of \(DecimalSize.text(size)), waiting"
    case .downloading: text = downloading(at: time)
    }
    return "\(name)  \(text)"
  }

  private func downloading(at time: Double) -> String {
    let text = "\(DecimalSize.text(bytes)) of \(DecimalSize.text(size))"
    guard let rate = rate(at: time), rate > 0 else { return text }
    return "\(text), \(DecimalSize.text(Int64(rate)))/s, \(Self.duration(Double(size - bytes) / rate)) left"
  }

  /// `45 s`, `3 min`, `2 h`
  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<100: "\(Int(seconds.rounded(.up))) s"
    case ..<6000: "\(Int((seconds / 60).rounded())) min"
    default: "\(Int((min(seconds, 1e9) / 3600).rounded())) h"
    }
  }
}

/// Sizes as Docker shows them: powers of 1000, three digits.
enum DecimalSize {
  static func text(_ bytes: Int64) -> String {
    var (value, unit) = (Double(bytes), 0)
    let units = ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000, unit + 1 < units.count { (value, unit) = (value / 1000, unit + 1) }
    if unit == 0 || value >= 100 { return "\(Int64(value.rounded()))\(units[unit])" }
    let scale: Double = value >= 10 ? 10 : 100
    let rounded = (value * scale).rounded() / scale
    return "\(rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)")\(units[unit])"
  }
}
