import Control
import Host
import Intent
import Kernel
import Planning
import Resolve
import StackFiles
import Supervision
import Vocabulary

/// What the command line offers, as functions: each takes values, does the work and returns values to be printed.
package struct StackCommands: Sendable {
  package let folders: StateFolders
  let supervisor: SupervisorProgram
  /// The caller's environment.
  let environment: [String: String]
  /// The folder that relative paths start from.
  let workingFolder: String
  /// When the user wants to stop; nil where nobody can.
  let interrupts: Interrupts?

  package init(
    folders: StateFolders = StateFolders(), supervisor: SupervisorProgram, environment: [String: String],
    workingFolder: String, interrupts: Interrupts? = nil
  ) {
    self.folders = folders
    self.supervisor = supervisor
    self.environment = environment
    self.workingFolder = workingFolder
    self.interrupts = interrupts
  }

  package var index: StackIndex { StackIndex(folders: folders) }

  var interruption: Interruption { interrupts?.interruption ?? Interruption() }

  // MARK: up

  package struct UpOptions: Sendable {
    package var recreate = Recreate.changed
    /// Whether services wait for those that they depend on.
    package var waitsForDependencies = true
    /// Seconds until a service that is not ready counts as failed; nil for a minute, or longer where a health check may
    /// take longer to decide.
    package var readyTimeout: Double?
    /// Seconds for services that are made anew to stop by themselves; nil for each service's own grace period.
    package var stopTimeout: Double?
    /// How its services come to their images.
    package var pull = PullOptions()

    package enum Recreate: Sendable { case changed, always, never }

    package init() {}
  }

  /// Brings a stack up, and returns when every service is ready.
  ///
  /// - Parameters:
  ///   - report: gets what happens meanwhile.
  ///   - chosen: gets what the stack is to be, once what the file leaves open is chosen.
  /// - Throws: why it did not come up; then nothing of what was done is left.
  package func up(
    _ source: LoadedStack, _ options: UpOptions, report: (OperationEvent) -> Void,
    chosen: (DesiredStack) -> Void = { _ in }
  ) throws(StackErrors) -> OperationEvent {
    guard needsImages(source) else { return try up(resolved: source, options, report: report, chosen: chosen) }
    return try holdingImages { () throws(StackErrors) in
      let running = try resolvingImages(source, options.pull, report: report)
      return try up(resolved: running, options, report: report, chosen: chosen)
    }
  }

  private func up(
    resolved source: LoadedStack, _ options: UpOptions, report: (OperationEvent) -> Void,
    chosen: (DesiredStack) -> Void
  ) throws(StackErrors) -> OperationEvent {
    let folder = folders.stack(source.name)
    return try locked(source.name, report: report) { () throws(StackErrors) in
      let isNew = !Files.exists(folder.path)
      // A supervisor takes as long to start as the choices take to be made, so it starts meanwhile.
      let session = try openIdleSession(folder)
      let desired: DesiredStack
      do throws(StackErrors) {
        desired = try claim(source, options) { report(OperationEvent(.warning, text: $0)) }
        try session.confirm()
      } catch {
        session.abandon()
        if isNew { try? Files.remove(folder.path) }
        throw error
      }
      defer { try? Files.remove(folder.claim) }
      chosen(desired)
      warn(of: desired, report: report)
      for text in desired.claimsInWords { report(OperationEvent(.warning, text: text)) }
      return try perform(
        SupervisorMethods.Up.self,
        SupervisorMethods.Up.Parameters(
          scope: scope(of: source, desired, options), readyTimeout: options.readyTimeout,
          stopTimeout: options.stopTimeout),
        on: folder, over: session, cancelsWhenInterrupted: true, report: report)
    }
  }

  /// Chooses what the file leaves open and puts the choice on record. One command at a time chooses on this host.
  private func claim(
    _ source: LoadedStack, _ options: UpOptions, note: (String) -> Void
  ) throws(StackErrors) -> DesiredStack {
    let choosing = try rethrowing(nil) { () throws(KernelError) in
      try StackLock(folders.choosingLock, interruption: interruption)
    }
    let folder = folders.stack(source.name)
    do {
      let desired = try desired(source, options, note: note)
      try rethrowing(source.name) { () throws(KernelError) in
        try Files.makeFolder(folder.path)
        // A service's root owns what it leaves in a volume as the host's root does, set-user-ID programs too: no other user of the
        // host may come near it. The first is a link where the state was moved elsewhere, so each stack's own is closed as well.
        for path in [folders.lib, folder.lib] { try Files.closeToOthers(path) }
        try StateFile(path: folder.claim).write(desired, isDurable: true)
      }
      choosing.remove()
      return desired
    } catch {
      choosing.remove()
      throw error
    }
  }

  /// What `up` would do.
  package func plan(_ source: LoadedStack, _ options: UpOptions) throws(StackErrors) -> Plan {
    var local = options.pull
    local.policy = .never
    let source = needsImages(source) ? try resolvingImages(source, local) { _ in } : source
    let desired = try desired(source, options) { _ in }
    return try rethrowing(source.name) { () throws(KernelError) in
      let recorded = try index.desired(source.name)
      var observed: Planner.Observed = [:]
      for service in recorded?.services ?? [] {
        observed[service.name] = try index.record(of: service.name, in: source.name).phase
      }
      return Planner.up(
        desired, recorded: recorded, isSettled: Files.exists(folders.stack(source.name).settled), observed: observed,
        scope: scope(of: source, desired, options))
    }
  }

  private func scope(of source: LoadedStack, _ desired: DesiredStack, _ options: UpOptions) -> Planner.Scope {
    Planner.Scope(
      instances: source.named.map { named in Set(desired.services.filter { named.contains($0.service) }.map(\.name)) },
      // Instances that are to stay as they are are kept out of what is desired.
      recreatesAll: options.recreate == .always, waitsForDependencies: options.waitsForDependencies)
  }

  func desired(
    _ file: LoadedStack, _ options: UpOptions, note: (String) -> Void = { _ in }
  ) throws(StackErrors) -> DesiredStack {
    let folder = folders.stack(file.name)
    let pools = try HostConfiguration.read(folders.configuration, environment: environment).pools
    let previous = try rethrowing(file.name) { () throws(KernelError) in try index.desired(file.name) }
    if let previous { try file.checkOrigin(of: previous) }
    let source = file.joined(by: previous)
    let facts = try rethrowing(source.name) { () throws(KernelError) in
      var facts = try HostFacts.observe(
        except: source.name, group: previous?.linkGroup, pools: pools, folders: folders,
        paths: source.paths(in: folder),
        portsOfInterest: source.hostPorts, isJoining: source.file.networks.contains { $0.external != nil },
        parents: Set(source.file.networks.compactMap(\.parent?.value)))
      if source.needsEmulator { facts.emulatesNetworks = try EmulatorTrial.isThere() }
      if source.hasVLANs { facts.tellsVLANsApart = try VLANTrial.isThere() }
      return facts
    }
    for text in facts.identities.notes(for: source.services, in: folder) { note(text) }
    let desired = try Resolver.resolve(
      source.file, services: source.services, facts: facts, previous: previous, folder: folder)
    if let text = MissingVLANs.note(of: desired) { note(text) }
    guard let previous else { return desired }
    var spared = Planner.sparing(previous, in: desired) { service in
      options.recreate == .never || !source.isAbout(service.service)
    }
    // Where others are to stay as they are, so are those that the file has no more.
    if source.named != nil { spared.services += Planner.orphans(of: previous, in: spared) }
    return spared
  }

  // MARK: down

  /// Takes a stack down, also one whose state is lost. One of which there is nothing is down.
  package func down(
    _ name: String, removeVolumes: Bool, timeout: Double?, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    try locked(name, report: report) { () throws(StackErrors) in
      let folder = folders.stack(name)
      try refuseWhileJoined(name)
      if !Files.exists(folder.path) {
        guard try leavesAnything(name, withVolumes: removeVolumes) else { return OperationEvent(.finished) }
        try rethrowing(name) { () throws(KernelError) in
          // Its supervisor, if it has one, is where no command reaches it.
          for supervisor in SupervisorProcess.all() where supervisor.stack == name { try supervisor.end() }
          try Files.makeFolder(folder.path)
        }
      }
      return try perform(
        SupervisorMethods.Down.self,
        SupervisorMethods.Down.Parameters(removeVolumes: removeVolumes, timeout: timeout),
        on: folder, report: report)
    }
  }

  /// The stack that is to be taken down: one that is up, or one that has left something behind.
  ///
  /// - Throws: that there is no such stack.
  package func stackToTakeDown(_ name: String, withVolumes: Bool) throws(StackErrors) -> String {
    if try leavesAnything(name, withVolumes: withVolumes) { return name }
    return try index.stack(named: name)
  }

  private func leavesAnything(_ name: String, withVolumes: Bool) throws(StackErrors) -> Bool {
    let folder = folders.stack(name)
    guard NameRule.stack.problem(with: name) == nil else { return false }
    if Files.exists(folder.path) || withVolumes && Files.exists(folder.volumes) { return true }
    return try rethrowing(name) { () throws(KernelError) in try StackTraces.all(folders)[name]?.hasProof ?? false }
  }

  // MARK: start, stop, restart, kill

  package enum Action: Sendable {
    case start, stop, restart, pause, unpause
    case kill(signal: Int32)
  }

  /// - Parameters:
  ///   - services: names of instances; all of the stack's when empty.
  ///   - stopTimeout: seconds from the stop signal to SIGKILL; nil for each service's own grace period.
  package func act(
    _ action: Action, on services: [String], of stack: String, stopTimeout: Double? = nil,
    report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    try locked(stack, report: report) { () throws(StackErrors) in
      let folder = folders.stack(stack)
      let selection = SupervisorMethods.ServiceSelection(services: services, stopTimeout: stopTimeout)
      switch action {
      case .start:
        return try perform(
          SupervisorMethods.Start.self, selection, on: folder, cancelsWhenInterrupted: true, report: report)
      case .stop:
        return try perform(SupervisorMethods.Stop.self, selection, on: folder, report: report)
      case .restart:
        return try perform(SupervisorMethods.Restart.self, selection, on: folder, report: report)
      case .pause:
        return try perform(SupervisorMethods.Pause.self, selection, on: folder, report: report)
      case .unpause:
        return try perform(SupervisorMethods.Unpause.self, selection, on: folder, report: report)
      case .kill(let signal):
        return try perform(
          SupervisorMethods.Kill.self, SupervisorMethods.Kill.Parameters(services: services, signal: signal),
          on: folder, report: report)
      }
    }
  }

  /// Has the stack's supervisor do something.
  ///
  /// One that is just ending, having finished what a killed command had asked of it, goes away without an answer: then
  /// another is started, or there is nothing left to be done.
  func perform<Method: ControlMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, on folder: StackFolder,
    over opened: SupervisorSession? = nil, cancelsWhenInterrupted: Bool = false,
    report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent where Method.Reply == OperationEvent {
    var attempts = 5
    var opened = opened
    while true {
      attempts -= 1
      let session = if let opened { opened } else { try openSession(folder) }
      opened = nil
      let isDown = Method.self == SupervisorMethods.Down.self
      let outcome = try session.perform(
        method, parameters, cancelsWhenInterrupted: cancelsWhenInterrupted, isRepeatable: isDown, report: report)
      if let outcome { return outcome }
      guard attempts > 0 else { throw StackErrors([session.endedEarly]) }
      if isDown, !Files.exists(folder.path) { return OperationEvent(.finished) }
    }
  }

  func openSession(_ folder: StackFolder) throws(StackErrors) -> SupervisorSession {
    let session = try SupervisorSession(folder, program: supervisor, interruption: interruption)
    try session.confirm()
    return session
  }

  /// A supervisor that is undoing what a killed command had begun is waited for: what it still removes is not there to be
  /// counted on, and when it is done it may be gone itself.
  private func openIdleSession(_ folder: StackFolder) throws(StackErrors) -> SupervisorSession {
    var attempts = 5
    while true {
      attempts -= 1
      let session = try SupervisorSession(folder, program: supervisor, interruption: interruption)
      if try session.awaitIdle() {
        if try session.isOfThisBuild() { return session }
        try rethrowing(folder.name) { () throws(KernelError) in try FormerSupervisor.end(of: folder) }
      }
      guard attempts > 0 else { throw StackErrors([session.endedEarly]) }
    }
  }

  // MARK: Locks

  /// - Returns: nil when the user did not want to wait any longer.
  private func lock(_ folder: StackFolder, onWait: () -> Void) throws(KernelError) -> StackLock? {
    do {
      return try StackLock(folder.lock, interruption: interruption, onWait: onWait)
    } catch {
      guard error.errno == .interrupted else { throw error }
      return nil
    }
  }

  /// Runs one command that changes a stack, alone.
  func locked(
    _ stack: String, report: (OperationEvent) -> Void,
    _ body: () throws(StackErrors) -> OperationEvent
  ) throws(StackErrors) -> OperationEvent {
    let folder = folders.stack(stack)
    let held = try rethrowing(stack) { () throws(KernelError) in
      try lock(folder) { report(OperationEvent(.warning, text: "waiting for another command on stack \(stack)")) }
    }
    guard let lock = held else { return OperationEvent(.cancelled) }
    let result: OperationEvent
    do {
      try rethrowing(stack) { () throws(KernelError) in
        try Salvage(folders: folders, stack: stack).forgetFormerBoot()
      }
      result = try body()
    } catch {
      if !Files.exists(folder.path) { lock.remove() }
      throw error
    }
    if !Files.exists(folder.path) {
      lock.remove()
      // Of a command that was killed while it was choosing.
      StackLock.removeIfFree(folders.choosingLock)
      // Of a supervisor that was killed when it had just put the host's settings back.
      StackLock.removeIfFree("\(folders.host)/settings.lock")
      Files.removeIfEmpty(folders.run)
    }
    return result
  }
}
