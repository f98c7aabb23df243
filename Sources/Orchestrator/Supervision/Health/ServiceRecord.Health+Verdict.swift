import Host
import Intent
import Vocabulary

extension ServiceRecord.Health {
  static let keptResults = 5

  /// The state of a service that has just been started. The results of its former runs stay readable.
  init(afterRestartOf former: ServiceRecord.Health?) {
    self.init(results: former?.results ?? [])
  }

  /// Takes in the result of a probe.
  ///
  /// One success makes the service healthy. A failure that began inside the start period does not count until the
  /// service has been healthy once. As many other failures in a row as the check has retries make it unhealthy.
  ///
  /// - Parameter age: how long the service ran when the probe began.
  mutating func take(_ result: Result, by check: HealthCheck, at age: Duration) {
    results = (results + [result]).suffix(Self.keptResults)
    if result.exitCode == 0 {
      (status, failures) = (.healthy, 0)
      return
    }
    if status == .starting, age < check.startPeriod { return }
    failures += 1
    if failures >= check.retries { status = .unhealthy }
  }

  /// The time from the end of one probe to the next.
  func interval(of check: HealthCheck, at age: Duration) -> Duration {
    status == .starting && age < check.startPeriod ? check.startInterval : check.interval
  }

  /// The reason why the service is not healthy, printed after its name.
  var complaint: String {
    guard let last = results.last else { return "is not healthy: no health check has come to an end" }
    let how = last.exitCode < 0 ? last.output : "exited with code \(last.exitCode)"
    return status == .unhealthy
      ? "is unhealthy after \(failures) failed health checks: the last one \(how)"
      : "is not healthy: its last health check \(how)"
  }

  /// The last lines that the last probe wrote, for a message.
  var lastOutput: [String] {
    guard let last = results.last, last.exitCode >= 0 else { return [] }
    return last.output.split(whereSeparator: \.isNewline).suffix(10).map(Quotation.line)
  }
}

extension HealthCheck {
  /// The longest time until a service is either healthy or unhealthy.
  var longestVerdict: Duration {
    startPeriod + (interval + timeout) * retries + timeout
  }
}
