import Intent
import Vocabulary

/// Computes plans from what is desired, what is recorded and what runs. Pure.
package struct Planner {
  /// The phases of a stack's instances, by name.
  package typealias Observed = [String: ServicePhase]

  /// The part of a stack that an `up` is about.
  package struct Scope: Codable, Sendable {
    /// The instances that are to run, as the file says; nil for all. Others stay as they are, running or not.
    package var instances: Set<String>?
    /// True if these are recreated even where nothing changed.
    package var recreatesAll = false
    /// True if each waits for what it depends on.
    package var waitsForDependencies = true
    /// False if instances are made and not started.
    package var startsServices = true
    /// True if instances that are recreated lose their volumes without a name.
    package var renewsVolumes = false
    /// Instances that are recreated even where nothing changed.
    package var recreates: Set<String> = []

    package init(
      instances: Set<String>? = nil, recreatesAll: Bool = false, waitsForDependencies: Bool = true,
      startsServices: Bool = true, renewsVolumes: Bool = false, recreates: Set<String> = []
    ) {
      self.instances = instances
      self.recreatesAll = recreatesAll
      self.waitsForDependencies = waitsForDependencies
      self.startsServices = startsServices
      self.renewsVolumes = renewsVolumes
      self.recreates = recreates
    }

    func isRecreated(_ instance: String) -> Bool {
      recreatesAll && contains(instance) || recreates.contains(instance)
    }

    func contains(_ instance: String) -> Bool { instances?.contains(instance) ?? true }
  }

  // MARK: up

  /// - Parameters:
  ///   - recorded: what the stack was meant to be so far.
  ///   - isSettled: whether all of that was made. Otherwise an `up` was cut off, and every step is taken again:
  ///     steps are content with what they find done.
  ///   - loss: what others have taken away of it.
  package static func up(
    _ desired: DesiredStack, recorded: DesiredStack?, isSettled: Bool = true, observed: Observed,
    loss: NetworkLoss = NetworkLoss(), scope: Scope = Scope()
  ) -> Plan {
    let difference = StackDifference(
      from: recorded ?? DesiredStack.empty(named: desired.name), to: desired, isSettled: isSettled, observed: observed,
      loss: loss, scope: scope)
    var stages = teardown(difference, renewsVolumes: scope.renewsVolumes)
    if difference.touchesGroundwork {
      stages += foundation(difference, isFirst: recorded == nil || !isSettled)
    }
    // Bridges that stay count as well.
    if !difference.guarded.isEmpty || recorded.map({ !$0.hasCurrentGuards }) ?? false {
      stages.append(.serial([.guardPorts(difference.guarded, desired)]))
    }
    stages += [
      .serial(
        difference.readdressed.map { .readdress($0, desired) }
          + difference.addressed.filter { !$0.furtherAddresses.isEmpty }.map { .addAddresses($0, desired) }
          + difference.reshaped.map { .shape($0, desired) }
          + difference.linksReshaped.map { .shapeLink($0, desired) }),
      .serial(
        Wiring.steps(
          creating: difference.created, links: Set(difference.linksCreated), rerouted: difference.rerouted, in: desired)
      ),
      .lanes(
        startLanes(
          creating: difference.created, starting: difference.idle + difference.following, in: desired,
          observed: observed, waitsForDependencies: scope.waitsForDependencies,
          startsServices: scope.startsServices)),
      .serial(difference.makesPorts ? [.dropUnguarded(desired)] : []),
    ]
    let policy = recorded.flatMap { desired.policy.difference(from: $0.policy) }
    return Plan(
      stages: stages,
      reasons: difference.reasons + [policy].compactMap(\.self).map { Plan.Reason(service: "policies", text: $0) })
  }

  /// Removes what is gone from the file, and what is recreated.
  private static func teardown(_ difference: StackDifference, renewsVolumes: Bool) -> [Plan.Stage] {
    let (old, desired) = (difference.old, difference.new)
    let takesAway =
      !difference.gone.isEmpty || !difference.bridgesGone.isEmpty || !difference.addressesLost.isEmpty
    return (takesAway ? [.serial([.unsettle(stack: desired.name)])] : []) + [
      .lanes(stopLanes(difference.gone + difference.following, in: old)),
      .serial(
        removal(of: difference.gone, from: old, renewsVolumes: renewsVolumes)
          + difference.linksGone.filter { link in
            !difference.gone.contains { link.hostLink != nil && link.touches([$0.name]) }
          }
          .map { .disconnect($0, stack: desired.name) }
          + difference.addressesLost.map { .removeAddresses($0.addresses, $0.service, old) }
          + segmentsGone(with: difference.bridgesGone, from: old, to: desired).map { .removeSegment($0) }
          + difference.bridgesGone.map { .removeBridge($0) }),
    ]
  }

  /// Makes what all else needs. A recreated service needs its folder again too.
  private static func foundation(_ difference: StackDifference, isFirst: Bool) -> [Plan.Stage] {
    let (old, desired) = (difference.old, difference.new)
    let segments = segments(
      new: difference.bridgesCreated, from: old, to: desired, isSettled: difference.isSettled)
    let networks =
      networks(of: desired, bridges: difference.bridgesCreated) + segments.map { .createSegment($0, desired) }
      + difference.bridgesRaised.map { .raiseBridge($0, desired) }
      + policyChange(from: old, to: desired)
    return [
      .serial(groundwork(desired, isFirst: isFirst)),
      .lanes([Plan.Lane(steps: networks)] + namespaceLanes(difference.created, in: desired)),
    ]
  }

  /// The desired stack when some instances may not be recreated: those stay as they are, and are recorded so. Changes
  /// that a running service survives are taken over. A service whose network has changed cannot stay.
  package static func sparing(
    _ old: DesiredStack, in desired: DesiredStack, where isSpared: (DesiredService) -> Bool = { _ in true }
  ) -> DesiredStack {
    let befores = old.services.keyed(by: \.name)
    var spared = desired
    spared.services = desired.services.map { service in
      guard isSpared(service), let kept = befores[service.name], kept.networks(in: old) == kept.networks(in: desired)
      else { return service }
      return kept.withSurroundings(of: service)
    }
    return spared
  }

  /// The instances of services that a stack was to have and has no more, as far as what they are on is still there.
  package static func orphans(of old: DesiredStack, in desired: DesiredStack) -> [DesiredService] {
    let services = Set(desired.services.map(\.service))
    return old.services.filter { service in
      !services.contains(service.service) && service.networks(in: old) == service.networks(in: desired)
    }
  }

  /// Makes what all else needs.
  private static func groundwork(_ stack: DesiredStack, isFirst: Bool) -> [Step] {
    var steps: [Step] = [.acceptClaim(stack), .makeFolders(stack)]
    if isFirst { steps.append(.mountLayers(stack: stack.name)) }
    if stack.services.contains(where: { $0.root == .host }) { steps.append(.makeHostRoot(stack: stack.name)) }
    return steps + [
      .prepareHost(
        stack: stack.name, forwarding: stack.neededForwarding, neighbours: stack.learnedNeighbours)
    ]
  }

  /// The table names bridges, not their numbers, and stands before the first packet can pass.
  private static func networks(of stack: DesiredStack, bridges: [DesiredNetwork]) -> [Step] {
    [.writeFirewall(stack)] + (stack.partition == nil ? [] : [.partition(stack)])
      + bridges.map { .createBridge($0, stack) }
  }

  /// Namespaces are made beside the networks, and all of them before the first link needs one.
  static func namespaceLanes(_ services: [DesiredService], in stack: DesiredStack) -> [Plan.Lane] {
    services.filter { $0.namespace == .own }.map {
      Plan.Lane(service: $0.name, steps: [.createNamespace($0, stack: stack.name)])
    }
  }

  /// The steps of a change of rules beside the new table. Bridges begin or cease to show their frames to it, and
  /// connections that are no longer allowed end.
  static func policyChange(from old: DesiredStack, to new: DesiredStack) -> [Step] {
    guard !(old.policy.isEmpty && new.policy.isEmpty), !old.services.isEmpty else { return [] }
    let kept = new.ownNetworks.filter { $0.hasBridge && old.network(named: $0.name) == $0 }
    let (before, after) = (old.policy.filteredNetworks(of: old), new.policy.filteredNetworks(of: new))
    let switched = kept.filter { before.contains($0.name) != after.contains($0.name) }
    return (switched.isEmpty ? [] : [.filterBridges(switched, new)]) + (new.policy.isEmpty ? [] : [.endFlows(new)])
  }

  static func startLanes(
    creating new: [DesiredService], starting idle: [DesiredService], in stack: DesiredStack, observed: Observed,
    waitsForDependencies: Bool = true, startsServices: Bool = true
  ) -> [Plan.Lane] {
    let created = Set(new.map(\.name))
    let touched = created.union(idle.map(\.name))
    return stack.services.filter { touched.contains($0.name) }.map { service in
      var steps: [Step] = []
      if created.contains(service.name) {
        if service.namespace == .own {
          steps.append(.attach(service, stack))
          if !service.routes.isEmpty { steps.append(.setRoutes(service, stack: stack.name)) }
        }
      } else if observed[service.name] == .restarting {
        // Its supervisor is about to start it: that must not become a second process.
        steps = [.stop(service, stack: stack.name)]
      }
      if startsServices { steps += [.start(service, stack: stack.name), .awaitReady(service, stack: stack.name)] }
      return Plan.Lane(
        service: service.name, waitsFor: waitsForDependencies && startsServices ? gates(of: service, in: stack) : [],
        steps: steps)
    }
  }

  private static func gates(of service: DesiredService, in stack: DesiredStack) -> [Plan.Gate] {
    service.dependencies.flatMap { dependency in
      stack.services.filter { $0.service == dependency.service }.map {
        .condition(instance: $0.name, dependency.condition, isRequired: dependency.isRequired)
      }
    }
  }

  // MARK: down

  package static func down(_ stack: DesiredStack, removeVolumes: Bool) -> Plan {
    var network: [Step] = stack.hostCables.map { .disconnect($0, stack: stack.name) }
    // Group 0 is everybody else's.
    network += stack.linkGroup == 0 ? [] : [.removeLinks(group: stack.linkGroup, stack: stack.name)]
    network.append(.unpinNamespaces(stack.services.map(\.name), stack: stack.name))
    network += stack.segments.map { .removeSegment($0) } + stack.ownNetworks.map { .removeBridge($0) }
    network += [.removeFirewall(stack: stack.name), .forgetConnections(stack)]
    var rest: [Step] = [.removeControlGroups(stack: stack.name), .unmountLayers(stack: stack.name)]
    if removeVolumes { rest.append(.removeVolumes(stack: stack.name)) }
    return Plan(
      stages: [
        .lanes(stopLanes(stack.services, in: stack)),
        // The kernel waits for its readers before links are gone.
        .lanes([Plan.Lane(service: nil, steps: network), Plan.Lane(service: nil, steps: rest)]),
        .serial([.restoreHost, .removeFolders(stack: stack.name)]),
      ],
      reasons: stack.services.map { Plan.Reason(service: $0.name, text: "removed") })
  }

  static func removal(
    of services: [DesiredService], from stack: DesiredStack, renewsVolumes: Bool = false
  ) -> [Step] {
    guard !services.isEmpty else { return [] }
    // The host's link takes another end when it is without this one, and a namespace goes away in its own time.
    let names = Set(services.map(\.name))
    let cables = stack.hostCables.filter { $0.touches(names) }
    return cables.map { .disconnect($0, stack: stack.name) } + services.map { .detach($0) } + [
      .unpinNamespaces(services.map(\.name), stack: stack.name)
    ]
      + services.map { .removeLayer(service: $0.name, stack: stack.name) }
      + (renewsVolumes ? services.map { .removeKeptVolumes(service: $0.name, stack: stack.name) } : [])
  }

  /// Dependents stop before what they depend on; replicas side by side.
  static func stopLanes(_ services: [DesiredService], in stack: DesiredStack) -> [Plan.Lane] {
    let names = Set(services.map(\.name))
    var dependents: [String: [String]] = [:]
    for other in stack.services where names.contains(other.name) {
      for dependency in other.dependencies { dependents[dependency.service, default: []].append(other.name) }
    }
    return services.map { service in
      Plan.Lane(
        service: service.name, waitsFor: (dependents[service.service] ?? []).map { .lane($0) },
        steps: [.stop(service, stack: stack.name)])
    }
  }

  // MARK: start, stop, restart

  /// The plan of `start`. Services that already run are left alone.
  package static func start(_ services: [DesiredService], in stack: DesiredStack, observed: Observed) -> Plan {
    let idle = services.filter { observed[$0.name]?.isAlive != true }
    return Plan(stages: [.lanes(startLanes(creating: [], starting: idle, in: stack, observed: observed))])
  }

  package static func stop(_ services: [DesiredService], in stack: DesiredStack) -> Plan {
    Plan(stages: [.lanes(stopLanes(services, in: stack))])
  }

  /// The plan of `pause`, for the services that run.
  package static func pause(_ services: [DesiredService], in stack: DesiredStack, observed: Observed) -> Plan {
    let running = services.filter { observed[$0.name]?.isAlive == true }
    return Plan(
      stages: [
        .lanes(running.map { Plan.Lane(service: $0.name, steps: [.pause($0, stack: stack.name)]) })
      ])
  }

  package static func unpause(_ services: [DesiredService], in stack: DesiredStack) -> Plan {
    Plan(
      stages: [
        .lanes(services.map { Plan.Lane(service: $0.name, steps: [.unpause($0, stack: stack.name)]) })
      ])
  }

  package static func restart(
    _ services: [DesiredService], in stack: DesiredStack, withFollowers: Bool = true
  ) -> Plan {
    let all = services + (withFollowers ? followers(of: services, in: stack) : [])
    return Plan(stages: stop(all, in: stack).stages + start(all, in: stack, observed: [:]).stages)
  }

  /// Those that are to be restarted with others, and those with them, that are not among the others themselves. None of
  /// them runs for one command alone: that would be run again, or cut off.
  static func followers(of services: [DesiredService], in stack: DesiredStack) -> [DesiredService] {
    let given = Set(services.map(\.name))
    var restarted = Set(services.map(\.service))
    var followers: [DesiredService] = []
    // A service stands after those that it depends on: one pass finds all.
    for service in stack.services where !given.contains(service.name) && !service.isOneOff {
      guard service.dependencies.contains(where: { $0.restartsWithIt && restarted.contains($0.service) }) else {
        continue
      }
      restarted.insert(service.service)
      followers.append(service)
    }
    return followers
  }
}
