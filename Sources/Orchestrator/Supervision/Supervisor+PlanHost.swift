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
      .shapeLink, .setRoutes, .readdress, .start, .awaitReady, .stop, .unpinNamespaces, .detach, .disconnect,
      .removeLayer,
      .removeLinks, .removeBridge, .removeSegment, .removeFirewall, .forgetConnections, .removeControlGroups,
      .restoreHost, .unmountLayers, .removeVolumes, .removeFolders:
      break
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

extension Step {
  fileprivate var writesHostsFiles: Bool {
    guard case .makeFolders = self else { return false }
    return true
  }
}
