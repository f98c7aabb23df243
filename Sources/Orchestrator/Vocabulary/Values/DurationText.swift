import Kernel

/// Durations as Compose writes them: `1h30m`, `1.5s`, `500ms`.
package enum DurationText {
  package enum Problem: Error {
    case malformed
    case missingUnit
    case unknownUnit(String)
    case tooLong
  }

  /// In nanoseconds. Compose takes the units of Go's time.ParseDuration, and days and weeks.
  private static let units: [(name: String, nanoseconds: UInt64)] = [
    ("ns", 1), ("us", 1000), ("µs", 1000), ("μs", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
    ("m", 60_000_000_000), ("h", 3_600_000_000_000), ("d", 86_400_000_000_000), ("w", 604_800_000_000_000),
  ]

  /// Parts of a number and a unit, added up.
  package static func parse(_ text: String) throws(Problem) -> Duration {
    if text == "0" { return .zero }
    var rest = Substring(text)
    var total: UInt64 = 0
    guard !rest.isEmpty else { throw .malformed }
    while !rest.isEmpty {
      let whole = takeDigits(&rest)
      var fraction: Substring = ""
      if rest.first == "." {
        rest.removeFirst()
        fraction = takeDigits(&rest)
      }
      guard !whole.isEmpty || !fraction.isEmpty else { throw .malformed }
      let name = rest.prefix { !isDigit($0) && $0 != "." }
      rest = rest.dropFirst(name.count)
      guard !name.isEmpty else { throw .missingUnit }
      guard let unit = units.first(where: { $0.name == name }) else { throw .unknownUnit(String(name)) }
      // An integer that does not fit 64 bits is too long in any unit.
      guard let count = whole.isEmpty ? 0 : UInt64(whole) else { throw .tooLong }
      let (product, isTooLong) = count.multipliedReportingOverflow(by: unit.nanoseconds)
      let (sum, isTooLongInAll) = total.addingReportingOverflow(product)
      guard !isTooLong, !isTooLongInAll, sum <= UInt64(Int64.max) - unit.nanoseconds else { throw .tooLong }
      total = sum + part(fraction, of: unit.nanoseconds)
    }
    return .nanoseconds(Int64(total))
  }

  /// The shortest text of whole units: `1m30s`.
  package static func text(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.bounded.components
    var rest = UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    var text = ""
    for (name, nanoseconds) in units.reversed() where ["h", "m", "s", "ms", "us", "ns"].contains(name) {
      if rest >= nanoseconds {
        text += "\(rest / nanoseconds)\(name)"
        rest %= nanoseconds
      }
    }
    return text.isEmpty ? "0s" : text
  }

  /// The decimals after a point, as a part of a unit.
  private static func part(_ fraction: Substring, of unit: UInt64) -> UInt64 {
    var scale = unit
    var sum: UInt64 = 0
    for digit in fraction {
      scale /= 10
      sum += UInt64(digit.wholeNumberValue ?? 0) * scale
    }
    return sum
  }

  private static func takeDigits(_ text: inout Substring) -> Substring {
    let digits = text.prefix(while: isDigit)
    text = text.dropFirst(digits.count)
    return digits
  }

  private static func isDigit(_ character: Character) -> Bool {
    character.isASCII && character.isNumber
  }
}
