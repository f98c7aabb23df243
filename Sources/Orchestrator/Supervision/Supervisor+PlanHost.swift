import Build
import Host
import Intent
import Loop
import Names
import Planning
import Vocabulary

extension Supervisor: PlanHost {
  func apply(_ steps: [Step], completion: @escaping ([Step], StackError?) -> Void) {
    let builder = builder
    if steps.contains(where: \.writesHostsFiles) { names.leaveHostsFiles() }
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
    case .unsettle, .acceptClaim, .recordIntent, .mountLayers, .makeHostRoot, .prepareHost, .createBridge, .raiseBridge,
      .createSegment, .writeFirewall, .partition, .guardPorts, .dropUnguarded, .filterBridges, .endFlows,
      .createNamespace, .attach, .shape,
      .connect,
      .shapeLink, .setRoutes, .readdress, .addAddresses, .removeAddresses, .start, .awaitReady, .stop, .unpinNamespaces,
      .detach, .disconnect,
      .removeLayer, .removeKeptVolumes,
      .removeLinks, .removeBridge, .removeSegment, .removeFirewall, .forgetConnections, .removeControlGroups,
      .restoreHost, .unmountLayers, .removeVolumes, .removeFolders:
      break
    }
  }

  func awaitReady(_ service: DesiredService, completion: @escaping (StackError?) -> Void) {
    runHooks(of: service, at: .postStart, limit: readyTimeout ?? .seconds(60)) { [self] error in
      guard let unit = units[service.name], error == nil else { return completion(error) }
      guard isReadyOnceStarted(service) else { return unit.awaitReady(timeout: readyTimeout, completion: completion) }
      unit.watchReadiness()
      unit.await(.started, completion: completion)
    }
  }

  /// As with Compose: `up` returns once a container is started. Its health matters to those that depend on it.
  func isReadyOnceStarted(_ service: DesiredService) -> Bool {
    service.image != nil && service.healthCheck != nil && !waitsForHealth
  }

  /// Runs a service's hooks if it runs itself.
  private func runHooks(
    of service: DesiredService, at moment: DesiredHook.Moment, limit: Duration,
    completion: @escaping (StackError?) -> Void
  ) {
    let hooks = service.hooks(at: moment)
    // The processes of a paused service are frozen, and a hook would be frozen too.
    guard !hooks.isEmpty, let record = units[service.name]?.record, record.pausedAt == nil,
      let process = record.process.flatMap({ ServiceProcess($0) })
    else { return completion(nil) }
    hookNumber += 1
    let number = hookNumber
    let run = HookRun(
      of: "\(builder.stack)/\(service.name)", at: moment, limit: limit,
      makeRunner: { [loop, pool, builder] in builder.hook($0, of: service, in: process, loop: loop, pool: pool) },
      completion: { [self] error in
        hookRuns[number] = nil
        completion(error)
      })
    hookRuns[number] = run
    run.start(hooks[...])
  }

  func stop(_ service: DesiredService, completion: @escaping (StackError?) -> Void) {
    let grace = stopTimeout ?? service.stop.grace
    // A stop goes on whatever a hook says. Who wants it at once waits for none.
    runHooks(of: grace > .zero ? service : service.withoutHooks, at: .preStop, limit: grace) { [self] error in
      if let error { builder.warnings.add("\(error)", about: "hook \(hookNumber)") }
      guard let unit = units[service.name] else { return completion(nil) }
      unit.stop(grace: stopTimeout) { completion(nil) }
    }
  }

  func await(_ condition: Dependency.Condition, of instance: String, completion: @escaping (StackError?) -> Void) {
    guard let unit = units[instance] else { return completion(nil) }
    unit.await(condition, completion: completion)
  }

  func abandonWaits() {
    // First those that lead on to another wait.
    for run in hookRuns.values { run.cancel() }
    for unit in units.values { unit.abandonWaits() }
  }
}

extension DesiredService {
  fileprivate var withoutHooks: DesiredService {
    var service = self
    (service.postStart, service.preStop) = ([], [])
    return service
  }
}

extension Step {
  fileprivate var writesHostsFiles: Bool {
    guard case .makeFolders = self else { return false }
    return true
  }
}
