import Glibc
import Intent

/// Stops and signals.
extension ServiceState {
  /// Asks the service to stop, insists after its grace period, and answers when it is gone.
  mutating func stop(_ waiter: Waiter, grace: Duration?) {
    markStoppedByHand()
    // A service on its way out is not to be judged, nor to be found alive by the mark's timer.
    emit(.stopWatchingHealth)
    cancel(.mark)
    if timers.contains(.restart) { giveUpRestart() }
    guard activity != .idle else { return answer(waiter, nil) }
    exitWaiters.append(waiter)
    // A process that is just being made is ended as soon as it is there.
    guard activity == .running else { return }
    let grace = grace ?? desired.stop.grace
    // Processes that stand still, paused or frozen by somebody else, take no signal.
    emit(.thaw)
    signal(grace > .zero ? desired.stop.signal : SIGKILL)
    if grace > .zero, !timers.contains(.grace) { schedule(.grace, after: grace) }
  }

  mutating func graceEnded() {
    guard timers.remove(.grace) != nil else { return }
    signal(SIGKILL)
  }

  mutating func answerExit() {
    for waiter in exitWaiters { answer(waiter, nil) }
    exitWaiters = []
  }

  /// Sends a signal. SIGKILL goes to every process of the service, also where it shares the processes of others and has
  /// no process 1 whose end would be theirs.
  mutating func signal(_ number: Int32) {
    guard activity == .running else { return }
    emit(.signal(number))
    if number == SIGKILL { emit(.killGroup) }
  }

  /// Sends a person's signal. One that services are stopped with also ends restarts, unless the service lives on: then
  /// it meant something else to it.
  mutating func kill(_ number: Int32) {
    guard [SIGKILL, SIGTERM, SIGINT, SIGQUIT, desired.stop.signal].contains(number) else { return signal(number) }
    markStoppedByHand()
    guard !timers.contains(.restart) else { return giveUpRestart() }
    signal(number)
    if activity == .running, !timers.contains(.grace) { unmarkIfItLives() }
  }

  /// Takes back, after the grace period, that the service was stopped by hand, if it runs on.
  mutating func unmarkIfItLives() {
    schedule(.mark, after: max(desired.stop.grace, .seconds(1)))
  }

  mutating func markExpired() {
    guard timers.remove(.mark) != nil else { return }
    // A service that stands still has not had the signal yet.
    guard record.pausedAt == nil else { return unmarkIfItLives() }
    record.isStoppedByHand = false
    recordChanged()
  }

  /// Recorded at once: a supervisor that takes over meanwhile must not start it again.
  private mutating func markStoppedByHand() {
    guard !record.isStoppedByHand else { return }
    record.isStoppedByHand = true
    recordChanged()
  }
}
