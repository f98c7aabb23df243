import Glibc

extension Supervisor {
  func answerShaping() {
    server.handle(SupervisorMethods.Shape.self) { [unowned self] call in
      enqueue { [unowned self] in
        let until = call.parameters.seconds.map { Self.secondsSinceBoot + $0 }
        change(
          { stack in
            for change in call.parameters.changes {
              var override = change.override
              override?.until = until
              stack.setOverride(override, on: change.service, change.network)
            }
          }, completion: { errors in call.finish(OperationEvent(errors.isEmpty ? .finished : .failed, errors: errors)) }
        )
      }
    }
    server.handle(SupervisorMethods.Partition.self) { [unowned self] call in
      enqueue { [unowned self] in
        change(
          { $0.partition = call.parameters.groups },
          completion: { errors in call.finish(OperationEvent(errors.isEmpty ? .finished : .failed, errors: errors)) })
      }
    }
  }

  /// Ends what was set for a time when that is up. What has ended while no supervisor ran ends at once.
  func watchOverrides() {
    if let overrideTimer { loop.cancel(overrideTimer) }
    overrideTimer = nil
    guard let next = stack?.nextOverrideEnd else { return }
    overrideTimer = loop.schedule(after: .seconds(bounded: next - Self.secondsSinceBoot)) { [weak self] in
      self?.enqueue { [weak self] in
        self?.change({ $0.endOverrides(at: Self.secondsSinceBoot) }, completion: { _ in })
      }
    }
  }

  /// Records what is to be and brings it about; where that fails, what was before.
  private func change(_ edit: (inout DesiredStack) -> Void, completion: @escaping ([StackError]) -> Void) {
    guard let before = stack else {
      completion([StackError(builder.stack, "is not up")])
      return commandEnded()
    }
    let wasSettled = Files.exists(builder.folder.settled)
    var after = before
    edit(&after)
    carryOut(before, after) { [self] errors in
      guard !errors.isEmpty else { return finish(after, wasSettled, errors, completion) }
      carryOut(after, before) { [self] more in finish(before, wasSettled, errors + more, completion) }
    }
  }

  private func finish(
    _ stack: DesiredStack, _ wasSettled: Bool, _ errors: [StackError], _ completion: ([StackError]) -> Void
  ) {
    self.stack = stack
    redefine(stack)
    watchOverrides()
    if wasSettled { try? builder.settle() }
    completion(errors)
    commandEnded()
  }

  private func carryOut(_ before: DesiredStack, _ after: DesiredStack, completion: @escaping ([StackError]) -> Void) {
    var steps: [Step] = [.recordIntent(after)]
    for service in after.services where before.service(named: service.name)?.hasOtherShape(than: service) ?? false {
      steps.append(.shape(service, stack: after.name))
    }
    if before.partition != after.partition { steps.append(.partition(after)) }
    run = PlanRun(
      Plan(stages: [.serial(steps)]), failures: .stop, on: self, report: { _ in }, completion: { completion($0.errors) }
    )
    run?.start()
  }

  /// The clock that goes on while the host sleeps and that nobody sets.
  private static var secondsSinceBoot: Double {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

extension DesiredStack {
  mutating func setOverride(_ override: LinkOverride?, on service: String, _ network: String) {
    guard let place = services.firstIndex(where: { $0.name == service }),
      let link = services[place].attachments.firstIndex(where: { $0.network == network })
    else { return }
    services[place].attachments[link].override = override?.isEmpty == false ? override : nil
  }

  var nextOverrideEnd: Double? {
    services.flatMap(\.attachments).compactMap { $0.override?.until }.min()
  }

  /// Takes back what was to end by now.
  mutating func endOverrides(at moment: Double) {
    for service in services.indices {
      for link in services[service].attachments.indices {
        // A timer may come a moment early.
        if let until = services[service].attachments[link].override?.until, until <= moment + 0.01 {
          services[service].attachments[link].override = nil
        }
      }
    }
  }
}
