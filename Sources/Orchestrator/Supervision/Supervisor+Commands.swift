import Build
import Control
import Host
import Intent
import Kernel
import Names
import Planning
import Vocabulary

extension Supervisor {
  func answerCommands() {
    server.handle(SupervisorMethods.Idle.self) { [unowned self] call in
      enqueue { [unowned self] in
        call.finish(Nothing())
        commandEnded()
      }
    }
    server.handle(SupervisorMethods.Build.self) {
      $0.finish(SupervisorMethods.Build.Reply(build: ProgramBuild.current))
    }
    server.handle(SupervisorMethods.Mend.self) { [unowned self] call in
      // A file that a command is writing at this moment is not damaged.
      call.finish(SupervisorMethods.Mend.Reply(mended: run == nil ? mend() : []))
    }
    server.handle(SupervisorMethods.Up.self) { [unowned self] call in enqueue { [unowned self] in up(call) } }
    server.handle(SupervisorMethods.Down.self) { [unowned self] call in enqueue { [unowned self] in down(call) } }
    server.handle(SupervisorMethods.Start.self) { [unowned self] call in
      select(call, call.parameters) { [unowned self] in
        Planner.start(Self.withoutOneOffs($0, call.parameters), in: $1, observed: observed)
      }
    }
    server.handle(SupervisorMethods.Stop.self) { [unowned self] call in
      select(call, call.parameters) { Planner.stop($0, in: $1) }
    }
    server.handle(SupervisorMethods.Restart.self) { [unowned self] call in
      let withFollowers = call.parameters.withFollowers
      select(call, call.parameters) {
        Planner.restart(Self.withoutOneOffs($0, call.parameters), in: $1, withFollowers: withFollowers)
      }
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

  private func up(_ call: ControlCall<SupervisorMethods.Up>) {
    let before = stack
    // A supervisor that was killed may have recorded already what was claimed. What cannot be read is another matter.
    let isClaimed = Files.exists(builder.folder.claim)
    guard let desired = claimed() ?? (isClaimed ? nil : before) else {
      let text = isClaimed ? "what was to be brought up cannot be read back" : "what was to be brought up is gone"
      call.finish(OperationEvent(.failed, errors: [StackError(builder.stack, text, remedy: "try again")]))
      return commandEnded()
    }
    guard let before else { return up(call, to: desired, from: nil, NetworkLoss()) }
    do {
      // One look into each service: away from the loop, on which others are answered meanwhile.
      try pool.submit { [builder] in
        (try? builder.loss(of: before, looksInside: true)) ?? NetworkLoss()
      } completion: { [self] loss in
        up(call, to: desired, from: before, loss)
      }
    } catch {
      up(call, to: desired, from: before, NetworkLoss())
    }
  }

  private func up(
    _ call: ControlCall<SupervisorMethods.Up>, to desired: DesiredStack, from before: DesiredStack?, _ loss: NetworkLoss
  ) {
    if let lack = lackOfDescriptors(for: desired) {
      let refusal = OperationEvent(.failed, errors: [lack])
      guard before == nil else {
        call.finish(refusal)
        return commandEnded()
      }
      // Nothing was accepted yet. The command takes away what is beside the folder, and looks once it has the answer.
      try? Files.remove(builder.folder.path)
      call.finish(refusal)
      return end()
    }
    let plan = Planner.up(
      desired, recorded: before, isSettled: isSettled || Files.exists(builder.folder.settled), observed: observed,
      loss: loss,
      scope: call.parameters.scope)
    readyTimeout = call.parameters.readyTimeout.map { .seconds(bounded: $0) }
    stopTimeout = call.parameters.stopTimeout.map { .seconds(bounded: $0) }
    waitsForHealth = call.parameters.waitsForHealth ?? false
    call.onDisconnect = { [weak self] in self?.run?.cancel() }
    isSettled = false
    redefine(desired)
    call.send(OperationEvent(plan.reasons))
    for failure in names.serve(desired) {
      call.send(OperationEvent(.warning, text: "\(StackError(builder.stack, failure))"))
    }
    perform(plan, call) { [self] run in
      guard run.errors.isEmpty, !run.isCancelled else {
        guard call.parameters.keepsOnFailure, !run.isCancelled else {
          return undo(run, of: desired, before: before, call)
        }
        return keep(run, desired, call)
      }
      stack = desired
      watchOverrides()
      watchHost()
      try? builder.settle()
      isSettled = true
      dropUnits(notIn: desired)
      call.finish(OperationEvent(.finished))
      commandEnded()
    }
  }

  /// Leaves what an `up` has made before it failed. It is recorded already, and the next `up` makes the rest.
  private func keep(_ failed: PlanRun, _ desired: DesiredStack, _ call: ControlCall<SupervisorMethods.Up>) {
    call.onDisconnect = nil
    stack = desired
    dropUnits(notIn: desired)
    for unit in units.values { unit.watchReadiness() }
    call.finish(
      OperationEvent(
        .failed, text: "what has come up is kept: stack ps, stack logs; to take it down: stack down \(desired.name)",
        errors: failed.errors))
    commandEnded()
  }

  private func claimed() -> DesiredStack? {
    try? StateFile<DesiredStack>(path: builder.folder.claim).read()
  }

  /// Takes back what an `up` that failed or was cancelled had begun. A stack that was not there before is gone again.
  private func undo(
    _ failed: PlanRun, of desired: DesiredStack, before: DesiredStack?, _ call: ControlCall<SupervisorMethods.Up>
  ) {
    call.onDisconnect = nil
    if before == nil, !failed.isCancelled {
      try? Files.overwrite(builder.folder.failed, with: [], mode: [.ownerReadWrite])
    }
    let plan =
      before.map { Planner.undo(failed.begun, of: desired, to: $0) } ?? Planner.down(desired, removeVolumes: false)
    if let before { redefine(before) }
    if let before { _ = names.serve(before) }
    stopTimeout = .zero
    run = PlanRun(
      plan, failures: .goOn, on: self, report: { _ in },
      completion: { [self] run in
        let kind: OperationEvent.Kind = failed.isCancelled ? .cancelled : .failed
        let errors = failed.errors + run.errors
        call.finish(
          OperationEvent(
            kind, text: failed.isCancelled ? "what was done is undone" : Self.undone(before), errors: errors))
        guard let before else { return end() }
        stack = before
        dropUnits(notIn: before)
        for unit in units.values { unit.watchReadiness() }
        if run.errors.isEmpty {
          try? builder.settle()
          isSettled = true
        }
        commandEnded()
      })
    run?.start()
  }

  private static func undone(_ before: DesiredStack?) -> String {
    before.map { "all that this up had begun is undone, and stack \($0.name) is as it was" }
      ?? "all else that had come up is undone; to look at it: stack logs, or stack up --keep"
  }

  private func down(_ call: ControlCall<SupervisorMethods.Down>) {
    let stack = stack ?? DesiredStack.empty(named: builder.stack)
    isSettled = false
    stopTimeout = call.parameters.timeout.map { .seconds(bounded: $0) }
    perform(Planner.down(stack, removeVolumes: call.parameters.removeVolumes), call, failures: .goOn) { [self] run in
      call.finish(OperationEvent(run.errors.isEmpty ? .finished : .failed, errors: run.errors))
      end()
    }
  }

  /// Services to be started: what ran for one command is started again only where it is named.
  private static func withoutOneOffs(
    _ services: [DesiredService], _ selection: SupervisorMethods.ServiceSelection
  ) -> [DesiredService] {
    selection.services.isEmpty ? services.filter { !$0.isOneOff } : services
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
      readyTimeout = selection.readyTimeout.map { .seconds(bounded: $0) }
      waitsForHealth = selection.waitsForHealth ?? false
      perform(plan(wanted, stack), call) { [self] run in
        // A run that came to its end early has not waited for all that it had started.
        for unit in units.values { unit.watchReadiness() }
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
}
