import Glibc
import Kernel

/// The number of further tries of a failed request, and the delays before them.
package struct RetryDelays: Sendable {
  var most = 5
  private var first = 2.0
  private var longest = 60.0

  package init() {}

  /// One attempt and no other.
  package static let none: RetryDelays = {
    var delays = RetryDelays()
    delays.most = 1
    return delays
  }()

  /// In seconds: doubled with each attempt and not the same for all who fail at once, or what the registry has asked for.
  func delay(_ attempt: Int, retryAfter: String?, jitter: Double, now: Double) -> Double {
    if let retryAfter {
      if let seconds = UInt32(retryAfter) { return min(Double(seconds), longest) }
      if let date = HTTPDate.seconds(retryAfter) { return min(max(date - now, 0), longest) }
    }
    var delay = first
    for _ in 1..<max(attempt, 1) { delay = min(delay * 2, longest) }
    return delay * (0.75 + jitter / 2)
  }

  func delay(_ attempt: Int, retryAfter: String?) -> Double {
    delay(attempt, retryAfter: retryAfter, jitter: Double.random(in: 0...1), now: Double(time(nil)))
  }

  /// - Returns: false when the user does not want to wait any longer.
  func wait(_ seconds: Double, _ isStopped: () -> Bool) -> Bool {
    var rest = Int32(seconds * 1000)
    while rest > 0 {
      if isStopped() { return false }
      poll(nil, 0, min(rest, 100))
      rest -= 100
    }
    return !isStopped()
  }
}

/// RFC 9110, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// Since 1970.
  static func seconds(_ text: String) -> Double? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, let day = Int32(parts[1]), let month = months.firstIndex(of: String(parts[2])),
      let year = Int32(parts[3]), (1...31).contains(day), (1970...9999).contains(year)
    else { return nil }
    let clock = parts[4].split(separator: ":").compactMap { Int32($0) }
    guard clock.count == 3, clock.allSatisfy({ (0...60).contains($0) }) else { return nil }
    var date = tm()
    (date.tm_year, date.tm_mon, date.tm_mday) = (year - 1900, Int32(month), day)
    (date.tm_hour, date.tm_min, date.tm_sec) = (clock[0], clock[1], clock[2])
    return Double(timegm(&date))
  }
}
