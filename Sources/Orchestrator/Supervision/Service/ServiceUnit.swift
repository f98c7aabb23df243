import Addresses
import Build
import Glibc
import Host
import Intent
import Kernel
import Logs
import Loop
import Runtime
import Vocabulary

/// One service as its supervisor keeps it. Reports to a ``ServiceState`` what happens to the service, and carries out the
/// effects. Lives on the loop's thread.
final class ServiceUnit {
  private var state: ServiceState
  private let paths: ServiceFolder
  private let loop: EventLoop
  private let output: ServiceOutput
  /// All of the service's processes; nil where there is no such thing.
  private let group: ControlGroup?
  /// The service's network namespace.
  private let namespace: (DesiredService) -> SharedNamespace?
  /// Starts the process anew, for a restart policy.
  private let relaunch: (ServiceUnit) -> Void
  /// Makes the runner of the health check in a process of the service's.
  private let makeProbe: (DesiredService, ServiceProcess) -> any ProbeRunner
  /// Called for a published port behind which something listens on a loopback address alone.
  private let onUnreachable: (ServiceUnit, PublishedPort, IPAddress) -> Void
  /// Called with the record after every change of it.
  private let onChange: (ServiceRecord) -> Void

  private var process: ServiceProcess?
  private var processToken: EventLoop.Token?
  private var probe: ReadinessProbe?
  private var monitor: HealthMonitor?
  private var timers: [ServiceState.Timer: EventLoop.TimerID] = [:]
  private var waiters: [ServiceState.Waiter: (StackError?) -> Void] = [:]
  private var lastWaiter = 0
  /// Effects that are still to be carried out. One may bring an event, whose effects come after those of the former.
  private var pending: ArraySlice<ServiceState.Effect> = []
  private var isPerforming = false
  /// Looks for how an ended process has ended.
  private var looksForEnd = 0

  init(
    _ desired: DesiredService, paths: ServiceFolder, loop: EventLoop, pump: LogPump,
    record: ServiceRecord? = nil, group: ControlGroup? = nil,
    namespace: @escaping (DesiredService) -> SharedNamespace?, relaunch: @escaping (ServiceUnit) -> Void,
    makeProbe: @escaping (DesiredService, ServiceProcess) -> any ProbeRunner,
    onUnreachable: @escaping (ServiceUnit, PublishedPort, IPAddress) -> Void = { _, _, _ in },
    onChange: @escaping (ServiceRecord) -> Void
  ) {
    state = ServiceState(desired, stack: paths.stack.name, record: record)
    self.paths = paths
    self.loop = loop
    self.group = group
    self.namespace = namespace
    self.relaunch = relaunch
    self.makeProbe = makeProbe
    self.onUnreachable = onUnreachable
    self.onChange = onChange
    output = ServiceOutput(paths: paths, pump: pump, loop: loop)
  }

  var desired: DesiredService { state.desired }
  var record: ServiceRecord { state.record }
  var isAlive: Bool { process != nil }

  // MARK: Events

  /// Takes over a definition that changes nothing in the running process.
  func redefine(_ desired: DesiredService) { handle(.redefined(desired)) }

  /// Takes over the process that was just started.
  func started(_ launched: ServiceProcess) {
    process = launched
    handle(.started(launched.identity, at: loop.date))
  }

  /// Takes over, in a new supervisor, the process of the record, or notes how it ended meanwhile.
  func adopt() {
    process = record.phase.isAlive ? record.process.flatMap(ServiceProcess.init) : nil
    handle(process == nil ? .foundGone(end(reaped: nil)) : .foundRunning)
  }

  /// Notes that all processes stand still, or go on.
  func setPaused(_ isPaused: Bool) { handle(isPaused ? .paused(at: loop.date) : .resumed) }

  /// Notes that a restart has come to nothing.
  func relaunchFailed(_ error: StackError) { handle(.relaunchFailed(error)) }

  /// Looks, until it is so or the process has ended, whether a service that was started is ready.
  func watchReadiness() { handle(.lookForReadiness) }

  /// Calls back when the service is ready, or why it is not.
  ///
  /// - Parameter timeout: until it counts as failed; nil for as long as such a service may reasonably take.
  func awaitReady(timeout: Duration? = nil, completion: @escaping (StackError?) -> Void) {
    handle(.awaitReady(waiter(completion), patience: timeout))
  }

  /// Calls back once the condition holds or can no longer come true.
  func await(_ condition: Dependency.Condition, completion: @escaping (StackError?) -> Void) {
    handle(.awaitCondition(waiter(completion), condition))
  }

  /// Answers all who wait for readiness or a condition: what they wait for does not matter any more.
  func abandonWaits() { handle(.abandonWaits) }

  /// Asks the service to stop, insists after its grace period, and calls back when it is gone.
  func stop(grace: Duration? = nil, completion: @escaping () -> Void) {
    handle(.stop(waiter { _ in completion() }, grace: grace))
  }

  /// Sends a signal by hand.
  func kill(_ number: Int32) { handle(.kill(number)) }

  private func waiter(_ completion: @escaping (StackError?) -> Void) -> ServiceState.Waiter {
    lastWaiter += 1
    let waiter = ServiceState.Waiter(number: lastWaiter)
    waiters[waiter] = completion
    return waiter
  }

  private func processEnded() {
    guard let process else { return }
    // A supervisor that adopted the process is not its parent, and has only what stack-init wrote.
    let reaped = (try? ProcessHandle.wait(for: process.process.pidfd, block: false)) ?? nil
    let end = end(reaped: reaped)
    // The watcher of a former supervisor, whose child it is, learns of its end at the same moment.
    if end.status == nil, looksForEnd < Self.looksForEndLimit {
      looksForEnd += 1
      if let processToken { loop.remove(processToken) }
      processToken = nil
      loop.schedule(after: .milliseconds(10)) { [weak self] in
        if self?.process?.identity == process.identity { self?.processEnded() }
      }
      return
    }
    looksForEnd = 0
    handle(.exited(end))
  }

  private static let looksForEndLimit = 20

  /// The end of the last run. It is read from the exit record and from the cgroup, which still exists.
  private func end(reaped: TerminationStatus?) -> ServiceState.End {
    let recorded = paths.stack.end(of: record.process, in: paths.name, startedAt: record.startedAt)
    let kills = (try? group?.outOfMemoryKills()) ?? 0
    return ServiceState.End(status: recorded ?? reaped, ranOutOfMemory: kills > 0, moment: loop.date)
  }

  private func fired(_ timer: ServiceState.Timer) {
    timers[timer] = nil
    switch timer {
    case .restart: handle(.restartDue)
    case .grace: handle(.graceEnded)
    case .mark: handle(.markExpired)
    case .patience(let waiter):
      handle(.patienceEnded(waiter, missing: probe?.missing ?? desired.readyPorts))
    }
  }

  // MARK: Effects

  private func handle(_ event: ServiceState.Event) {
    pending += state.handle(event)
    guard !isPerforming else { return }
    isPerforming = true
    defer { isPerforming = false }
    while let effect = pending.popFirst() { perform(effect) }
  }

  private func perform(_ effect: ServiceState.Effect) {
    switch effect {
    case .watchProcess: watchProcess()
    case .releaseProcess: releaseProcess()
    case .openOutput: output.open(of: process?.identity)
    case .followTerminal:
      if let process, case .some(let terminal) = try? process.terminal(keptByInit: desired.process.usesInit) {
        output.follow(terminal: terminal)
      }
    case .closeOutput: output.close()
    case .note(let text): output.note(text)
    case .watchPorts(let ports): watch(ports)
    case .stopWatchingPorts: stopWatchingPorts()
    case .watchHealth(let check, let health, let startedAt): watchHealth(check, health, startedAt)
    case .stopWatchingHealth: stopWatchingHealth()
    case .schedule(let timer, let delay):
      cancel(timer)
      timers[timer] = loop.schedule(after: delay) { [weak self] in self?.fired(timer) }
    case .cancel(let timer): cancel(timer)
    case .signal(let number):
      // A process that has ended meanwhile needs no signal.
      if let process { try? ProcessHandle.send(number, to: process.process.pidfd) }
    case .thaw: try? group?.thaw()
    case .killGroup: try? group?.kill()
    case .relaunch: relaunch(self)
    case .record(var record):
      record.terminal = process?.process.terminalNumber
      onChange(record)
    case .answer(let waiter, let refusal): waiters.removeValue(forKey: waiter)?(refusal.map(complete))
    }
  }

  private func watchProcess() {
    guard let process else { return }
    process.releaseOutput()
    processToken = try? loop.register(process.process.pidfd.fileDescriptor, interest: .read) { [weak self] _ in
      self?.processEnded()
    }
  }

  private func releaseProcess() {
    if let processToken { loop.remove(processToken) }
    (process, processToken) = (nil, nil)
  }

  private func watch(_ ports: [ListeningPort]) {
    let probe = ReadinessProbe(ports: ports, loop: loop) { [weak self] onLoopback in
      guard let self else { return }
      self.probe = nil
      for listener in onLoopback {
        guard let port = desired.ports.first(where: { $0.target == listener.port }) else { continue }
        onUnreachable(self, port, listener.address)
      }
      handle(.portsOpened)
    }
    self.probe = probe
    probe.start(in: namespace(desired))
  }

  private func stopWatchingPorts() {
    probe?.cancel()
    probe = nil
  }

  private func watchHealth(_ check: HealthCheck, _ health: ServiceRecord.Health, _ startedAt: Double) {
    stopWatchingHealth()
    guard let process else { return }
    monitor = HealthMonitor(
      check, health: health, startedAt: startedAt, clock: loop, runner: makeProbe(desired, process)
    ) { [weak self] health in self?.handle(.probed(health)) }
  }

  private func stopWatchingHealth() {
    monitor?.stop()
    monitor = nil
  }

  private func cancel(_ timer: ServiceState.Timer) {
    if let id = timers.removeValue(forKey: timer) { loop.cancel(id) }
  }

  private func complete(_ refusal: ServiceState.Refusal) -> StackError {
    var error = refusal.error
    if refusal.quotesLog { error.logLines = output.lastLines(10) }
    return error
  }

  /// Lets go of everything without touching the process.
  func close() {
    if let processToken { loop.remove(processToken) }
    processToken = nil
    stopWatchingHealth()
    stopWatchingPorts()
    for id in timers.values { loop.cancel(id) }
    (timers, waiters, pending) = ([:], [:], [])
    output.close()
  }
}
