/// Computes plans from what is desired, what is recorded and what runs. Pure.
struct Planner {
  /// What became of the instances of a stack, by name.
  typealias Observed = [String: ServicePhase]

  enum Recreation: String, Codable, Sendable {
    /// Only what changed.
    case changed
    case always
    case never
  }

  // MARK: up

  /// - Parameters:
  ///   - recorded: what the stack was meant to be so far.
  ///   - isSettled: whether all of that was made. Otherwise an `up` was cut off, and every step is taken again:
  ///     steps are content with what they find done.
  static func up(
    _ desired: DesiredStack, recorded: DesiredStack?, isSettled: Bool = true, observed: Observed,
    recreate: Recreation = .changed
  ) -> Plan {
    let old = recorded ?? DesiredStack.empty(named: desired.name)
    var changes = changes(from: old, to: desired, recreate: recreate)
    // An instance without a record never came to run: what there is of it is made anew.
    for service in old.services where observed[service.name].map({ $0 == .created }) ?? true {
      if changes[service.name] == nil { changes[service.name] = "it was incomplete" }
    }
    let gone = old.services.filter { service in
      changes[service.name] != nil || desired.service(named: service.name) == nil
    }
    let new = desired.services.filter { changes[$0.name] != nil || old.service(named: $0.name) == nil }
    let idle = desired.services.filter { service in
      !new.contains { $0.name == service.name } && observed[service.name].map { !$0.isAlive } ?? true
    }
    let bridgesGone = old.networks.filter { desired.network(named: $0.name) != $0 }
    let bridgesNew = desired.networks.filter { !isSettled || old.network(named: $0.name) != $0 }

    var stages: [Plan.Stage] = [
      .lanes(stopLanes(gone, in: old)),
      .serial(removal(of: gone, from: old) + bridgesGone.map { .removeBridge($0) }),
    ]
    if recorded != desired || !isSettled {
      let isFirst = recorded == nil || !isSettled
      stages.append(.serial(preparation(desired, isFirst: isFirst, bridges: bridgesNew)))
    }
    stages.append(.lanes(startLanes(creating: new, starting: idle, in: desired)))

    let reasons =
      gone.filter { desired.service(named: $0.name) == nil }.map { Plan.Reason(service: $0.name, text: "removed") }
      + new.map { service in
        Plan.Reason(service: service.name, text: changes[service.name].map { "recreated, \($0)" } ?? "created")
      }
      + idle.map { Plan.Reason(service: $0.name, text: "started") }
    return Plan(stages: stages, reasons: reasons)
  }

  /// Why instances that were there before have to be made anew.
  private static func changes(
    from old: DesiredStack, to new: DesiredStack, recreate: Recreation
  ) -> [String: String] {
    var changes: [String: String] = [:]
    for service in new.services {
      guard let before = old.service(named: service.name) else { continue }
      switch recreate {
      case .always: changes[service.name] = "as asked"
      case .never: break
      case .changed: changes[service.name] = service.difference(from: before, old: old, new: new)
      }
    }
    return changes
  }

  private static func preparation(_ stack: DesiredStack, isFirst: Bool, bridges: [DesiredNetwork]) -> [Step] {
    var steps: [Step] = [.recordIntent(stack), .makeFolders(stack)]
    if isFirst { steps.append(.mountLayers(stack: stack.name)) }
    if stack.services.contains(where: { $0.root == .host }) { steps.append(.makeHostRoot(stack: stack.name)) }
    let forwarding = stack.networks.contains { !$0.isInternal } || !stack.publishedPorts.isEmpty
    steps.append(.prepareHost(stack: stack.name, forwarding: forwarding))
    // The table names bridges, not their numbers, and stands before the first packet can pass.
    steps.append(.writeFirewall(stack))
    return steps + bridges.map { .createBridge($0, stack) }
  }

  private static func startLanes(
    creating new: [DesiredService], starting idle: [DesiredService], in stack: DesiredStack
  ) -> [Plan.Lane] {
    let created = Set(new.map(\.name))
    let touched = created.union(idle.map(\.name))
    return stack.services.filter { touched.contains($0.name) }.map { service in
      var steps: [Step] = []
      if created.contains(service.name) {
        steps = [.createNamespace(service, stack: stack.name), .attach(service, stack)]
      }
      steps += [.start(service, stack: stack.name), .awaitReady(service)]
      return Plan.Lane(service: service.name, waitsFor: gates(of: service, in: stack), steps: steps)
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

  static func down(_ stack: DesiredStack, removeVolumes: Bool) -> Plan {
    // Group 0 is everybody else's.
    var removal: [Step] = stack.linkGroup == 0 ? [] : [.removeLinks(group: stack.linkGroup, stack: stack.name)]
    removal += [
      .unpinNamespaces(stack.services.map(\.name), stack: stack.name)
    ]
    removal += stack.networks.map { .removeBridge($0) }
    removal += [
      .removeFirewall(stack: stack.name), .removeControlGroups(stack: stack.name), .restoreHost,
      .unmountLayers(stack: stack.name),
    ]
    if removeVolumes { removal.append(.removeVolumes(stack: stack.name)) }
    removal.append(.removeFolders(stack: stack.name))
    return Plan(
      stages: [.lanes(stopLanes(stack.services, in: stack)), .serial(removal)],
      reasons: stack.services.map { Plan.Reason(service: $0.name, text: "removed") })
  }

  private static func removal(of services: [DesiredService], from stack: DesiredStack) -> [Step] {
    guard !services.isEmpty else { return [] }
    return services.map { .detach($0) } + [.unpinNamespaces(services.map(\.name), stack: stack.name)]
      + services.map { .removeLayer(service: $0.name, stack: stack.name) }
  }

  /// Dependents stop before what they depend on; replicas side by side.
  private static func stopLanes(_ services: [DesiredService], in stack: DesiredStack) -> [Plan.Lane] {
    let names = Set(services.map(\.name))
    return services.map { service in
      let dependents = stack.services.filter { other in
        names.contains(other.name) && other.dependencies.contains { $0.service == service.service }
      }
      return Plan.Lane(
        service: service.name, waitsFor: dependents.map { .lane($0.name) }, steps: [.stop(service)])
    }
  }

  // MARK: start, stop, restart

  static func start(_ services: [DesiredService], in stack: DesiredStack) -> Plan {
    Plan(stages: [.lanes(startLanes(creating: [], starting: services, in: stack))])
  }

  static func stop(_ services: [DesiredService], in stack: DesiredStack) -> Plan {
    Plan(stages: [.lanes(stopLanes(services, in: stack))])
  }

  static func restart(_ services: [DesiredService], in stack: DesiredStack) -> Plan {
    Plan(stages: stop(services, in: stack).stages + start(services, in: stack).stages)
  }
}

extension DesiredStack {
  /// A stack with nothing in it: what was there before the first `up`.
  static func empty(named name: String) -> DesiredStack {
    DesiredStack(name: name, file: "", networks: [], services: [], volumes: [], linkGroup: 0)
  }

  var publishedPorts: [PublishedPort] { services.flatMap(\.ports) }
}
