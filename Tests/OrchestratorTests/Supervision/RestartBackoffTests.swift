import Testing
@testable import Supervision

@Suite struct RestartBackoffTests {
  @Test func theDelayDoublesUpToAMinute() {
    var backoff = RestartBackoff()
    let delays = (0..<12).map { _ in backoff.next(afterRunOf: 0) }
    #expect(delays.prefix(4) == [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800)])
    #expect(delays[9] == .milliseconds(51_200) && delays[10] == .seconds(60) && delays[11] == .seconds(60))
  }

  @Test func aLongRunBeginsAnew() {
    var backoff = RestartBackoff()
    for _ in 0..<5 { _ = backoff.next(afterRunOf: 9.9) }
    #expect(backoff.next(afterRunOf: 9.9) == .milliseconds(3200))
    #expect(backoff.next(afterRunOf: 10) == .milliseconds(100))
    #expect(backoff.next(afterRunOf: 0) == .milliseconds(200))
  }

  @Test func aClockThatWentBackwardsIsNoLongRun() {
    var backoff = RestartBackoff()
    _ = backoff.next(afterRunOf: -1e9)
    #expect(backoff.next(afterRunOf: -1) == .milliseconds(200))
  }
}
