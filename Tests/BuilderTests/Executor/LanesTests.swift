import Glibc
import Synchronization
import Testing

@testable import BuildExecutor

@Suite struct LanesTests {
  private struct Failure: Error {}

  @Test func aJobBeginsOnceThoseThatItNeedsAreDone() throws {
    let order = Mutex<[Int]>([])
    let lanes = try Lanes([(3, [1, 2]), (2, [1]), (1, []), (4, [3])]) { job, _ in order.withLock { $0.append(job) } }
    try lanes.run(2, wake: nil) {}
    #expect(order.withLock { $0 } == [1, 2, 3, 4])
  }

  @Test func twoRunAtOnce() throws {
    let running = Atomic(0)
    let most = Atomic(0)
    let lanes = try Lanes((0..<6).map { ($0, []) }) { _, _ in
      let now = running.add(1, ordering: .sequentiallyConsistent).newValue
      _ = most.max(now, ordering: .sequentiallyConsistent)
      // Both are here before either goes on, however long the second waits for a processor.
      let deadline = ContinuousClock.now + .seconds(10)
      while most.load(ordering: .sequentiallyConsistent) < 2, ContinuousClock.now < deadline { usleep(1000) }
      running.subtract(1, ordering: .sequentiallyConsistent)
    }
    try lanes.run(2, wake: nil) {}
    #expect(most.load(ordering: .sequentiallyConsistent) == 2)
  }

  @Test func afterAFailureNothingIsBegun() throws {
    let done = Mutex<[Int]>([])
    let lanes = try Lanes([(1, []), (2, [1]), (3, [2])]) { job, _ in
      done.withLock { $0.append(job) }
      if job == 2 { throw Failure() }
    }
    #expect(throws: Failure.self) { try lanes.run(2, wake: nil) {} }
    #expect(done.withLock { $0 } == [1, 2])
  }
}
