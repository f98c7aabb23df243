import FoundationEssentials

/// The age of something in Docker's words.
enum Age {
  /// - Parameter text: RFC 3339, such as 2024-05-01T10:00:00.5Z.
  static func text(since text: String, now: Double = Date().timeIntervalSince1970) -> String {
    guard let then = seconds(text) else { return "N/A" }
    let units: [(name: String, seconds: Double)] = [
      ("year", 365 * 86400), ("month", 30 * 86400), ("week", 7 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60),
      ("second", 1),
    ]
    let passed = max(now - then, 0)
    // As Docker, two of a unit before it is used: 13 days, 2 weeks.
    let unit = units.first { passed >= 2 * $0.seconds } ?? ("second", 1)
    let count = Int(passed / unit.seconds)
    return "\(count) \(unit.name)\(count == 1 ? "" : "s") ago"
  }

  private static func seconds(_ text: String) -> Double? {
    // The fraction is of no use here, and has more digits than are read.
    let whole = text.split(separator: ".").first.map(String.init) ?? text
    let zoned = whole.hasSuffix("Z") || whole.dropFirst(19).contains { "+-".contains($0) } ? whole : whole + "Z"
    return (try? Date(zoned, strategy: .iso8601))?.timeIntervalSince1970
  }
}
