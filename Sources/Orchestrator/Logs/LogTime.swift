import Glibc

/// A moment of the host's clock, in nanoseconds since 1970 (CLOCK_REALTIME), from 1678 to 2262.
package struct LogTime: Hashable, Sendable, Comparable {
  let nanoseconds: Int64

  init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  package static var now: LogTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return LogTime(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }

  package static func < (one: LogTime, other: LogTime) -> Bool { one.nanoseconds < other.nanoseconds }

  /// The moment `duration` earlier, as early as can be written at most.
  func earlier(by duration: Int64) -> LogTime {
    let (result, overflow) = nanoseconds.subtractingReportingOverflow(duration)
    return LogTime(nanoseconds: overflow ? (duration > 0 ? .min : .max) : result)
  }
}

// MARK: RFC 3339

extension LogTime: CustomStringConvertible {
  /// The length in bytes of what ``write(to:)`` writes.
  static let textLength = 30

  package var description: String {
    String(unsafeUninitializedCapacity: Self.textLength) { bytes in
      write(to: UnsafeMutableRawBufferPointer(bytes))
      return Self.textLength
    }
  }

  /// Writes `2016-10-06T00:17:09.669794202Z` to the first 30 bytes of `bytes`.
  func write(to bytes: UnsafeMutableRawBufferPointer) {
    guard bytes.count >= Self.textLength else { return }
    let seconds = nanoseconds.flooredQuotient(1_000_000_000)
    let days = seconds.flooredQuotient(86_400)
    let date = Self.date(ofDay: days)
    let second = seconds - days * 86_400
    Self.write(date.year, digits: 4, to: bytes, at: 0)
    Self.write(date.month, digits: 2, to: bytes, at: 5)
    Self.write(date.day, digits: 2, to: bytes, at: 8)
    Self.write(second / 3_600, digits: 2, to: bytes, at: 11)
    Self.write(second / 60 % 60, digits: 2, to: bytes, at: 14)
    Self.write(second % 60, digits: 2, to: bytes, at: 17)
    // Wrapping: the earliest second begins before what can be counted, and the difference is right all the same.
    Self.write(nanoseconds &- seconds &* 1_000_000_000, digits: 9, to: bytes, at: 20)
    bytes[4] = UInt8(ascii: "-")
    bytes[7] = UInt8(ascii: "-")
    bytes[10] = UInt8(ascii: "T")
    bytes[13] = UInt8(ascii: ":")
    bytes[16] = UInt8(ascii: ":")
    bytes[19] = UInt8(ascii: ".")
    bytes[29] = UInt8(ascii: "Z")
  }

  private static func write(_ value: Int64, digits: Int, to bytes: UnsafeMutableRawBufferPointer, at offset: Int) {
    var rest = value
    for place in stride(from: offset + digits - 1, through: offset, by: -1) {
      bytes[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
  }

  /// Reads RFC 3339 with any number of fractional digits, which are cut to nine, and any offset from UTC.
  init?(rfc3339 text: some Collection<UInt8>) {
    var reader = DigitReader(Array(text))
    guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
      let day = reader.number(2), reader.take("T") || reader.take("t") || reader.take(" "),
      let hour = reader.number(2), reader.take(":"), let minute = reader.number(2), reader.take(":"),
      let second = reader.number(2), (1...12).contains(month), (1...Self.daysInMonth(month, of: year)).contains(day),
      hour < 24, minute < 60, second <= 60
    else { return nil }
    var fraction: Int64 = 0
    if reader.take(".") {
      guard let digits = reader.fraction() else { return nil }
      fraction = digits
    }
    guard let offset = reader.offset(), reader.isAtEnd else { return nil }
    let seconds = Self.day(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second - offset
    let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, overflows) = scaled.addingReportingOverflow(fraction)
    guard !overflow, !overflows else { return nil }
    nanoseconds = sum
  }

  /// Days since 1970-01-01 to a date of the Gregorian calendar. Years begin in March here, so that leap days end them.
  static func day(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let shifted = month <= 2 ? year - 1 : year
    let era = shifted.flooredQuotient(400)
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func date(ofDay days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let shifted = days + 719_468
    let era = shifted.flooredQuotient(146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  private static func daysInMonth(_ month: Int64, of year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

/// Takes a timestamp apart, digit by digit.
struct DigitReader {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func digit() -> Int64? {
    guard position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) else { return nil }
    defer { position += 1 }
    return Int64(bytes[position] - UInt8(ascii: "0"))
  }

  mutating func number(_ digits: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<digits {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// Nanoseconds from the digits after the point.
  mutating func fraction() -> Int64? {
    guard var value = digit() else { return nil }
    var count = 1
    while let digit = digit() {
      if count < 9 {
        value = value * 10 + digit
        count += 1
      }
    }
    for _ in count..<9 { value *= 10 }
    return value
  }

  /// Seconds east of UTC.
  mutating func offset() -> Int64? {
    if take("Z") || take("z") { return 0 }
    let sign: Int64 = take("-") ? -1 : 1
    guard sign == -1 || take("+") else { return nil }
    guard let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60 else { return nil }
    return sign * (hours * 3_600 + minutes * 60)
  }
}

extension Int64 {
  /// Rounded towards negative infinity, so that what is left over is never negative.
  fileprivate func flooredQuotient(_ divisor: Int64) -> Int64 {
    let quotient = self / divisor
    return self % divisor < 0 ? quotient - 1 : quotient
  }
}
