import CLinux
import Glibc
import Kernel
import Runtime

/// What keeps one stack: it applies plans, watches processes, writes logs and answers commands.
///
/// A single thread around one loop; only steps that block go to a few workers. It may be killed at any moment: services go
/// on, and the next supervisor adopts them from their records.
final class Supervisor {
  /// How many threads make namespaces, mounts and processes. One more than the two cores that it was measured on: each
  /// sleeps while the process that it is making sets itself up.
  private static let workers = 3

  let loop: EventLoop
  let builder: StackBuilder
  let watch: StackWatch
  private let pool: WorkerPool
  private let pump: LogPump
  let server: ControlServer
  private let names: NameService
  private let events: EventJournal
  var stack: DesiredStack?
  private var units: [String: ServiceUnit] = [:]
  var run: PlanRun?
  private var readyTimeout: Duration?
  private var stopTimeout: Duration?
  /// Commands that came while another was being carried out, in order.
  private var queue: [() -> Void] = []
  private var isBusy = false
  /// Ends what was set for a time by hand.
  var overrideTimer: EventLoop.TimerID?

  init(builder: StackBuilder, listener: consuming Descriptor) throws(KernelError) {
    self.builder = builder
    loop = try EventLoop()
    watch = StackWatch(loop: loop)
    pump = LogPump(loop: loop, staging: builder.folder.staging)
    pool = try WorkerPool(loop: loop, threads: Self.workers)
    server = try ControlServer(loop: loop, listener: listener)
    names = NameService(loop: loop, folder: builder.folder)
    events = EventJournal(builder.folder, scratch: pump.scratch)
    answerCommands()
  }

  /// Runs until the stack is down.
  func serve() throws(KernelError) {
    // So that ps(1) shows what it is; the program was started by the name of /proc/self/exe.
    try? Files.set("/proc/self/comm", to: "stack")
    // Only a way to be found: on a full disk it must still be there to take the stack down.
    try? StateFile<ProcessIdentity>(path: builder.folder.supervisor).write(ProcessIdentity(of: getpid()))
    adopt()
    warmUp()
    loop.schedule(after: .seconds(10)) { [weak self] in self?.endIfIdle() }
    try loop.run()
    for unit in units.values { unit.close() }
    names.close()
    watch.close()
    server.close()
    pool.shutDown()
  }

  /// What the next service to be started will take is made while the command that started this still chooses. What fails here
  /// fails again, and is said, when it is needed.
  private func warmUp() {
    try? pool.submit { [builder] in
      builder.warmUp()
    } completion: { _ in
    }
  }

  /// A supervisor without a stack, whose command went away before it asked for one, has nothing to do.
  private func endIfIdle() {
    if stack == nil, !isBusy { loop.stop() }
  }

  // MARK: Adoption

  private func adopt() {
    pump.finishStaged()
    let salvage = Salvage(folders: builder.folders, stack: builder.stack)
    guard let recorded = (try? salvage.recordedOrObserved()) ?? nil else { return }
    stack = recorded
    for service in recorded.services {
      let record = (try? StateFile<ServiceRecord>(path: builder.folder.service(service.name).record).read()) ?? nil
      let unit = makeUnit(service, record: record)
      events.begin(with: unit.record)
      unit.adopt()
    }
    // Nobody is there to be told of a network without an answer; the next `up` says it.
    _ = names.serve(recorded)
    for unit in units.values { names.update(unit.record) }
    names.follow(hostsFilesOf: recorded)
    watchOverrides()
    watchHost()
  }

  private func makeUnit(_ service: DesiredService, record: ServiceRecord? = nil) -> ServiceUnit {
    let unit = ServiceUnit(
      service, paths: builder.folder.service(service.name), loop: loop, pump: pump, record: record,
      group: builder.controlGroup(of: service.name),
      namespace: { [builder] in try? builder.namespace(of: $0) },
      relaunch: { [weak self] in self?.relaunch($0) },
      makeProbe: { [loop, pool, builder] in builder.probe(of: $0, in: $1, loop: loop, pool: pool) },
      onChange: { [weak self] in self?.persist($0) })
    units[service.name] = unit
    return unit
  }

  private func persist(_ unit: ServiceUnit) {
    // A full disk must not stop the supervision: the record is behind until the next change.
    try? StateFile(path: unit.paths.record).write(unit.record)
    names.update(unit.record)
    events.update(unit.record)
  }

  private func relaunch(_ unit: ServiceUnit) {
    apply([.start(unit.desired, stack: builder.stack)]) { _, error in
      if let error { unit.relaunchFailed(error) } else { unit.watchReadiness() }
    }
  }

  // MARK: Commands

  private func answerCommands() {
    server.handle(SupervisorMethods.Idle.self) { [unowned self] call in
      enqueue { [unowned self] in
        call.finish(Nothing())
        commandEnded()
      }
    }
    server.handle(SupervisorMethods.Up.self) { [unowned self] call in enqueue { [unowned self] in up(call) } }
    server.handle(SupervisorMethods.Down.self) { [unowned self] call in enqueue { [unowned self] in down(call) } }
    server.handle(SupervisorMethods.Start.self) { [unowned self] call in
      select(call, call.parameters) { [unowned self] in
        Planner.start($0, in: $1, observed: observed)
      }
    }
    server.handle(SupervisorMethods.Stop.self) { [unowned self] call in
      select(call, call.parameters) { Planner.stop($0, in: $1) }
    }
    server.handle(SupervisorMethods.Restart.self) { [unowned self] call in
      select(call, call.parameters) { Planner.restart($0, in: $1) }
    }
    server.handle(SupervisorMethods.Pause.self) { [unowned self] call in
      select(call, call.parameters) { [unowned self] in
        Planner.pause($0, in: $1, observed: observed)
      }
    }
    server.handle(SupervisorMethods.Unpause.self) { [unowned self] call in
      select(call, call.parameters) { Planner.unpause($0, in: $1) }
    }
    server.handle(SupervisorMethods.Kill.self) { [unowned self] call in
      let named = call.parameters.services
      for (name, unit) in units where named.isEmpty || named.contains(name) { unit.kill(call.parameters.signal) }
      call.finish(OperationEvent(.finished))
    }
    answerShaping()
    server.handle(SupervisorMethods.Cancel.self) { [unowned self] call in
      run?.cancel()
      call.finish(Nothing())
    }
  }

  /// One command changes the stack at a time.
  func enqueue(_ command: @escaping () -> Void) {
    guard !isBusy else { return queue.append(command) }
    isBusy = true
    command()
  }

  func commandEnded() {
    run = nil
    isBusy = false
    guard !queue.isEmpty else { return releaseCodeSoon() }
    enqueue(queue.removeFirst())
  }

  private var observed: Planner.Observed { units.mapValues(\.record.phase) }

  /// Most of the program has run by now, and most of that will not run again for a long time.
  private func releaseCodeSoon() {
    loop.schedule(after: .milliseconds(200)) { [weak self] in
      if self?.isBusy == false { stack_release_code() }
    }
  }

  private func up(_ call: ControlCall<SupervisorMethods.Up>) {
    let before = stack
    // A supervisor that was killed may have recorded already what was claimed. What cannot be read is another matter.
    let isClaimed = Files.exists(builder.folder.claim)
    guard let desired = claimed() ?? (isClaimed ? nil : before) else {
      let text = isClaimed ? "what was to be brought up cannot be read back" : "what was to be brought up is gone"
      call.finish(OperationEvent(.failed, errors: [StackError(builder.stack, text, remedy: "try again")]))
      return commandEnded()
    }
    let plan = Planner.up(
      desired, recorded: before, isSettled: Files.exists(builder.folder.settled),
      observed: observed, loss: before.flatMap { try? builder.loss(of: $0) } ?? NetworkLoss(),
      scope: call.parameters.scope)
    readyTimeout = call.parameters.readyTimeout.map { .seconds(bounded: $0) }
    stopTimeout = call.parameters.stopTimeout.map { .seconds(bounded: $0) }
    call.onDisconnect = { [weak self] in self?.run?.cancel() }
    redefine(desired)
    call.send(OperationEvent(plan.reasons))
    for failure in names.serve(desired) {
      call.send(OperationEvent(.warning, text: "\(StackError(builder.stack, failure))"))
    }
    perform(plan, call) { [self] run in
      guard run.errors.isEmpty, !run.isCancelled else { return undo(run, of: desired, before: before, call) }
      stack = desired
      watchOverrides()
      watchHost()
      try? builder.settle()
      for name in units.keys where desired.service(named: name) == nil { units.removeValue(forKey: name)?.close() }
      call.finish(OperationEvent(.finished))
      commandEnded()
    }
  }

  private func claimed() -> DesiredStack? {
    (try? StateFile(path: builder.folder.claim).read()) ?? nil
  }

  /// Makes the units what the services are to be; those that run keep their process.
  func redefine(_ desired: DesiredStack) {
    for service in desired.services {
      if let unit = units[service.name] { unit.redefine(service) } else { _ = makeUnit(service) }
    }
  }

  /// Takes back what an `up` that failed or was cancelled had begun. A stack that was not there before is gone again.
  private func undo(
    _ failed: PlanRun, of desired: DesiredStack, before: DesiredStack?, _ call: ControlCall<SupervisorMethods.Up>
  ) {
    call.onDisconnect = nil
    let plan =
      before.map { Planner.undo(failed.begun, of: desired, to: $0) } ?? Planner.down(desired, removeVolumes: false)
    if let before { redefine(before) }
    if let before { _ = names.serve(before) }
    stopTimeout = .zero
    run = PlanRun(
      plan, failures: .goOn, on: self, report: { _ in },
      completion: { [self] run in
        let kind: OperationEvent.Kind = failed.isCancelled ? .cancelled : .failed
        var errors = failed.errors + run.errors
        if before == nil { for index in errors.indices { errors[index].logsOf = nil } }
        call.finish(OperationEvent(kind, text: failed.isCancelled ? "what was done is undone" : "", errors: errors))
        guard let before else { return end() }
        stack = before
        for (name, unit) in units where before.service(named: name) == nil {
          unit.close()
          units[name] = nil
        }
        for unit in units.values { unit.watchReadiness() }
        if run.errors.isEmpty { try? builder.settle() }
        commandEnded()
      })
    run?.start()
  }

  private func down(_ call: ControlCall<SupervisorMethods.Down>) {
    let stack = stack ?? DesiredStack.empty(named: builder.stack)
    stopTimeout = call.parameters.timeout.map { .seconds(bounded: $0) }
    perform(Planner.down(stack, removeVolumes: call.parameters.removeVolumes), call, failures: .goOn) { [self] run in
      call.finish(OperationEvent(run.errors.isEmpty ? .finished : .failed, errors: run.errors))
      end()
    }
  }

  private func select<Method: ControlMethod>(
    _ call: ControlCall<Method>, _ selection: SupervisorMethods.ServiceSelection,
    _ plan: @escaping ([DesiredService], DesiredStack) -> Plan
  ) where Method.Reply == OperationEvent {
    enqueue { [self] in
      guard let stack else {
        call.finish(OperationEvent(.failed, errors: [StackError(builder.stack, "is not up")]))
        return commandEnded()
      }
      let wanted = stack.services.filter { selection.services.isEmpty || selection.services.contains($0.name) }
      stopTimeout = selection.stopTimeout.map { .seconds(bounded: $0) }
      readyTimeout = nil
      perform(plan(wanted, stack), call) { [self] run in
        guard !run.isCancelled else {
          call.finish(OperationEvent(.cancelled, text: "what was begun goes on"))
          return commandEnded()
        }
        call.finish(OperationEvent(run.errors.isEmpty ? .finished : .failed, errors: run.errors))
        commandEnded()
      }
    }
  }

  private func perform<Method: ControlMethod>(
    _ plan: Plan, _ call: ControlCall<Method>, failures: PlanRun.Failures = .stop,
    completion: @escaping (PlanRun) -> Void
  ) where Method.Reply == OperationEvent {
    run = PlanRun(plan, failures: failures, on: self, report: { call.send($0) }) { [builder] run in
      for text in builder.warnings.take() { call.send(OperationEvent(.warning, text: text)) }
      completion(run)
    }
    run?.start()
  }

  /// The stack is gone: so is its supervisor, once the last answers are out.
  private func end() {
    stack = nil
    // The command that asked for it removes its lock itself, unless it was killed.
    for lock in [builder.folder.lock, builder.folders.choosingLock] { StackLock.removeIfFree(lock) }
    Files.removeIfEmpty(builder.folders.run)
    for unit in units.values { unit.close() }
    units = [:]
    names.close()
    server.stopListening()
    awaitDrain(attempts: 100)
  }

  private func awaitDrain(attempts: Int) {
    guard server.connectionCount > 0, attempts > 0 else { return loop.stop() }
    loop.schedule(after: .milliseconds(10)) { [self] in awaitDrain(attempts: attempts - 1) }
  }
}

extension Supervisor: PlanHost {
  func apply(_ steps: [Step], completion: @escaping ([Step], StackError?) -> Void) {
    let builder = builder
    do {
      try pool.submit {
        var begun: [Step] = []
        var launched: ServiceProcess?
        for step in steps {
          begun.append(step)
          do throws(StackError) {
            launched = try builder.apply(step) ?? launched
          } catch {
            return (begun, launched, error as StackError?)
          }
        }
        return (begun, launched, nil)
      } completion: { [self] begun, launched, error in
        if let launched, let service = begun.lazy.compactMap(\.service).first { units[service]?.started(launched) }
        for step in error == nil ? begun : begun.dropLast() { note(step) }
        completion(begun, error)
      }
    } catch {
      completion([], StackError(builder.stack, error))
    }
  }

  private func note(_ step: Step) {
    switch step {
    case .pause(let service, _): units[service.name]?.setPaused(true)
    case .unpause(let service, _): units[service.name]?.setPaused(false)
    case .makeFolders(let stack): names.follow(hostsFilesOf: stack)
    default: break
    }
  }

  func awaitReady(_ service: DesiredService, completion: @escaping (StackError?) -> Void) {
    guard let unit = units[service.name] else { return completion(nil) }
    unit.awaitReady(timeout: readyTimeout, completion: completion)
  }

  func stop(_ service: DesiredService, completion: @escaping (StackError?) -> Void) {
    guard let unit = units[service.name] else { return completion(nil) }
    unit.stop(grace: stopTimeout) { completion(nil) }
  }

  func await(_ condition: Dependency.Condition, of instance: String, completion: @escaping (StackError?) -> Void) {
    guard let unit = units[instance] else { return completion(nil) }
    unit.await(condition, completion: completion)
  }

  func abandonWaits() {
    for unit in units.values { unit.abandonWaits() }
  }
}
