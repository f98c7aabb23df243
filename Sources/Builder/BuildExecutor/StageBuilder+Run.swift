import BuildCache
import BuildContext
import Dockerfile
import Glibc
import ImageStore
import Kernel
import Runtime
import SystemPackage
import Vocabulary

extension StageBuilder {
  /// - Parameter scope: the variables that hold before the step.
  mutating func carryOut(_ run: RunOperation, _ operation: Operation, _ step: BuildStep, _ scope: StageScope) throws {
    try checkNetwork(of: run)
    let binds = run.mounts.filter { $0.kind == .bind }
    guard !state.isUnknown, !binds.contains(where: { isUnknown($0.from) }) else { return plan(step, nil) }
    var inputs: [StepSituation.Input] = []
    var entries: () -> [SelectedEntry]? = { nil }
    for mount in binds {
      let taken = try taken(by: mount)
      inputs.append(taken.input)
      if binds.count == 1 { entries = taken.entries }
    }
    let prepared = try prepare(operation, inputs: inputs, entries: entries, scope: scope)
    let environment = scope.variables.map { "\($0.name)=\($0.value ?? "")" }
    let proxies = request.inputs.proxyEnvironment.filter { scope[$0.key] == nil }
      .map { "\($0.key)=\($0.value)" }.sorted()
    try cached(prepared, operation, step) { builder, folder in
      try builder.execute(run, step, environment: environment + proxies, in: folder, key: prepared.key.hex)
    }
  }

  private func execute(
    _ run: RunOperation, _ step: BuildStep, environment: [String], in folder: String, key: String
  ) throws {
    let place = try services.places.place(for: network(of: run), lane: lane)
    let held = StepMounts(self, place)
    defer { withExtendedLifetime(held) {} }
    for mount in run.mounts { try held.add(mount) }
    var command = StepCommand(
      arguments: try arguments(of: run, held), environment: environment + held.environment,
      workingFolder: state.configuration.workingFolder, user: state.configuration.user, mounts: held.mounts,
      mountPoints: held.points, secrets: held.secrets)
    command.secrets += request.secrets.values
    let runner = StepRunner(
      store: store, launcher: try services.places.launcher(), confinement: try services.places.confinement(),
      limits: request.limits, stop: services.stop)
    let log = store.log(ofStep: key)
    var output = StepOutput(secrets: command.secrets, log: StepLog(log))
    var keepsLog = false
    defer { if !keepsLog { unlink(log) } }
    let lower = try lower(of: state.layers)
    let outcome: StepRunner.Outcome
    do throws(KernelError) {
      outcome = try runner.run(command, on: lower, in: folder, at: place, output: &output) { report(step, .output($0)) }
    } catch {
      throw explained(error, step)
    }
    guard case .ended(let status) = outcome else { throw BuildFailure.stopped }
    keepsLog = output.isCut || status != .exited(code: 0)
    guard status != .exited(code: 0) else { return }
    throw failure(status, step, output)
  }

  /// The host's network has its loopback and its abstract sockets. A Dockerfile alone does not give these to its steps.
  private func checkNetwork(of run: RunOperation) throws {
    guard run.network == .host, request.network != .host else { return }
    throw BuildFailure(
      nil, "the step asks for the host's network, which the build does not give",
      remedy: "if you trust the Dockerfile: stack build --network host, or `network: host` under `build:`")
  }

  private func network(of run: RunOperation) -> StepNetwork {
    switch run.network {
    case .standard: request.network
    case .none: .none
    case .host: .host
    }
  }

  private func arguments(of run: RunOperation, _ held: StepMounts) throws -> [String] {
    switch run.command {
    case .words(let words): return words
    case .shell(let text): return state.configuration.shell + [text]
    case .script(let name, let content):
      return state.configuration.shell + [try held.script(name, content)]
    }
  }

  private func failure(_ status: TerminationStatus, _ step: BuildStep, _ output: borrowing StepOutput) -> BuildFailure {
    let reason: String
    switch status {
    case .exited(let code): reason = "ended with exit code \(code)"
    case .signaled(let signal, _) where signal == SIGKILL:
      reason = "was killed (SIGKILL): it may have used all memory that it may have"
    case .signaled(let signal, _): reason = "was ended by signal \(signal)"
    }
    var error = StackError(step.place, "\(step.text) \(reason)")
    error.logLines = output.last
    if output.isCut || output.last.count == StepOutput.kept, let path = output.logPath {
      error.remedy = "all of its output is in \(path)"
    }
    return .errors(StackErrors([error]))
  }

  private func explained(_ error: KernelError, _ step: BuildStep) -> KernelError {
    guard error.execShellCode != nil, error.remedy == nil else { return error }
    var error = error
    error.remedy =
      error.errno == .noSuchFileOrDirectory
      ? "the image has no such program: install it in an earlier step, or name another shell with SHELL"
      : "see that the file is a program for this machine and may be executed"
    return error
  }
}
