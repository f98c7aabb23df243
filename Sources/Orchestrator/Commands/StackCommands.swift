import Kernel
public import Netlink
import Runtime

/// What the command line offers, as functions: each takes values, does the work and returns values to be printed.
public struct StackCommands: Sendable {
  public let folders: StateFolders
  let supervisor: SupervisorProgram
  /// Where new subnets come from.
  let pool: IPv4Prefix
  /// The caller's environment.
  let environment: [String: String]
  /// The folder that relative paths start from.
  let workingFolder: String
  /// When the user wants to stop; nil where nobody can.
  let interrupts: Interrupts?

  public init(
    folders: StateFolders = StateFolders(), supervisor: SupervisorProgram, pool: IPv4Prefix = Self.defaultPool,
    environment: [String: String], workingFolder: String, interrupts: Interrupts? = nil
  ) {
    self.folders = folders
    self.supervisor = supervisor
    self.pool = pool
    self.environment = environment
    self.workingFolder = workingFolder
    self.interrupts = interrupts
  }

  public var index: StackIndex { StackIndex(folders: folders) }

  var interruption: Interruption { interrupts?.interruption ?? Interruption() }

  // MARK: up

  public struct UpOptions: Sendable {
    public var recreate = Recreate.changed
    /// Seconds until a service that is not ready counts as failed.
    public var timeout = 60.0

    public enum Recreate: Sendable { case changed, always, never }

    public init() {}
  }

  /// Brings a stack up, and returns when every service is ready.
  ///
  /// - Parameter report: gets what happens meanwhile.
  /// - Throws: why it did not come up; then nothing of what was done is left.
  public func up(
    _ source: LoadedStack, _ options: UpOptions, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    let folder = folders.stack(source.name)
    return try locked(source.name, report: report) { () throws(StackErrors) in
      // One at a time chooses subnets and ports on this host, until its choice is on record.
      let choosing = try hostLock()
      let desired = try desired(source, options)
      try rethrowing(source.name) { () throws(KernelError) in
        try Files.makeFolder(folder.path)
        try StateFile(path: folder.claim).write(desired)
      }
      choosing.remove()
      defer { try? Files.remove(folder.claim) }
      let session = try SupervisorSession(folder, program: supervisor, interruption: interruption)
      return try session.perform(
        SupervisorMethods.Up.self,
        SupervisorMethods.Up.Parameters(
          desired: desired, recreate: options.recreate.planned, timeout: options.timeout),
        cancelsWhenInterrupted: true, report: report)
    }
  }

  /// What `up` would do.
  public func plan(_ source: LoadedStack, _ options: UpOptions) throws(StackErrors) -> Plan {
    let desired = try desired(source, options)
    return try rethrowing(source.name) { () throws(KernelError) in
      let recorded = try index.desired(source.name)
      var observed: Planner.Observed = [:]
      for service in recorded?.services ?? [] {
        observed[service.name] = try index.record(of: service.name, in: source.name).phase
      }
      return Planner.up(
        desired, recorded: recorded, isSettled: Files.exists(folders.stack(source.name).settled), observed: observed,
        recreate: options.recreate.planned)
    }
  }

  private func desired(_ source: LoadedStack, _ options: UpOptions) throws(StackErrors) -> DesiredStack {
    let (facts, previous) = try rethrowing(source.name) { () throws(KernelError) in
      (
        try HostFacts.observe(except: source.name, pool: pool, folders: folders, portsOfInterest: source.hostPorts),
        try index.desired(source.name)
      )
    }
    let desired = try Resolver.resolve(
      source.file, services: source.services, facts: facts, previous: previous, folder: folders.stack(source.name))
    guard options.recreate == .never, let previous else { return desired }
    return Planner.sparing(previous, in: desired)
  }

  // MARK: down

  public func down(
    _ name: String, removeVolumes: Bool, timeout: Double?, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    try locked(name, report: report) { () throws(StackErrors) in
      guard Files.exists(folders.stack(name).path) else { return OperationEvent(.finished) }
      return try SupervisorSession(folders.stack(name), program: supervisor, interruption: interruption).perform(
        SupervisorMethods.Down.self,
        SupervisorMethods.Down.Parameters(removeVolumes: removeVolumes, timeout: timeout),
        cancelsWhenInterrupted: false, report: report)
    }
  }

  // MARK: start, stop, restart, kill

  public enum Action: Sendable {
    case start, stop, restart
    case kill(signal: Int32)
  }

  /// - Parameters:
  ///   - services: names of instances; all of the stack's when empty.
  ///   - timeout: seconds: for stopping, until SIGKILL; for starting, until a service that is not ready counts as failed.
  public func act(
    _ action: Action, on services: [String], of stack: String, timeout: Double? = nil,
    report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    try locked(stack, report: report) { () throws(StackErrors) in
      let session = try SupervisorSession(folders.stack(stack), program: supervisor, interruption: interruption)
      let selection = SupervisorMethods.ServiceSelection(services: services, timeout: timeout)
      switch action {
      case .start:
        return try session.perform(
          SupervisorMethods.Start.self, selection, cancelsWhenInterrupted: true, report: report)
      case .stop:
        return try session.perform(
          SupervisorMethods.Stop.self, selection, cancelsWhenInterrupted: false, report: report)
      case .restart:
        return try session.perform(
          SupervisorMethods.Restart.self, selection, cancelsWhenInterrupted: false, report: report)
      case .kill(let signal):
        return try session.perform(
          SupervisorMethods.Kill.self, SupervisorMethods.Kill.Parameters(services: services, signal: signal),
          cancelsWhenInterrupted: false, report: report)
      }
    }
  }

  // MARK: Locks

  /// Runs one command that changes a stack, alone.
  private func locked(
    _ stack: String, report: (OperationEvent) -> Void,
    _ body: () throws(StackErrors) -> OperationEvent
  ) throws(StackErrors) -> OperationEvent {
    let folder = folders.stack(stack)
    let lock = try rethrowing(stack) { () throws(KernelError) in
      try StackLock(folder.lock) {
        report(OperationEvent(.warning, text: "waiting for another command on stack \(stack)"))
      }
    }
    let result: OperationEvent
    do {
      result = try body()
    } catch {
      if !Files.exists(folder.path) { lock.remove() }
      throw error
    }
    if !Files.exists(folder.path) {
      lock.remove()
      Files.removeIfEmpty(folders.run)
    }
    return result
  }

  private func hostLock() throws(StackErrors) -> StackLock {
    try rethrowing(nil) { () throws(KernelError) in try StackLock("\(folders.host)/choosing.lock") }
  }
}

extension StackCommands {
  /// Where subnets come from if nothing else is said.
  public static var defaultPool: IPv4Prefix { AddressAllocator.defaultPool }
}

extension StackCommands.UpOptions.Recreate {
  var planned: Planner.Recreation {
    switch self {
    // Instances that are to stay are kept out of what is desired.
    case .changed, .never: .changed
    case .always: .always
    }
  }
}

/// Runs something that can fail in the kernel, and says which stack it was for.
func rethrowing<Value: ~Copyable>(
  _ subject: String?, _ body: () throws(KernelError) -> Value
) throws(StackErrors) -> Value {
  do {
    return try body()
  } catch {
    throw StackErrors([StackError(subject, error)])
  }
}
