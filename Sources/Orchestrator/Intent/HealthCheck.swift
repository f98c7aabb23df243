/// A command that is run in a service again and again, and says by its status whether the service is well.
package struct HealthCheck: Codable, Hashable, Sendable {
  package var command: [String]
  package var interval: Duration
  package var timeout: Duration
  package var retries: Int
  package var startPeriod: Duration
  package var startInterval: Duration

  package init(
    command: [String], interval: Duration, timeout: Duration, retries: Int, startPeriod: Duration,
    startInterval: Duration
  ) {
    self.command = command
    self.interval = interval
    self.timeout = timeout
    self.retries = retries
    self.startPeriod = startPeriod
    self.startInterval = startInterval
  }
}
