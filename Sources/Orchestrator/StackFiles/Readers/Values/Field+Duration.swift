import Vocabulary

extension Field {
  package static let longestDuration: Duration = .seconds(86400)

  /// A duration from `least` up to a day.
  func duration(atLeast least: Duration = .zero) -> Duration? {
    guard let text = nonEmptyText() else { return nil }
    let quoted = "\"\(name)\": \"\(text.value)\""
    let help = ["write a number and a unit: 500ms, 10s, 1m30s, 2h"]
    do {
      let duration = try DurationText.parse(text.value)
      guard duration >= least, duration <= Self.longestDuration else {
        let limits = "\(DurationText.text(least)) to \(DurationText.text(Self.longestDuration))"
        report(.badDuration, "\(quoted) is not within \(limits)")
        return nil
      }
      return duration
    } catch {
      switch error {
      case .missingUnit:
        report(.badDuration, "\(quoted) has no unit", "did you mean \"\(text.value)s\"?", help: help)
      case .unknownUnit(let unit):
        report(.badDuration, "\(quoted) has the unit \"\(unit)\", which is unknown", help: help)
      case .tooLong:
        report(.badDuration, "\(quoted) is longer than a day")
      case .malformed:
        report(.badDuration, "\(quoted) is not a duration", help: help)
      }
    }
    return nil
  }
}
