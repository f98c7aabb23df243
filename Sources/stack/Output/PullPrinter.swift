import Glibc
import ImageReference
import Images

/// Shows how an image comes.
final class PullPrinter {
  private let isQuiet: Bool
  private var shown: Set<String> = []

  init(isQuiet: Bool) { self.isQuiet = isQuiet }

  func show(_ event: PullEvent) {
    guard !isQuiet else { return }
    switch event.state {
    case .waiting: say(event, "waiting for another pull")
    case .present: say(event, "already here")
    case .done: say(event, "done, \(DecimalSize.text(event.size))")
    case .downloading, .unpacking: break
    }
  }

  private func say(_ event: PullEvent, _ text: String) {
    guard shown.insert("\(event.layer) \(text)").inserted else { return }
    standardError("", "\(event.layer): \(text)")
  }

  func finish(_ pull: ImageService.Pull, _ source: ImageSource) {
    guard !isQuiet else { return print(source) }
    print("\(source): \(pull.wasPresent ? "up to date" : "pulled") (\(pull.digest))")
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
