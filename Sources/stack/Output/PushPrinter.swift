import Glibc
import Images
import Kernel

/// Shows how an image goes: a line for each blob at its end, and in a terminal how far the one under way has come.
final class PushPrinter {
  private let isQuiet: Bool
  private let isLive: Bool
  private var hasLine = false

  init(isQuiet: Bool) {
    self.isQuiet = isQuiet
    isLive = !isQuiet && isatty(STDERR_FILENO) == 1
  }

  func show(_ event: PushEvent) {
    guard !isQuiet else { return }
    switch event.state {
    case .sending:
      guard isLive else { return }
      write("\r\u{1B}[K\(event.blob): \(DecimalSize.text(event.bytes)) of \(DecimalSize.text(event.size))")
      hasLine = true
    case .over(let upload):
      end()
      let words =
        switch upload {
        case .present: "already there"
        case .mounted: "taken over from another repository"
        case .sent: "sent, \(DecimalSize.text(event.size))"
        }
      standardError("", "\(event.blob): \(words)")
    case .retrying(let text):
      end()
      standardError("", "\(event.blob): \(text)")
    }
  }

  /// Leaves the terminal as it was.
  func end() {
    if hasLine { write("\r\u{1B}[K") }
    hasLine = false
  }

  private func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.write(STDERR_FILENO, bytes, bytes.count)
  }
}
