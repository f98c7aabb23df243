import Host
import Intent
import Vocabulary

/// Readiness, health, and those who wait for either.
extension ServiceState {
  // MARK: Readiness

  /// Waits until the service is ready: healthy if it has a health check. Otherwise when something listens on every port
  /// that it declares.
  mutating func awaitReady(_ waiter: Waiter, patience: Duration?) {
    guard activity != .idle || timers.contains(.restart) else { return answer(waiter, exitBeforeReady) }
    readyWaiters.append(waiter)
    schedule(.patience(waiter), after: patience ?? readyTime)
    if record.phase == .running { answerByHealth() } else { lookForReadiness() }
  }

  /// The default limit of the time until a service is ready.
  private var readyTime: Duration { max(.seconds(60), desired.healthCheck?.longestVerdict ?? .zero) }

  /// Looks, until it is so or the process has ended, whether the service is ready.
  ///
  /// A service that is ready late is ready all the same, so this goes on when nobody waits any longer.
  mutating func lookForReadiness() {
    guard activity == .running, record.phase == .starting, !watchesPorts else { return }
    // An instance for one command listens, if at all, only once the command does.
    let ports = desired.healthCheck == nil && !desired.isOneOff ? desired.readyPorts : []
    guard !ports.isEmpty else { return becomeRunning() }
    watchesPorts = true
    emit(.watchPorts(ports))
  }

  mutating func stopWatchingPorts() {
    guard watchesPorts else { return }
    watchesPorts = false
    emit(.stopWatchingPorts)
  }

  mutating func portsOpened() {
    guard watchesPorts else { return }
    watchesPorts = false
    becomeRunning()
  }

  private mutating func becomeRunning() {
    record.phase = .running
    recordChanged()
    answerByHealth()
  }

  mutating func patienceEnded(of waiter: Waiter, missing: [ListeningPort]) {
    guard timers.remove(.patience(waiter)) != nil else { return }
    readyWaiters.removeAll { $0 == waiter }
    answer(waiter, lateness(missing: missing))
  }

  /// Answers all who wait for readiness, in the order in which they came.
  ///
  /// - Parameter refusal: nil when the service is ready, or when nobody is interested any more.
  mutating func answerReady(_ refusal: Refusal?) {
    for waiter in readyWaiters {
      cancel(.patience(waiter))
      answer(waiter, refusal)
    }
    readyWaiters = []
  }

  // MARK: Health

  /// Begins to probe anew, or stops if there is nothing to probe.
  mutating func watchHealth() {
    guard let check = desired.healthCheck, record.pausedAt == nil, activity == .running,
      let startedAt = record.startedAt
    else { return emit(.stopWatchingHealth) }
    emit(.watchHealth(check, record.health ?? ServiceRecord.Health(), startedAt: startedAt))
  }

  mutating func probed(_ health: ServiceRecord.Health) {
    record.health = health
    recordChanged()
    if health.status == .unhealthy || record.phase == .running { answerByHealth() }
  }

  /// Answers those who wait for a service that listens, unless its health is not known yet.
  private mutating func answerByHealth() {
    switch record.healthStatus {
    case nil, .healthy: answerReady(nil)
    case .unhealthy: answerReady(illHealth)
    case .starting: break
    }
  }

  // MARK: Conditions

  /// Waits until the condition holds or can no longer come true.
  mutating func awaitCondition(_ waiter: Waiter, _ condition: Dependency.Condition) {
    switch answer(to: condition) {
    case .holds: answer(waiter, nil)
    case .cannotHold(let refusal): answer(waiter, refusal)
    case .open: conditionWaiters.append((waiter, condition))
    }
  }

  private enum Answer {
    case holds
    case cannotHold(Refusal)
    /// It may still come true.
    case open
  }

  private func answer(to condition: Dependency.Condition) -> Answer {
    switch (condition, record.phase) {
    case (.started, .starting), (.started, .running): return .holds
    case (.started, .exited): return record.exitCode == 0 ? .holds : exitBeforeReady.map(Answer.cannotHold) ?? .holds
    case (.healthy, _) where desired.healthCheck == nil: return .cannotHold(noHealthCheck)
    case (.healthy, _) where record.healthStatus == .healthy: return .holds
    case (.healthy, .exited): return .cannotHold(speaking("has ended and is not healthy"))
    case (.healthy, _) where record.healthStatus == .unhealthy: return .cannotHold(illHealth)
    case (.completed, .exited): return record.exitCode == 0 ? .holds : .cannotHold(incompletion)
    default: return .open
    }
  }

  mutating func abandonWaits() {
    answerReady(nil)
    for (waiter, _) in conditionWaiters { answer(waiter, nil) }
    conditionWaiters = []
  }
}
