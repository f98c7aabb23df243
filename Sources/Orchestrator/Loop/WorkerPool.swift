import CLinux
import Glibc
import Kernel
import Synchronization
import SystemPackage

/// Runs jobs that would block the loop on a few threads. Results come back on the loop's thread.
///
/// A job may enter other namespaces (setns(2) is per thread) and need not return from them. So no job may assume which
/// namespaces it starts in. Threads have every signal blocked, start with the first job that needs one, and end
/// after a while without work, so an idle pool costs nothing.
///
/// The pool itself belongs to the loop's thread. Call ``shutDown()`` before letting go of it.
package final class WorkerPool {
  private let crew: WorkerCrew
  private let loop: EventLoop
  private let mailbox: Mailbox<UInt64>
  private let token: EventLoop.Token
  private let completions = CompletionTable()

  /// Makes a pool of at most `threads` threads at a time. Each ends after `idleTime` without a job.
  package init(loop: EventLoop, threads: Int, idleTime: Duration = .seconds(5)) throws(KernelError) {
    crew = try WorkerCrew(limit: max(threads, 1), idleTime: idleTime)
    self.loop = loop
    (mailbox, token) = try loop.openMailbox { [completions] number in completions.run(number) }
  }

  /// Runs `job` on some thread, then `completion` with its result on the loop's thread.
  ///
  /// Fails with EAGAIN when no thread can be made and none is running, ESHUTDOWN after ``shutDown()``.
  package func submit<Result: Sendable>(
    _ job: @escaping @Sendable () -> Result, completion: @escaping (Result) -> Void
  ) throws(KernelError) {
    let result = ResultBox<Result>()
    let number = completions.add {
      if let value = result.take() { completion(value) }
    }
    do {
      try crew.submit { [mailbox] in
        result.put(job())
        mailbox.post(number)
      }
    } catch {
      completions.discard(number)
      throw error
    }
  }

  /// Lets every job submitted so far finish, joins the threads and delivers the last results. Takes no job afterwards.
  package func shutDown() {
    crew.shutDown()
    for number in mailbox.takeAll() { completions.run(number) }
    loop.remove(token)
  }
}

/// The completion of each job, on the loop's side.
private final class CompletionTable {
  private var waiting: [UInt64: () -> Void] = [:]
  private var lastNumber: UInt64 = 0

  func add(_ completion: @escaping () -> Void) -> UInt64 {
    lastNumber += 1
    waiting[lastNumber] = completion
    return lastNumber
  }

  func discard(_ number: UInt64) { waiting[number] = nil }

  func run(_ number: UInt64) { waiting.removeValue(forKey: number)?() }
}

/// Carries one result from a worker to the loop.
private final class ResultBox<Value: Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)

  func put(_ new: Value) { value.withLock { $0 = new } }
  func take() -> Value? { value.withLock { $0.take() } }
}

/// The threads and the queue that they share.
private final class WorkerCrew: Sendable {
  private struct State {
    var jobs: [@Sendable () -> Void] = []
    var threads: [pthread_t] = []
    var idle = 0
    var isStopping = false
  }

  private let state = Mutex(State())
  /// A semaphore: one count for each job, one for each thread at the end. May run ahead of the jobs, never behind.
  private let wake: Descriptor
  private let limit: Int
  private let idleMilliseconds: CInt

  init(limit: Int, idleTime: Duration) throws(KernelError) {
    let flags = EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE
    wake = try Descriptor.makeEventCounter(flags: flags)
    self.limit = limit
    idleMilliseconds = CInt(
      clamping: idleTime.components.seconds * 1000 + idleTime.components.attoseconds / 1_000_000_000_000_000)
  }

  func submit(_ job: @escaping @Sendable () -> Void) throws(KernelError) {
    let failure: Errno? = state.withLock { state in
      guard !state.isStopping else { return Errno(rawValue: ESHUTDOWN) }
      if state.jobs.count >= state.idle, state.threads.count < limit, let failure = startThread(&state),
        state.threads.isEmpty
      {
        return failure
      }
      state.jobs.append(job)
      return nil
    }
    if let failure { throw KernelError("start", "a worker thread", errno: failure) }
    wake.addToCounter(1)
  }

  func shutDown() {
    let threads = state.withLock { state in
      state.isStopping = true
      return state.threads
    }
    wake.addToCounter(UInt64(threads.count))
    for thread in threads { pthread_join(thread, nil) }
    state.withLock { $0.threads = [] }
  }

  /// Called with the lock held, so the new thread finds itself in the list.
  private func startThread(_ state: inout State) -> Errno? {
    // A thread inherits its mask: blocking before it exists leaves no moment in which a signal could pick it.
    let mask = SignalSet.all.block()
    defer { mask.becomeMask() }
    var thread = pthread_t()
    let crew = Unmanaged.passRetained(self)
    let result = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<WorkerCrew>.fromOpaque(argument).takeRetainedValue().serve() }
        return nil
      }, crew.toOpaque())
    guard result == 0 else {
      crew.release()
      return Errno(rawValue: result)
    }
    state.threads.append(thread)
    return nil
  }

  private func serve() {
    while let job = nextJob() { job() }
  }

  private func nextJob() -> (@Sendable () -> Void)? {
    while true {
      let (job, isDone) = state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
        guard state.jobs.isEmpty else { return (state.jobs.removeFirst(), false) }
        state.idle += state.isStopping ? 0 : 1
        return (nil, state.isStopping)
      }
      if job != nil || isDone { return job }
      var waiting = pollfd(fd: wake.rawValue, events: Int16(POLLIN), revents: 0)
      let timedOut = poll(&waiting, 1, idleMilliseconds) == 0
      wake.readCounter()
      let leaves = state.withLock { state in
        state.idle -= 1
        guard timedOut, state.jobs.isEmpty, !state.isStopping else { return false }
        // Nobody will join a thread that left by itself.
        state.threads.removeAll { pthread_equal($0, pthread_self()) != 0 }
        pthread_detach(pthread_self())
        return true
      }
      if leaves { return nil }
    }
  }
}
