import Fuzzing
import Testing
@testable import Loop

@Suite struct TimerQueueTests {
  @Test func firesInOrderOfDeadlineThenOfMaking() {
    var queue = TimerQueue<Int, String>()
    _ = queue.insert(at: 5, "five")
    _ = queue.insert(at: 1, "one")
    _ = queue.insert(at: 5, "five again")
    #expect(queue.nextDeadline == 1)
    let early = queue.popDue(at: 0)
    #expect(early == nil)
    let due = (0..<4).map { _ in queue.popDue(at: 5) }
    #expect(due == ["one", "five", "five again", nil])
    #expect(queue.nextDeadline == nil)
  }

  @Test func cancelledTimersLeaveAtOnce() {
    var queue = TimerQueue<Int, Int>()
    let first = queue.insert(at: 1, 1)
    let second = queue.insert(at: 2, 2)
    let wasThere = queue.remove(first)
    #expect(wasThere)
    let isThere = queue.remove(first)
    #expect(!isThere)
    #expect(queue.nextDeadline == 2)
    let fired = queue.popDue(at: 9)
    #expect(fired == 2)
    let isLeft = queue.remove(second)
    #expect(!isLeft)
    #expect(queue.count == 0)
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func agreesWithSortingForRandomUse(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var queue = TimerQueue<Int, UInt64>()
    var model: [(id: UInt64, deadline: Int)] = []
    var now = 0
    for _ in 0..<5_000 {
      switch Int.random(in: 0..<4, using: &random) {
      case 0, 1:
        let deadline = now + Int.random(in: 0..<100, using: &random)
        let id = queue.insert(at: deadline, UInt64(model.count))
        model.append((id, deadline))
      case 2:
        guard let victim = model.randomElement(using: &random) else { continue }
        let removed = queue.remove(victim.id)
        #expect(removed)
        model.removeAll { $0.id == victim.id }
      default:
        now += Int.random(in: 0..<20, using: &random)
        let due = model.filter { $0.deadline <= now }.count
        var fired = 0
        while queue.popDue(at: now) != nil { fired += 1 }
        #expect(fired == due)
        model.removeAll { $0.deadline <= now }
      }
      #expect(queue.count == model.count)
      #expect(queue.nextDeadline == model.map(\.deadline).min())
    }
  }
}
