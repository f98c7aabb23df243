import Testing
@testable import Build
@testable import Host
@testable import Intent
@testable import Loop
@testable import Supervision

/// Health checks against a clock that only a test moves.
@Suite struct HealthMonitorTests {
  private let fixture = HealthFixture()

  @Test func theFirstProbeComesAfterOneInterval() {
    let monitor = fixture.monitor { $0.interval = .seconds(10) }
    fixture.clock.advance(.seconds(9.9))
    #expect(fixture.runner.begun == 0)
    fixture.clock.advance(.seconds(0.2))
    #expect(fixture.runner.begun == 1)
    monitor.stop()
  }

  @Test func theIntervalCountsFromTheEndOfAProbe() {
    let monitor = fixture.monitor { $0.interval = .seconds(10) }
    fixture.clock.advance(.seconds(10))
    fixture.clock.advance(.seconds(8))
    fixture.runner.end(0)
    fixture.clock.advance(.seconds(9.9))
    #expect(fixture.runner.begun == 1)
    fixture.clock.advance(.seconds(0.2))
    #expect(fixture.runner.begun == 2)
    monitor.stop()
  }

  @Test func insideTheStartPeriodTheStartIntervalApplies() {
    let monitor = fixture.monitor {
      ($0.interval, $0.startPeriod, $0.startInterval) = (.seconds(100), .seconds(30), .seconds(5))
    }
    for count in 1...3 {
      fixture.clock.advance(.seconds(5))
      #expect(fixture.runner.begun == count)
      fixture.runner.end(1)
    }
    #expect(fixture.latest?.status == .starting)
    #expect(fixture.latest?.failures == 0)
    // Healthy: the ordinary interval from here on, start period or not.
    fixture.clock.advance(.seconds(5))
    fixture.runner.end(0)
    #expect(fixture.latest?.status == .healthy)
    fixture.clock.advance(.seconds(99))
    #expect(fixture.runner.begun == 4)
    fixture.clock.advance(.seconds(1))
    #expect(fixture.runner.begun == 5)
    monitor.stop()
  }

  @Test func aProbeThatBeganInsideTheStartPeriodDoesNotCountWhenItEndsLater() {
    let monitor = fixture.monitor {
      ($0.startPeriod, $0.startInterval, $0.retries) = (.seconds(6), .seconds(5), 1)
    }
    fixture.clock.advance(.seconds(5))
    fixture.clock.advance(.seconds(5))
    fixture.runner.end(1)
    #expect(fixture.latest?.status == .starting)
    fixture.clock.advance(.seconds(10))
    fixture.runner.end(1)
    #expect(fixture.latest?.status == .unhealthy)
    monitor.stop()
  }

  @Test func failuresInARowMakeUnhealthyAndOneSuccessHealthy() {
    let monitor = fixture.monitor { $0.retries = 3 }
    for (code, status) in [
      (0, ServiceRecord.Health.Status.healthy), (1, .healthy), (1, .healthy), (0, .healthy), (1, .healthy),
      (1, .healthy), (1, .unhealthy), (1, .unhealthy), (0, .healthy),
    ] {
      fixture.clock.advance(.seconds(10))
      fixture.runner.end(code)
      #expect(fixture.latest?.status == status)
    }
    #expect(fixture.latest?.failures == 0)
    monitor.stop()
  }

  @Test func theLastFiveResultsAreKept() {
    let monitor = fixture.monitor { _ in }
    for code in 1...8 {
      fixture.clock.advance(.seconds(10))
      fixture.clock.advance(.seconds(1))
      fixture.runner.end(code)
    }
    #expect(fixture.latest?.results.map(\.exitCode) == [4, 5, 6, 7, 8])
    #expect(fixture.latest?.results.map { $0.finishedAt - $0.startedAt } == [1, 1, 1, 1, 1])
    monitor.stop()
  }

  @Test func anotherSupervisorGoesOnFromTheRecord() {
    var former = ServiceRecord.Health()
    former.failures = 2
    former.results = [.init(startedAt: 96, finishedAt: 97, exitCode: 1, output: "")]
    // Now is 100, the service was started at 50, and the next probe is due at 107.
    let monitor = fixture.monitor(health: former, startedAt: 50) { $0.retries = 3 }
    fixture.clock.advance(.seconds(6.9))
    #expect(fixture.runner.begun == 0)
    fixture.clock.advance(.seconds(0.2))
    fixture.runner.end(1)
    #expect(fixture.latest?.status == .unhealthy)
    monitor.stop()
  }

  @Test func aProbeThatIsOverdueBeginsAtOnce() {
    let monitor = fixture.monitor(startedAt: 10) { _ in }
    fixture.clock.advance(.zero)
    #expect(fixture.runner.begun == 1)
    monitor.stop()
  }

  @Test func resultsOfAFormerRunDoNotHastenTheFirstProbe() {
    var former = ServiceRecord.Health()
    former.results = [.init(startedAt: 80, finishedAt: 81, exitCode: 0, output: "")]
    let monitor = fixture.monitor(health: .init(afterRestartOf: former), startedAt: 100) { _ in }
    fixture.clock.advance(.seconds(9.9))
    #expect(fixture.runner.begun == 0)
    #expect(fixture.clock.timers == 1)
    monitor.stop()
  }

  @Test func nothingIsLeftAfterStop() {
    let monitor = fixture.monitor { _ in }
    fixture.clock.advance(.seconds(10))
    monitor.stop()
    fixture.runner.end(1)
    #expect(fixture.latest == nil)
    #expect(fixture.runner.cancelled == 1)
    #expect(fixture.clock.timers == 0)
  }

  @Test func theOutputInAMessageMovesNoCursor() {
    var health = ServiceRecord.Health()
    health.results = [.init(startedAt: 0, finishedAt: 1, exitCode: 1, output: "a\u{1b}[2Jb\nlast\n")]
    #expect(health.lastOutput == ["a [2Jb", "last"])
  }
}

/// A clock, a runner and what the monitor said last.
private final class HealthFixture {
  let clock = ManualClock()
  let runner = ManualRunner()
  private(set) var latest: ServiceRecord.Health?

  func monitor(
    health: ServiceRecord.Health = .init(), startedAt: Double = 100, _ change: (inout HealthCheck) -> Void
  ) -> HealthMonitor {
    var check = HealthCheck(
      command: ["true"], interval: .seconds(10), timeout: .seconds(30), retries: 3, startPeriod: .zero,
      startInterval: .seconds(5))
    change(&check)
    return HealthMonitor(check, health: health, startedAt: startedAt, clock: clock, runner: runner) { [weak self] in
      self?.latest = $0
    }
  }
}

/// Begins at 100 seconds after 1970.
private final class ManualClock: MonitorClock {
  private(set) var now = EventLoop.Instant.now
  private(set) var date = 100.0
  private var queue = TimerQueue<EventLoop.Instant, () -> Void>()

  var timers: Int { queue.count }

  func schedule(after delay: Duration, _ action: @escaping () -> Void) -> EventLoop.TimerID {
    EventLoop.TimerID(number: queue.insert(at: now + delay, action))
  }

  func cancel(_ timer: EventLoop.TimerID) {
    queue.remove(timer.number)
  }

  func advance(_ time: Duration) {
    now += time
    date += time / .seconds(1)
    while let action = queue.popDue(at: now) { action() }
  }
}

private final class ManualRunner: ProbeRunner {
  private(set) var begun = 0
  private(set) var cancelled = 0
  private var completion: ((ProbeOutcome) -> Void)?

  func start(timeout: Duration, completion: @escaping (ProbeOutcome) -> Void) {
    begun += 1
    self.completion = completion
  }

  func cancel() { cancelled += 1 }

  func end(_ code: Int) {
    let answer = completion
    completion = nil
    answer?(ProbeOutcome(exitCode: code, output: "said \(code)"))
  }
}
