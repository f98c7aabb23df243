import Testing
@testable import Supervision

/// The delay before a removed part is restored.
@Suite struct RepairPaceTests {
  @Test func whoTakesAwayAgainAndAgainIsNotOutrun() {
    var pace = RepairPace()
    var now = SuspendingClock.now
    var delays: [Duration] = []
    for _ in 0..<14 {
      delays.append(pace.delay(at: now))
      pace.noteRepair(at: now)
      now += .seconds(1)
    }
    #expect(delays[0] == RepairPace.shortest && delays[1] == RepairPace.shortest)
    #expect(zip(delays.dropFirst(2), delays.dropFirst(1)).allSatisfy { $0 == min($1 * 2, RepairPace.longest) })
    #expect(delays.last == RepairPace.longest)
  }

  @Test func afterAWhileItIsAtOnceAgain() {
    var pace = RepairPace()
    var now = SuspendingClock.now
    for _ in 0..<8 { pace.noteRepair(at: now) }
    #expect(pace.delay(at: now) > RepairPace.shortest)
    now += RepairPace.memory
    #expect(pace.delay(at: now) == RepairPace.shortest)
    pace.noteRepair(at: now)
    #expect(pace.delay(at: now) == RepairPace.shortest)
  }
}
