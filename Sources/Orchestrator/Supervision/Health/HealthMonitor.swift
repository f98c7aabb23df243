import Build
import FoundationEssentials
import Host
import Intent
import Kernel
import Loop

/// Time as a monitor sees it.
protocol MonitorClock: AnyObject {
  var now: EventLoop.Instant { get }
  /// Seconds since 1970.
  var date: Double { get }
  @discardableResult
  func schedule(after delay: Duration, _ action: @escaping () -> Void) -> EventLoop.TimerID
  func cancel(_ timer: EventLoop.TimerID)
}

extension EventLoop: MonitorClock {
  var date: Double { Date().timeIntervalSince1970 }
}

/// Asks a running service, again and again, whether it is well. Lives on the loop's thread, as long as the service runs.
///
/// The first probe begins an interval after the service has; the time to the next counts from the end of the one before.
final class HealthMonitor {
  private let check: HealthCheck
  private let clock: any MonitorClock
  private let runner: any ProbeRunner
  /// The service's start.
  private let start: EventLoop.Instant
  private let onChange: (ServiceRecord.Health) -> Void
  private var health: ServiceRecord.Health
  private var timer: EventLoop.TimerID?
  private var isStopped = false

  /// - Parameters:
  ///   - health: what is known so far, from a supervisor before this one, too.
  ///   - startedAt: when the service was started, in seconds since 1970.
  ///   - onChange: gets what is known after every probe.
  init(
    _ check: HealthCheck, health: ServiceRecord.Health, startedAt: Double, clock: any MonitorClock,
    runner: any ProbeRunner, onChange: @escaping (ServiceRecord.Health) -> Void
  ) {
    self.check = check
    self.health = health
    self.clock = clock
    self.runner = runner
    self.onChange = onChange
    start = clock.now - .seconds(bounded: clock.date - startedAt)
    // A result of a former run says nothing about when this run's next probe is due.
    let last = health.results.last.flatMap { $0.startedAt >= startedAt ? $0.finishedAt : nil } ?? startedAt
    let since = Duration.seconds(bounded: clock.date - last)
    scheduleProbe(after: interval - since)
  }

  func stop() {
    isStopped = true
    if let timer { clock.cancel(timer) }
    timer = nil
    runner.cancel()
  }

  private var age: Duration { start.duration(to: clock.now) }
  private var interval: Duration { health.interval(of: check, at: age) }

  private func scheduleProbe(after delay: Duration) {
    timer = clock.schedule(after: max(.zero, delay)) { [weak self] in self?.probe() }
  }

  private func probe() {
    timer = nil
    let (began, date, age) = (clock.now, clock.date, age)
    runner.start(timeout: check.timeout) { [weak self] outcome in
      guard let self, !isStopped else { return }
      let lasted = began.duration(to: clock.now) / .seconds(1)
      let result = ServiceRecord.Health.Result(
        startedAt: date, finishedAt: date + lasted, exitCode: outcome.exitCode, output: outcome.output)
      health.take(result, by: check, at: age)
      scheduleProbe(after: interval)
      onChange(health)
    }
  }
}
