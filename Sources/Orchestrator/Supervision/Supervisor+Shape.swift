import Build
import Control
import Glibc
import Intent
import Kernel
import Loop
import Planning
import Vocabulary

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
              stack.setOverride(override, on: change.service, change.place)
            }
          }, completion: { errors in call.finish(OperationEvent(errors.isEmpty ? .finished : .failed, errors: errors)) }
        )
      }
    }
    server.handle(SupervisorMethods.Partition.self) { [unowned self] call in
      enqueue { [unowned self] in
        change(
          { $0.partition = call.parameters.partition },
          completion: { errors in call.finish(OperationEvent(errors.isEmpty ? .finished : .failed, errors: errors)) })
      }
    }
  }

  /// Ends what was set for a time when that is up. What has ended while no supervisor ran ends at once.
  ///
  /// - Parameter delay: what to wait at least, after it could not be ended.
  func watchOverrides(after delay: Duration = .zero) {
    if let overrideTimer { loop.cancel(overrideTimer) }
    overrideTimer = nil
    guard let next = stack?.nextOverrideEnd else { return }
    let wait = max(delay, .seconds(bounded: next - Self.secondsSinceBoot))
    overrideTimer = loop.schedule(after: wait) { [weak self] in
      self?.enqueue { [weak self] in
        self?.change(
          { $0.endOverrides(at: Self.secondsSinceBoot) },
          completion: { errors in
            guard !errors.isEmpty else { return }
            self?.watchOverrides(after: min(max(delay * 2, .seconds(1)), .seconds(60)))
          })
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
    let befores = before.services.keyed(by: \.name)
    for service in after.services where befores[service.name]?.hasOtherShape(than: service) ?? false {
      steps.append(.shape(service, after))
    }
    if before.partition != after.partition { steps.append(.partition(after)) }
    steps += after.reshapedLinks(since: before).map { .shapeLink($0, after) }
    run = PlanRun(
      Plan(stages: [.serial(steps)]), failures: .stop, on: self, report: { _ in }, completion: { completion($0.errors) }
    )
    run?.start()
  }

  /// The clock that goes on while the host sleeps and that nobody sets.
  package static var secondsSinceBoot: Double {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

extension DesiredStack {
  mutating func setOverride(_ override: LinkOverride?, on service: String, _ place: SupervisorMethods.Shape.Place) {
    let override = override?.isEmpty == false ? override : nil
    switch place {
    case .network(let network):
      guard let owner = services.firstIndex(where: { $0.name == service }),
        let link = services[owner].attachments.firstIndex(where: { $0.network == network })
      else { return }
      services[owner].attachments[link].override = override
    case .interface(let interface):
      for index in links.indices {
        if links[index].first.isOf(service, interface) { links[index].override = override }
        if links[index].second.isOf(service, interface) { links[index].override = override?.reversed }
      }
    }
  }

  var nextOverrideEnd: Double? {
    (services.flatMap(\.attachments).map(\.override) + links.map(\.override)).compactMap { $0?.until }.min()
  }

  /// Takes back what was to end by now.
  mutating func endOverrides(at moment: Double) {
    // A timer may come a moment early.
    func hasEnded(_ override: LinkOverride?) -> Bool { override?.until.map { $0 <= moment + 0.01 } ?? false }
    for service in services.indices {
      for link in services[service].attachments.indices {
        let override = services[service].attachments[link].override
        if hasEnded(override) { services[service].attachments[link].override = override?.ended }
      }
    }
    for link in links.indices where hasEnded(links[link].override) {
      links[link].override = links[link].override?.ended
    }
  }
}

extension DesiredLink.End {
  func isOf(_ service: String, _ interface: String) -> Bool {
    self.service == service && self.interface == interface
  }
}
