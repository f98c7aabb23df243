import CLinux
import Glibc
import Kernel
import SystemPackage

/// One thread, one epoll instance: descriptors, timers and mailboxes, each with its handler (epoll(7)).
///
/// The loop and everything its handlers touch belong to the thread that runs it, so there are no locks. Other threads
/// reach it through a ``Mailbox``. Readiness is level-triggered: a handler may take as little as it likes and is called
/// again. A handler may remove any token, its own too: nothing removed is called again, not even in the same batch.
///
/// Descriptors are borrowed. Remove the token first, then close the descriptor.
package final class EventLoop {
  /// The events that a registration waits for. Hang-up and errors are always reported.
  package struct Interest: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let read = Interest(rawValue: EPOLLIN.rawValue)
    package static let write = Interest(rawValue: EPOLLOUT.rawValue)
  }

  /// The events that the kernel reports.
  package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    package static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    package static let hangUp = Readiness(rawValue: EPOLLHUP.rawValue)
    package static let error = Readiness(rawValue: EPOLLERR.rawValue)
  }

  /// Names one registration. A token is not used twice.
  package struct Token: Hashable, Sendable {
    let number: UInt64
  }

  /// Names one timer. An id is not used twice.
  package struct TimerID: Hashable, Sendable {
    let number: UInt64
  }

  /// Time that only goes forward (CLOCK_MONOTONIC): setting the host's clock moves no timer.
  package typealias Instant = SuspendingClock.Instant

  private struct Registration {
    let descriptor: FileDescriptor
    var interest: Interest
    let handler: (Readiness) -> Void
  }

  private static let batchSize = 64

  private var epoll: Descriptor
  private var registrations: [Token: Registration] = [:]
  /// The last registration of each descriptor number. A number that was closed before its token was removed may have been
  /// used again.
  private var owners: [CInt: Token] = [:]
  private var removedInBatch: Set<Token> = []
  private var lastToken: UInt64 = 0
  private var timers = TimerQueue<Instant, () -> Void>()
  private var isStopping = false

  /// Fails with EMFILE, ENFILE or ENOMEM (epoll_create(2)).
  package init() throws(KernelError) {
    epoll = try Self.makeEpoll()
  }

  /// The loop's notion of now.
  package var now: Instant { SuspendingClock.now }

  // MARK: Descriptors

  /// Calls `handler` whenever `descriptor` is ready for what `interest` names, until the token is removed.
  ///
  /// Fails with EPERM for what cannot be polled (a regular file), EEXIST for a descriptor registered already,
  /// ENOSPC when the user's watches are used up.
  package func register(
    _ descriptor: FileDescriptor, interest: Interest, handler: @escaping (Readiness) -> Void
  ) throws(KernelError) -> Token {
    let token = Token(number: lastToken + 1)
    try control(EPOLL_CTL_ADD, descriptor, interest, token)
    lastToken += 1
    registrations[token] = Registration(descriptor: descriptor, interest: interest, handler: handler)
    owners[descriptor.rawValue] = token
    return token
  }

  /// Changes what a registration waits for. A token that was removed is ignored.
  package func setInterest(_ interest: Interest, for token: Token) throws(KernelError) {
    guard let registration = registrations[token], registration.interest != interest else { return }
    guard owners[registration.descriptor.rawValue] == token else { return }
    try control(EPOLL_CTL_MOD, registration.descriptor, interest, token)
    registrations[token]?.interest = interest
  }

  /// Ends a registration. A token that was removed before is ignored.
  package func remove(_ token: Token) {
    guard let registration = registrations.removeValue(forKey: token) else { return }
    removedInBatch.insert(token)
    guard owners[registration.descriptor.rawValue] == token else { return }
    owners[registration.descriptor.rawValue] = nil
    // A descriptor closed already has left epoll by itself, unless another copy of it is open: see `dispatch`.
    epoll_ctl(epoll.rawValue, EPOLL_CTL_DEL, registration.descriptor.rawValue, nil)
  }

  /// True while the token has its handler.
  func isRegistered(_ token: Token) -> Bool { registrations[token] != nil }

  // MARK: Timers

  /// Calls `action` once, `delay` from now or up to a millisecond later.
  @discardableResult
  package func schedule(after delay: Duration, _ action: @escaping () -> Void) -> TimerID {
    schedule(at: now + delay.bounded, action)
  }

  /// Calls `action` once, at `deadline` or up to a millisecond later.
  @discardableResult
  package func schedule(at deadline: Instant, _ action: @escaping () -> Void) -> TimerID {
    TimerID(number: timers.insert(at: deadline, action))
  }

  /// Cancels a timer; one that has fired is ignored.
  package func cancel(_ timer: TimerID) {
    timers.remove(timer.number)
  }

  // MARK: Running

  /// Runs until ``stop()``. Fails only when epoll itself does.
  package func run() throws(KernelError) {
    defer { isStopping = false }
    while !isStopping {
      try turn(atMost: nil)
    }
  }

  /// Makes ``run()`` return once the handler that calls this has; called before it, `run()` returns at once.
  package func stop() { isStopping = true }

  /// Waits once, for `limit` at most (`nil`: for as long as it takes), then calls what is ready and due.
  package func turn(atMost limit: Duration?) throws(KernelError) {
    try dispatch(wait(milliseconds: timeout(atMost: limit)))
    let moment = now
    while !isStopping, let action = timers.popDue(at: moment) {
      action()
    }
  }

  private func wait(milliseconds: CInt) throws(KernelError) -> [epoll_event] {
    var failure: Errno?
    let events = [epoll_event](unsafeUninitializedCapacity: Self.batchSize) { buffer, count in
      let ready = epoll_wait(epoll.rawValue, buffer.baseAddress, CInt(buffer.count), milliseconds)
      if ready < 0 { failure = Errno.last }
      count = Int(max(ready, 0))
    }
    // A signal that is not blocked only ends the wait early.
    if let failure, failure != .interrupted {
      throw KernelError("wait on", "epoll", errno: failure)
    }
    return events
  }

  private func dispatch(_ events: [epoll_event]) throws(KernelError) {
    removedInBatch.removeAll(keepingCapacity: true)
    var sawStranger = false
    for event in events {
      guard !isStopping else { break }
      let token = Token(number: event.data.u64)
      guard let registration = registrations[token] else {
        sawStranger = sawStranger || !removedInBatch.contains(token)
        continue
      }
      registration.handler(Readiness(rawValue: event.events))
    }
    if sawStranger { try shedStrangers() }
  }

  /// Events of a token that is gone mean that its descriptor was closed before its removal while another process
  /// holds a copy. Linux has no way left to take it out, and it would wake the loop for ever: start a new epoll.
  private func shedStrangers() throws(KernelError) {
    epoll = try Self.makeEpoll()
    for (token, registration) in registrations where owners[registration.descriptor.rawValue] == token {
      do {
        try control(EPOLL_CTL_ADD, registration.descriptor, registration.interest, token)
      } catch  where error.errno == .badFileDescriptor {
        owners[registration.descriptor.rawValue] = nil
      }
    }
  }

  private func timeout(atMost limit: Duration?) -> CInt {
    if isStopping { return 0 }
    let untilTimer = timers.nextDeadline.map { now.duration(to: $0) }
    guard let wait = [untilTimer, limit].compactMap({ $0 }).min() else { return -1 }
    guard wait > .zero else { return 0 }
    // Rounded up: a wait that ends before the deadline would only be followed by another.
    let (seconds, attoseconds) = wait.components
    let milliseconds = seconds.multipliedReportingOverflow(by: 1000)
    guard !milliseconds.overflow, milliseconds.partialValue < Int64(CInt.max) - 1000 else { return CInt.max }
    return CInt(milliseconds.partialValue + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }

  private func control(
    _ operation: CInt, _ descriptor: FileDescriptor, _ interest: Interest, _ token: Token
  ) throws(KernelError) {
    var event = epoll_event(events: interest.rawValue, data: epoll_data_t(u64: token.number))
    guard epoll_ctl(epoll.rawValue, operation, descriptor.rawValue, &event) == 0 else {
      throw KernelError("watch", "descriptor \(descriptor.rawValue)", errno: .last)
    }
  }

  private static func makeEpoll() throws(KernelError) -> Descriptor {
    let number = epoll_create1(CInt(EPOLL_CLOEXEC))
    guard number >= 0 else { throw KernelError("create", "an epoll instance", errno: .last) }
    return Descriptor(adopting: number)
  }
}
