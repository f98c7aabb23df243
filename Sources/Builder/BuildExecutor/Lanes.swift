import Glibc
import Kernel
import SystemPackage

/// Threads that carry out jobs side by side, each once the jobs that it needs are done.
package final class Lanes: @unchecked Sendable {
  private var mutex = pthread_mutex_t()
  private var changed = pthread_cond_t()
  /// Jobs that nobody has begun, by their number, with what they need. All under the mutex.
  private var waiting: [(job: Int, needs: Set<Int>)]
  private var done: Set<Int> = []
  private var failure: (any Error)?
  private var running = 0
  private let body: @Sendable (_ job: Int, _ lane: Int) throws -> Void
  /// Raised when all is over.
  private let over: StopSignal

  package init(
    _ jobs: [(job: Int, needs: Set<Int>)], body: @escaping @Sendable (_ job: Int, _ lane: Int) throws -> Void
  ) throws(KernelError) {
    (waiting, self.body) = (jobs, body)
    over = try StopSignal()
    pthread_mutex_init(&mutex, nil)
    pthread_cond_init(&changed, nil)
  }

  deinit {
    pthread_cond_destroy(&changed)
    pthread_mutex_destroy(&mutex)
  }

  /// Runs all jobs. After a failure none is begun.
  ///
  /// - Parameters:
  ///   - count: the number of threads.
  ///   - meanwhile: called on this thread about ten times a second, and when `wake` is readable.
  package func run(_ count: Int, wake: FileDescriptor?, meanwhile: () -> Void) throws {
    var threads: [pthread_t] = []
    running = count
    for lane in 0..<count {
      var thread = pthread_t()
      let box = Unmanaged.passRetained(Start(self, lane))
      let code = pthread_create(
        &thread, nil,
        { context in
          guard let context else { return nil }
          let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
          start.lanes.work(start.lane)
          return nil
        }, box.toOpaque())
      guard code == 0 else {
        box.release()
        leave(KernelError("start", "a thread", errno: Errno(rawValue: code)))
        continue
      }
      threads.append(thread)
    }
    var waits = [
      pollfd(fd: over.number, events: Int16(POLLIN), revents: 0),
      pollfd(fd: wake?.rawValue ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    while waits[0].revents == 0 {
      _ = poll(&waits, nfds_t(waits.count), 100)
      meanwhile()
    }
    for thread in threads { pthread_join(thread, nil) }
    if let failure { throw failure }
  }

  private final class Start {
    let lanes: Lanes
    let lane: Int
    init(_ lanes: Lanes, _ lane: Int) { (self.lanes, self.lane) = (lanes, lane) }
  }

  private func work(_ lane: Int) {
    while let job = next() {
      do {
        try body(job, lane)
        finish(job, nil)
      } catch {
        finish(job, error)
      }
    }
    leave(nil)
  }

  /// The next job that can begin; nil when none ever will.
  private func next() -> Int? {
    pthread_mutex_lock(&mutex)
    defer { pthread_mutex_unlock(&mutex) }
    while failure == nil, !waiting.isEmpty {
      if let place = waiting.firstIndex(where: { $0.needs.isSubset(of: done) }) { return waiting.remove(at: place).job }
      pthread_cond_wait(&changed, &mutex)
    }
    return nil
  }

  private func finish(_ job: Int, _ error: (any Error)?) {
    pthread_mutex_lock(&mutex)
    done.insert(job)
    if failure == nil { failure = error }
    pthread_cond_broadcast(&changed)
    pthread_mutex_unlock(&mutex)
  }

  private func leave(_ error: (any Error)?) {
    pthread_mutex_lock(&mutex)
    if failure == nil { failure = error }
    running -= 1
    if running == 0 { over.raise() }
    pthread_cond_broadcast(&changed)
    pthread_mutex_unlock(&mutex)
  }
}
