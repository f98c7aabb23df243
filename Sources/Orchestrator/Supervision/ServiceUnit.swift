import Addresses
import Build
import FoundationEssentials
import Glibc
import Host
import Intent
import Isolation
import Kernel
import Logs
import Loop
import Runtime
import Vocabulary

/// One service as its supervisor keeps it: process, output, readiness, restarts. Lives on the loop's thread.
final class ServiceUnit {
  private(set) var desired: DesiredService
  private(set) var record: ServiceRecord
  let paths: ServiceFolder
  private let loop: EventLoop
  private let output: ServiceOutput
  /// All of the service's processes; nil where there is no such thing.
  private let group: ControlGroup?
  /// The service's network namespace.
  private let namespace: (DesiredService) -> SharedNamespace?
  /// Starts the process anew, for a restart policy.
  private let relaunch: (ServiceUnit) -> Void
  /// What runs the health check in a process of the service's.
  private let makeProbe: (DesiredService, ServiceProcess) -> any ProbeRunner
  /// Called for a published port behind which something listens on a loopback address alone.
  private let onUnreachable: (ServiceUnit, PublishedPort, IPAddress) -> Void
  /// Called after every change of the record.
  private let onChange: (ServiceUnit) -> Void

  private var process: ServiceProcess?
  private var processToken: EventLoop.Token?
  private var probe: ReadinessProbe?
  private var monitor: HealthMonitor?
  private var killTimer: EventLoop.TimerID?
  private var restartTimer: EventLoop.TimerID?
  /// Whether a restart is being carried out, away from the loop.
  private var isRelaunching = false
  private var backoff = RestartBackoff()
  private let readiness: ReadinessWait
  private var exitWaiters: [() -> Void] = []
  private var conditionWaiters: [ConditionWaiter] = []

  private struct ConditionWaiter {
    let condition: Dependency.Condition
    let completion: (StackError?) -> Void
  }

  init(
    _ desired: DesiredService, paths: ServiceFolder, loop: EventLoop, pump: LogPump,
    record: ServiceRecord? = nil, group: ControlGroup? = nil,
    namespace: @escaping (DesiredService) -> SharedNamespace?, relaunch: @escaping (ServiceUnit) -> Void,
    makeProbe: @escaping (DesiredService, ServiceProcess) -> any ProbeRunner,
    onUnreachable: @escaping (ServiceUnit, PublishedPort, IPAddress) -> Void = { _, _, _ in },
    onChange: @escaping (ServiceUnit) -> Void
  ) {
    self.desired = desired
    self.paths = paths
    self.loop = loop
    self.record = record ?? ServiceRecord(service: desired.name)
    self.group = group
    self.namespace = namespace
    self.relaunch = relaunch
    self.makeProbe = makeProbe
    self.onUnreachable = onUnreachable
    self.onChange = onChange
    output = ServiceOutput(paths: paths, pump: pump, loop: loop)
    readiness = ReadinessWait(loop: loop)
  }

  var name: String { desired.name }
  /// How long a service may take until it is ready, when nobody has said so.
  private var readyTime: Duration { max(.seconds(60), desired.healthCheck?.longestVerdict ?? .zero) }

  private var subject: String { "\(paths.stack.name)/\(name)" }

  /// Takes over a definition that changes nothing in the running process.
  func redefine(_ desired: DesiredService) {
    let hasOtherCheck = desired.healthCheck != self.desired.healthCheck
    self.desired = desired
    guard hasOtherCheck, process != nil else { return }
    record.health = desired.healthCheck.map { _ in ServiceRecord.Health(afterRestartOf: record.health) }
    watchHealth()
    // Who has no check is ready when something listens, who has one when it says so.
    stopWatchingReadiness()
    watchReadiness()
    changed()
  }

  // MARK: The process

  /// Takes over the process that was just started.
  func started(_ launched: ServiceProcess) {
    cancelRestart()
    // A stop that came during a restart waits for this.
    let isUnwanted = isRelaunching && record.isStoppedByHand
    if !isRelaunching { (record.restarts, backoff) = (0, RestartBackoff()) }
    isRelaunching = false
    // A service that was made anew has other FIFOs than those that were found when its former self was adopted.
    output.close()
    // What the process has written to a terminal already waits in it.
    followTerminal(of: launched)
    record.phase = .starting
    record.process = launched.identity
    record.startedAt = Date().timeIntervalSince1970
    record.finishedAt = nil
    record.exitCode = nil
    (record.pausedAt, record.ranOutOfMemory) = (nil, nil)
    record.isStoppedByHand = isUnwanted
    record.health = desired.healthCheck.map { _ in ServiceRecord.Health(afterRestartOf: record.health) }
    watch(launched)
    watchHealth()
    changed()
    if isUnwanted { signal(SIGKILL) }
  }

  /// Takes over, in a new supervisor, the process of the record, or notes how it ended meanwhile.
  func adopt() {
    output.open()
    if record.phase == .restarting { return scheduleRestart(afterRunOf: 0) }
    guard record.phase.isAlive, let identity = record.process else { return }
    if let running = ServiceProcess(identity) {
      followTerminal(of: running)
      watch(running)
      watchHealth()
      watchReadiness()
      if record.isStoppedByHand { unmarkIfItLives() }
    } else {
      ended(recordedStatus)
    }
  }

  private func watch(_ launched: ServiceProcess) {
    process = launched
    output.open()
    launched.releaseOutput()
    processToken = try? loop.register(launched.process.pidfd.fileDescriptor, interest: .read) { [weak self] _ in
      guard let self, let process = self.process else { return }
      // A supervisor that adopted the process is not its parent, and has only what stack-init wrote.
      let reaped = (try? ProcessHandle.wait(for: process.process.pidfd, block: false)) ?? nil
      ended(recordedStatus ?? reaped)
    }
  }

  /// stack-init keeps the terminal's master, so that it outlives a supervisor.
  private func followTerminal(of running: ServiceProcess) {
    guard desired.process.hasTerminal, desired.process.usesInit else { return }
    if let terminal = try? ProcessHandle.terminal(of: running.process.pidfd) { output.follow(terminal: terminal) }
  }

  private var recordedStatus: TerminationStatus? {
    ((try? ExitRecord.read(paths.exit)) ?? nil)?.status
  }

  private func ended(_ status: TerminationStatus?) {
    if let processToken { loop.remove(processToken) }
    if let killTimer { loop.cancel(killTimer) }
    (process, processToken, killTimer) = (nil, nil, nil)
    stopWatchingHealth()
    stopWatchingReadiness()
    output.close()
    let lifetime = record.startedAt.map { Date().timeIntervalSince1970 - $0 } ?? 0
    record.exitCode = status.map { Int($0.shellCode) }
    record.finishedAt = Date().timeIntervalSince1970
    record.process = nil
    record.pausedAt = nil
    noteMemory()
    // Among the processes of others, none end because the first of the service has.
    if desired.settings.pid != .own { try? group?.kill() }
    let restarts = shouldRestart
    record.phase = restarts ? .restarting : .exited
    if restarts {
      record.restarts += 1
      scheduleRestart(afterRunOf: lifetime)
    }
    changed()
    // Through a restart the wait for readiness goes on, with the time that it has left.
    if !restarts { readiness.answer(exitBeforeReady) }
    answerExit()
  }

  /// Asks the kernel, while the group of this run is still there, whether it was memory that was lacking.
  private func noteMemory() {
    let kills = try? group?.outOfMemoryKills()
    record.ranOutOfMemory = kills.map { $0 > 0 } ?? false ? true : nil
  }

  /// Notes that all processes stand still, or go on.
  func setPaused(_ isPaused: Bool) {
    guard process != nil, isPaused != (record.pausedAt != nil) else { return }
    record.pausedAt = isPaused ? Date().timeIntervalSince1970 : nil
    // A probe would stand still as well, and count as failed.
    watchHealth()
    changed()
  }

  private func answerExit() {
    let waiters = exitWaiters
    exitWaiters = []
    for waiter in waiters { waiter() }
  }

  private func scheduleRestart(afterRunOf lifetime: Double) {
    restartTimer = loop.schedule(after: backoff.next(afterRunOf: lifetime)) { [weak self] in
      guard let self else { return }
      restartTimer = nil
      isRelaunching = true
      relaunch(self)
    }
  }

  private func cancelRestart() {
    if let restartTimer { loop.cancel(restartTimer) }
    restartTimer = nil
  }

  private var shouldRestart: Bool {
    guard !record.isStoppedByHand else { return false }
    return switch desired.restart {
    case .no: false
    case .always, .unlessStopped: true
    case .onFailure(let limit): record.exitCode != 0 && (limit == 0 || record.restarts < limit)
    }
  }

  /// What a failed start of a restart says; it is tried again like an exit.
  func relaunchFailed(_ error: StackError) {
    isRelaunching = false
    output.note("cannot be started again: \(error)")
    record.startedAt = nil
    record.exitCode = 127
    guard shouldRestart else { return becomeExited() }
    record.restarts += 1
    scheduleRestart(afterRunOf: 0)
    changed()
  }

  private var exitBeforeReady: StackError? {
    guard record.exitCode != 0 || !desired.readyPorts.isEmpty else { return nil }
    if let lack = lackOfMemory(" before it was ready") { return lack }
    let how = record.exitCode.map { $0 > 128 ? "was ended by signal \($0 - 128)" : "exited with code \($0)" } ?? "ended"
    return speaking(StackError(subject, "\(how) before it was ready"))
  }

  /// The error with what the service itself has to say about it.
  private func speaking(_ error: StackError) -> StackError {
    var error = error
    error.logsOf = subject
    error.logLines = output.lastLines(10)
    return error
  }

  /// What is to be said of a run that the kernel has ended for want of memory.
  private func lackOfMemory(_ moment: String) -> StackError? {
    guard record.ranOutOfMemory == true else { return nil }
    let limit = desired.limits.memory.map { " of \(ByteSize.text($0))" } ?? ", the host's"
    let place = desired.declaredAt.map { " (\($0))" } ?? ""
    var error = StackError(
      subject, "ran out of memory\(limit)\(moment), and the kernel ended it",
      remedy: desired.limits.memory == nil
        ? "give the host more memory, or limit what else runs on it" : "raise its mem_limit\(place)")
    error.logLines = output.lastLines(10)
    return error
  }

  // MARK: Readiness

  /// Calls back when the service is ready: healthy if it has a health check; otherwise when something listens on every port
  /// that it declares.
  ///
  /// - Parameter timeout: until it counts as failed; nil for as long as such a service may reasonably take.
  func awaitReady(timeout: Duration? = nil, completion: @escaping (StackError?) -> Void) {
    guard process != nil || restartTimer != nil || isRelaunching else { return completion(exitBeforeReady) }
    readiness.add(
      for: timeout ?? readyTime, lateness: { [weak self] in self?.lateness ?? StackError(nil, "is gone") },
      completion: completion)
    if record.phase == .running { answerByHealth() } else { watchReadiness() }
  }

  /// Looks, until it is so or the process has ended, whether what was started is ready.
  func watchReadiness() {
    guard process != nil, record.phase == .starting, probe == nil else { return }
    let ports = desired.healthCheck == nil ? desired.readyPorts : []
    let probe = ReadinessProbe(ports: ports, loop: loop) { [weak self] onLoopback in
      guard let self else { return }
      self.probe = nil
      for listener in onLoopback {
        guard let port = desired.ports.first(where: { $0.target == listener.port }) else { continue }
        onUnreachable(self, port, listener.address)
      }
      becomeRunning()
    }
    self.probe = probe
    probe.start(in: namespace(desired))
  }

  private func stopWatchingReadiness() {
    probe?.cancel()
    probe = nil
  }

  private func becomeRunning() {
    guard process != nil else { return }
    record.phase = .running
    changed()
    answerByHealth()
  }

  /// What is to be said of a service that has taken too long.
  private var lateness: StackError {
    guard desired.healthCheck == nil else {
      var error = illHealth
      error.remedy = "give it more time: --wait-timeout"
      return error
    }
    let missing = (probe?.missing ?? desired.readyPorts).map(\.description).joined(separator: ", ")
    var error = StackError(
      subject, missing.isEmpty ? "is not ready" : "is not ready: nothing listens on \(missing)",
      remedy: "correct the port in the stack file, or give it more time: --wait-timeout")
    error.logLines = output.lastLines(10)
    return error
  }

  /// Answers all who wait for readiness or a condition: what they wait for does not matter any more.
  func abandonWaits() {
    readiness.answer(nil)
    let waiters = conditionWaiters
    conditionWaiters = []
    for waiter in waiters { waiter.completion(nil) }
  }

  // MARK: Health

  private func watchHealth() {
    stopWatchingHealth()
    guard let check = desired.healthCheck, record.pausedAt == nil, let process, let startedAt = record.startedAt else {
      return
    }
    monitor = HealthMonitor(
      check, health: record.health ?? ServiceRecord.Health(), startedAt: startedAt, clock: loop,
      runner: makeProbe(desired, process)
    ) { [weak self] health in
      guard let self else { return }
      record.health = health
      changed()
      if health.status == .unhealthy || record.phase == .running { answerByHealth() }
    }
  }

  private func stopWatchingHealth() {
    monitor?.stop()
    monitor = nil
  }

  /// Answers those who wait for a service that listens, unless its health is not known yet.
  private func answerByHealth() {
    switch record.healthStatus {
    case nil, .healthy: readiness.answer(nil)
    case .unhealthy: readiness.answer(illHealth)
    case .starting: break
    }
  }

  private var illHealth: StackError {
    var error = speaking(StackError(subject, record.health?.complaint ?? "is not healthy"))
    error.probeLines = record.health?.lastOutput ?? []
    return error
  }

  // MARK: Conditions

  /// Calls back once the condition holds or can no longer come true.
  func await(_ condition: Dependency.Condition, completion: @escaping (StackError?) -> Void) {
    switch answer(to: condition) {
    case .holds: completion(nil)
    case .cannotHold(let error): completion(error)
    case .open: conditionWaiters.append(ConditionWaiter(condition: condition, completion: completion))
    }
  }

  private enum Answer {
    case holds
    case cannotHold(StackError)
    /// It may still come true.
    case open
  }

  private func answer(to condition: Dependency.Condition) -> Answer {
    switch (condition, record.phase) {
    case (.started, .starting), (.started, .running): return .holds
    case (.started, .exited): return record.exitCode == 0 ? .holds : exitBeforeReady.map(Answer.cannotHold) ?? .holds
    case (.healthy, _) where desired.healthCheck == nil:
      return .cannotHold(
        StackError(subject, "has no health check that others could wait for", remedy: "give it a healthcheck"))
    case (.healthy, _) where record.healthStatus == .healthy: return .holds
    case (.healthy, .exited):
      return .cannotHold(speaking(StackError(subject, "has ended and is not healthy")))
    case (.healthy, _) where record.healthStatus == .unhealthy: return .cannotHold(illHealth)
    case (.completed, .exited):
      guard record.exitCode != 0 else { return .holds }
      if let lack = lackOfMemory(" before it had completed") { return .cannotHold(lack) }
      return .cannotHold(
        speaking(StackError(subject, "did not complete: it exited with code \(record.exitCode ?? 255)")))
    default: return .open
    }
  }

  // MARK: Stopping

  /// Asks the service to stop, insists after its grace period, and calls back when it is gone.
  func stop(grace: Duration? = nil, completion: @escaping () -> Void) {
    stoppedByHand()
    // A service on its way out is not to be judged.
    stopWatchingHealth()
    if restartTimer != nil { becomeExited() }
    guard process != nil || isRelaunching else { return completion() }
    exitWaiters.append(completion)
    // A process that is just being made is ended as soon as it is there.
    guard process != nil else { return }
    let grace = grace ?? desired.stop.grace
    // What stands still, paused or frozen by somebody else, takes no signal.
    try? group?.thaw()
    signal(grace > .zero ? desired.stop.signal : SIGKILL)
    guard killTimer == nil, grace > .zero else { return }
    killTimer = loop.schedule(after: grace) { [weak self] in
      guard let self else { return }
      killTimer = nil
      signal(SIGKILL)
    }
  }

  /// Gives up a restart that was to come.
  private func becomeExited() {
    cancelRestart()
    record.phase = .exited
    changed()
    readiness.answer(exitBeforeReady)
    answerExit()
  }

  /// Sends a signal; what has ended meanwhile needs none. SIGKILL goes to every process of the service, also where it
  /// shares the processes of others and has no process 1 whose end would be theirs.
  func signal(_ number: Int32) {
    guard let process else { return }
    try? ProcessHandle.send(number, to: process.process.pidfd)
    if number == SIGKILL { try? group?.kill() }
  }

  /// Sends a signal by hand. One that services are stopped with also ends restarts, unless the service lives on: then it
  /// meant something else to it.
  func kill(_ number: Int32) {
    guard [SIGKILL, SIGTERM, SIGINT, SIGQUIT, desired.stop.signal].contains(number) else { return signal(number) }
    stoppedByHand()
    guard restartTimer == nil else { return becomeExited() }
    signal(number)
    if killTimer == nil { unmarkIfItLives() }
  }

  /// Takes back, after the grace period, that the service was stopped by hand, if it runs on.
  private func unmarkIfItLives() {
    let marked = record.process
    loop.schedule(after: max(desired.stop.grace, .seconds(1))) { [weak self] in
      guard let self, process != nil, record.process == marked, killTimer == nil else { return }
      // What stands still has not had the signal yet.
      guard record.pausedAt == nil else { return unmarkIfItLives() }
      record.isStoppedByHand = false
      changed()
    }
  }

  /// Recorded at once: a supervisor that takes over meanwhile must not start it again.
  private func stoppedByHand() {
    guard !record.isStoppedByHand else { return }
    record.isStoppedByHand = true
    changed()
  }

  var isAlive: Bool { process != nil }

  /// Lets go of everything without touching the process.
  func close() {
    if let processToken { loop.remove(processToken) }
    stopWatchingHealth()
    for timer in [killTimer, restartTimer].compactMap(\.self) { loop.cancel(timer) }
    stopWatchingReadiness()
    readiness.close()
    output.close()
  }

  private func changed() {
    onChange(self)
    // Answering may bring new waiters.
    let waiters = conditionWaiters
    conditionWaiters = []
    for waiter in waiters { self.await(waiter.condition, completion: waiter.completion) }
  }
}
