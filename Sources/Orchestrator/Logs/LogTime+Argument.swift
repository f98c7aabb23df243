import Glibc

extension LogTime {
  /// Reads what `--since` and `--until` take, as `docker logs` does: RFC 3339, a date or time without zone (the
  /// host's zone), seconds since 1970 with or without fraction, or a Go duration before `now` (`10m`, `1h30m`, `1.5h`).
  /// A person may also write `10m ago`, with blanks between the parts of a duration.
  package init?(argument text: String, now: LogTime = .now) {
    let spoken = text.hasSuffix(" ago") ? String(text.dropLast(4).filter { $0 != " " }) : text
    if let exact = LogTime(rfc3339: text.utf8) {
      self = exact
    } else if let duration = Self.nanoseconds(goDuration: spoken) {
      self = now.earlier(by: duration)
    } else if let seconds = Self.nanoseconds(decimal: Substring(text), unit: 1_000_000_000) {
      self.init(nanoseconds: seconds)
    } else if let local = Self.localTime(text) {
      self = local
    } else {
      return nil
    }
  }

  private static let units: [(name: String, nanoseconds: Int64)] = [
    // Longer names first: `ms` is not `m`.
    ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000),
    ("m", 60_000_000_000), ("h", 3_600_000_000_000),
  ]

  /// A duration as Go's time.ParseDuration reads it; `nil` for anything else, and beyond 292 years.
  static func nanoseconds(goDuration text: String) -> Int64? {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest.removeFirst() }
    if rest == "0" { return 0 }
    guard !rest.isEmpty else { return nil }
    var total: Int64 = 0
    while !rest.isEmpty {
      let number = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
      rest = rest.dropFirst(number.count)
      guard let unit = units.first(where: { rest.hasPrefix($0.name) }) else { return nil }
      rest = rest.dropFirst(unit.name.count)
      guard let value = nanoseconds(decimal: number, unit: unit.nanoseconds) else { return nil }
      let (sum, overflow) = total.addingReportingOverflow(value)
      guard !overflow else { return nil }
      total = sum
    }
    return isNegative ? -total : total
  }

  /// A decimal number of units, to the nanosecond.
  private static func nanoseconds(decimal text: Substring, unit: Int64) -> Int64? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let whole = parts[0]
    let fraction = parts.count > 1 ? parts[1] : ""
    guard !(whole.isEmpty && fraction.isEmpty), (whole + fraction).allSatisfy({ $0.isASCII && $0.isNumber }) else {
      return nil
    }
    guard let count = whole.isEmpty ? 0 : Int64(whole) else { return nil }
    let (scaled, overflow) = count.multipliedReportingOverflow(by: unit)
    var place = unit
    var below: Int64 = 0
    for digit in fraction {
      // Rounding each digit down is exact for the units there are, down to nanoseconds.
      guard place >= 10 || place > 1, let value = digit.wholeNumberValue else { break }
      below += Int64(value) * place / 10
      place /= 10
    }
    let (sum, overflows) = scaled.addingReportingOverflow(below)
    return overflow || overflows ? nil : sum
  }

  /// `2024-05-01`, with `T12:30` or `T12:30:15` if need be, in the host's zone.
  private static func localTime(_ text: String) -> LogTime? {
    var reader = DigitReader(Array(text.utf8))
    guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
      let day = reader.number(2), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    var fields = tm()
    if reader.take("T") {
      guard let hour = reader.number(2), reader.take(":"), let minute = reader.number(2), hour < 24, minute < 60 else {
        return nil
      }
      fields.tm_hour = CInt(hour)
      fields.tm_min = CInt(minute)
      if reader.take(":") {
        guard let second = reader.number(2), second <= 60 else { return nil }
        fields.tm_sec = CInt(second)
      }
    }
    guard reader.isAtEnd else { return nil }
    fields.tm_year = CInt(year - 1_900)
    fields.tm_mon = CInt(month - 1)
    fields.tm_mday = CInt(day)
    // The zone's rules tell whether summer time holds then.
    fields.tm_isdst = -1
    let (scaled, overflow) = Int64(mktime(&fields)).multipliedReportingOverflow(by: 1_000_000_000)
    return overflow ? nil : LogTime(nanoseconds: scaled)
  }
}
