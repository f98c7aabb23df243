import Glibc
import Kernel

/// How often and how soon what failed is tried again.
package struct RetryDelays: Sendable {
  var most = 5
  var first = 2.0
  var longest = 60.0

  package init() {}

  package init(most: Int, first: Double, longest: Double) {
    (self.most, self.first, self.longest) = (most, first, longest)
  }

  /// A name that is not found and a port that nobody listens on are tried less often: both are mostly a mistake.
  func attempts(after kind: RegistryError.Kind) -> Int { kind == .unreachable ? min(most, 2) : most }

  /// In seconds: doubled with each attempt and not the same for all who fail at once, or what the registry has asked for.
  func delay(_ attempt: Int, retryAfter: String?, jitter: Double, now: Double) -> Double {
    if let retryAfter {
      if let seconds = Double(retryAfter) { return min(max(seconds, 0), longest) }
      if let date = HTTPDate.seconds(retryAfter) { return min(max(date - now, 0), longest) }
    }
    var delay = first
    for _ in 1..<max(attempt, 1) { delay = min(delay * 2, longest) }
    return delay * (0.75 + jitter / 2)
  }

  /// - Returns: false when the user does not want to wait any longer.
  func wait(_ attempt: Int, _ retryAfter: String?, _ cancellation: Cancellation) -> Bool {
    let delay = delay(
      attempt, retryAfter: retryAfter, jitter: Double.random(in: 0...1), now: Double(time(nil)))
    var rest = Int32(delay * 1000)
    while rest > 0 {
      if cancellation.isRaised { return false }
      poll(nil, 0, min(rest, 100))
      rest -= 100
    }
    return !cancellation.isRaised
  }
}

/// RFC 9110, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  /// Since 1970.
  static func seconds(_ text: String) -> Double? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, let day = Int32(parts[1]), let month = months.firstIndex(of: String(parts[2])),
      let year = Int32(parts[3])
    else { return nil }
    let clock = parts[4].split(separator: ":").compactMap { Int32($0) }
    guard clock.count == 3 else { return nil }
    var date = tm()
    (date.tm_year, date.tm_mon, date.tm_mday) = (year - 1900, Int32(month), day)
    (date.tm_hour, date.tm_min, date.tm_sec) = (clock[0], clock[1], clock[2])
    return Double(timegm(&date))
  }
}
