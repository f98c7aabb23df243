import CLinux
import Glibc
import Synchronization
import SystemPackage
import Testing
@testable import Kernel
@testable import Loop

@Suite struct WorkerPoolTests {
  @Test func resultsComeBackOnTheLoopsThread() throws {
    let loop = try EventLoop()
    let pool = try WorkerPool(loop: loop, threads: 4)
    let loopThread = pthread_self()
    var sum = 0
    for number in 1...1_000 {
      try pool.submit {
        #expect(pthread_equal(pthread_self(), loopThread) == 0)
        return number
      } completion: { result in
        #expect(pthread_equal(pthread_self(), loopThread) != 0)
        sum += result
        if sum == 500_500 { loop.stop() }
      }
    }
    try loop.run()
    pool.shutDown()
    #expect(sum == 500_500)
  }

  @Test func shutDownFinishesWhatWasSubmitted() throws {
    let loop = try EventLoop()
    let pool = try WorkerPool(loop: loop, threads: 2)
    var done = 0
    for _ in 0..<50 {
      try pool.submit {
        usleep(200)
      } completion: { _ in
        done += 1
      }
    }
    pool.shutDown()
    #expect(done == 50)
    #expect {
      try pool.submit {
      } completion: {
      }
    } throws: { ($0 as? KernelError)?.errno.rawValue == ESHUTDOWN }
  }

  @Test func jobsRunSideBySideUpToTheLimit() throws {
    let loop = try EventLoop()
    let pool = try WorkerPool(loop: loop, threads: 3)
    let running = CounterWithMaximum()
    for _ in 0..<30 {
      try pool.submit {
        running.enter()
        usleep(2_000)
        running.leave()
      } completion: {
      }
    }
    pool.shutDown()
    #expect(running.maximum <= 3)
    #expect(running.maximum >= 2)
  }

  @Test func idleThreadsEndAndNewWorkStartsNewOnes() throws {
    let loop = try EventLoop()
    let pool = try WorkerPool(loop: loop, threads: 2, idleTime: .milliseconds(10))
    for _ in 0..<5 {
      var answered = false
      try pool.submit {
        pthread_self()
      } completion: { _ in
        answered = true
        loop.stop()
      }
      try loop.run()
      #expect(answered)
      usleep(30_000)
    }
    pool.shutDown()
  }

  @Test func workersHaveEverySignalBlocked() throws {
    let loop = try EventLoop()
    let pool = try WorkerPool(loop: loop, threads: 1)
    var blocked = false
    try pool.submit { () -> Bool in
      var mask = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &mask)
      return [SIGTERM, SIGCHLD, SIGINT, SIGUSR1].allSatisfy { sigismember(&mask, $0) == 1 }
    } completion: {
      blocked = $0
    }
    pool.shutDown()
    #expect(blocked)
  }
}

private final class CounterWithMaximum: Sendable {
  private let state = Mutex((now: 0, maximum: 0))
  var maximum: Int { state.withLock { $0.maximum } }

  func enter() {
    state.withLock {
      $0.now += 1
      $0.maximum = max($0.maximum, $0.now)
    }
  }

  func leave() { state.withLock { $0.now -= 1 } }
}
