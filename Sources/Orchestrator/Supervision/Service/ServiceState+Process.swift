import Glibc
import Host
import Intent
import Runtime
import Vocabulary

/// Starts, ends and restarts.
extension ServiceState {
  mutating func started(_ process: ProcessIdentity, at moment: Double) {
    cancel(.restart)
    let isRestart = activity == .relaunching
    // A stop that came during a restart waits for this.
    let isUnwanted = isRestart && record.isStoppedByHand
    if !isRestart { (record.restarts, backoff) = (0, RestartBackoff()) }
    activity = .running
    // A service that was made anew has other FIFOs than those that were found when its former self was adopted.
    emit(.closeOutput)
    // Output that the process has written to a terminal already waits in it.
    followTerminal()
    record.phase = .starting
    record.process = process
    record.startedAt = moment
    record.finishedAt = nil
    record.exitCode = nil
    (record.pausedAt, record.ranOutOfMemory) = (nil, nil)
    record.isStoppedByHand = isUnwanted
    record.health = desired.healthCheck.map { _ in ServiceRecord.Health(afterRestartOf: record.health) }
    emit(.openOutput)
    emit(.watchProcess)
    watchHealth()
    recordChanged()
    if isUnwanted { return signal(SIGKILL) }
    // The plan looks for the readiness of what it starts. Nobody else does for a restart.
    if isRestart { lookForReadiness() }
  }

  mutating func foundRunning() {
    activity = .running
    emit(.openOutput)
    followTerminal()
    emit(.watchProcess)
    watchHealth()
    lookForReadiness()
    if record.isStoppedByHand { unmarkIfItLives() }
  }

  mutating func foundGone(_ end: End) {
    emit(.openOutput)
    if record.phase == .restarting { return scheduleRestart(afterRunOf: 0) }
    guard record.phase.isAlive, record.process != nil else { return }
    ended(end)
  }

  mutating func ended(_ end: End) {
    activity = .idle
    emit(.releaseProcess)
    cancel(.grace)
    cancel(.mark)
    emit(.stopWatchingHealth)
    stopWatchingPorts()
    emit(.closeOutput)
    let lifetime = record.startedAt.map { end.moment - $0 } ?? 0
    record.exitCode = end.status.map { Int($0.shellCode) }
    record.finishedAt = end.moment
    record.process = nil
    record.pausedAt = nil
    record.ranOutOfMemory = end.ranOutOfMemory ? true : nil
    // Among the processes of others, none end because the first of the service has.
    if desired.settings.pid != .own { emit(.killGroup) }
    let restarts = shouldRestart
    record.phase = restarts ? .restarting : .exited
    if restarts {
      record.restarts += 1
      scheduleRestart(afterRunOf: lifetime)
    }
    recordChanged()
    // Through a restart the wait for readiness goes on, with the time that it has left.
    if !restarts { answerReady(exitBeforeReady) }
    answerExit()
  }

  private mutating func followTerminal() {
    if desired.process.hasTerminal { emit(.followTerminal) }
  }

  mutating func redefine(_ desired: DesiredService) {
    let hasOtherCheck = desired.healthCheck != self.desired.healthCheck
    self.desired = desired
    guard hasOtherCheck, activity == .running else { return }
    record.health = desired.healthCheck.map { _ in ServiceRecord.Health(afterRestartOf: record.health) }
    watchHealth()
    // A service without a check is ready when something listens, one with a check when that says so.
    stopWatchingPorts()
    lookForReadiness()
    recordChanged()
  }

  /// - Parameter moment: since when the processes stand still; nil if they go on.
  mutating func setPaused(since moment: Double?) {
    guard activity == .running, (moment == nil) != (record.pausedAt == nil) else { return }
    record.pausedAt = moment
    // A probe would stand still as well, and count as failed.
    watchHealth()
    recordChanged()
  }

  // MARK: Restarts

  var shouldRestart: Bool {
    guard !record.isStoppedByHand else { return false }
    return switch desired.restart {
    case .no: false
    case .always, .unlessStopped: true
    case .onFailure(let limit): record.exitCode != 0 && (limit == 0 || record.restarts < limit)
    }
  }

  private mutating func scheduleRestart(afterRunOf lifetime: Double) {
    schedule(.restart, after: backoff.next(afterRunOf: lifetime))
  }

  mutating func restartDue() {
    guard timers.remove(.restart) != nil else { return }
    activity = .relaunching
    emit(.relaunch)
  }

  /// Counts a restart that failed as an exit, and tries again.
  ///
  /// A person may have started the service meanwhile. Then it runs, and only the log hears of the failure.
  mutating func relaunchFailed(_ error: StackError) {
    emit(.note("cannot be started again: \(error)"))
    guard activity == .relaunching else { return }
    activity = .idle
    record.startedAt = nil
    record.exitCode = 127
    guard shouldRestart else { return giveUpRestart() }
    record.restarts += 1
    scheduleRestart(afterRunOf: 0)
    recordChanged()
  }

  /// Gives up a restart that was to come.
  mutating func giveUpRestart() {
    cancel(.restart)
    record.phase = .exited
    recordChanged()
    answerReady(exitBeforeReady)
    answerExit()
  }
}
