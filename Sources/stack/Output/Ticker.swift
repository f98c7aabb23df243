import Glibc
import Synchronization

/// Calls back once a second from a thread of its own, never while somebody else is at work.
final class Ticker: Sendable {
  private struct Work: @unchecked Sendable {
    var tick: () -> Void
  }

  private let isStopped = Mutex(false)
  private let work: Work

  init(_ tick: @escaping () -> Void) {
    work = Work(tick: tick)
    var thread = pthread_t()
    let made = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Ticker>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    if made == 0 { pthread_detach(thread) }
  }

  private func run() {
    while true {
      sleep(1)
      let goesOn = isStopped.withLock { isStopped in
        if !isStopped { work.tick() }
        return !isStopped
      }
      guard goesOn else { return }
    }
  }

  /// Runs something while no tick does.
  func alone(_ body: () -> Void) { isStopped.withLock { _ in body() } }

  /// Once this returns, nothing ticks any more.
  func stop() { isStopped.withLock { $0 = true } }
}
