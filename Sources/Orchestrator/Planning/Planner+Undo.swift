import Intent

extension Planner {
  /// The way back from an `up` of a running stack that failed or was cancelled. It removes what the `up` made, and
  /// restores what the `up` removed or stopped.
  ///
  /// - Parameters:
  ///   - begun: the steps that were begun, each perhaps half done.
  ///   - before: what the stack was.
  package static func undo(_ begun: [Step], of desired: DesiredStack, to before: DesiredStack) -> Plan {
    var touched = UndoScope()
    for step in begun { touched.add(step) }
    let torn = [desired, before].map { stack in stack.services.filter { touched.remade.contains($0.name) } }
    let running = desired.services.filter { touched.remade.contains($0.name) || touched.started.contains($0.name) }
    let madeBridges = touched.madeBridges.filter { before.network(named: $0.name) != $0 }
    let lostBridges = touched.lostBridges.filter { before.network(named: $0.name) == $0 }

    let readdressed = before.services.filter {
      touched.readdressed.contains($0.name) && !touched.remade.contains($0.name)
    }
    let addressesMade = readdressed.compactMap { service -> Step? in
      guard let given = desired.service(named: service.name) else { return nil }
      let own = Set(service.furtherAddresses)
      let made = given.furtherAddresses.filter { !own.contains($0) }
      return made.isEmpty ? nil : .removeAddresses(made, given, desired)
    }
    var seen: Set<Step> = []
    let madeLinks = touched.madeLinks.filter { !before.hasLink($0) }
    let teardown =
      torn.flatMap { removal(of: $0, from: desired) } + madeLinks.map { .disconnect($0, stack: desired.name) }
      + addressesMade
      + touched.madeSegments.map { .removeSegment($0) } + madeBridges.map { .removeBridge($0) }
    var stages: [Plan.Stage] = [
      .lanes(stopLanes(running, in: desired)), .serial(teardown.filter { seen.insert($0).inserted }),
    ]
    if touched.isUnsettled {
      stages.append(
        .serial(
          [.recordIntent(before), .makeFolders(before), .writeFirewall(before)]
            + (before.partition == nil ? [] : [.partition(before)])
            + policyChange(from: desired, to: before) + lostBridges.map { .createBridge($0, before) }
            + before.segments.filter { touched.lostSegments.contains($0) }.map { .createSegment($0, before) }))
    }
    stages.append(
      .serial(
        readdressed.filter { !$0.furtherAddresses.isEmpty }.map { .addAddresses($0, before) }
          + before.services.filter { touched.reshaped.contains($0.name) && !touched.remade.contains($0.name) }
          .map { .shape($0, before) }
          + before.links.filter { touched.reshapedLinks.contains($0.unshaped) }.map { .shapeLink($0, before) }))
    let lost = before.links.filter { touched.lostLinks.contains($0) }
    stages.append(.lanes(namespaceLanes(torn[1], in: before)))
    stages.append(
      .serial(
        Wiring.steps(
          creating: torn[1], links: Set(lost), rerouted: touched.rerouted.union(touched.readdressed), in: before)))
    var lanes = startLanes(
      creating: torn[1], starting: before.services.filter { touched.stopped.contains($0.name) }, in: before,
      observed: [:])
    // Whoever hears of the failure need not wait until the services of before are ready again.
    for index in lanes.indices { lanes[index].steps.removeAll { if case .readiness = $0.wait { true } else { false } } }
    return Plan(stages: stages + [.lanes(lanes)])
  }
}
