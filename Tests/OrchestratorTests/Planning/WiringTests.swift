import Testing
@testable import Intent
@testable import Planning

/// Links between services and shared namespaces exist before a service starts, and again after one was made anew.
@Suite struct WiringTests {
  private static let ring = """
    services:
      r1: {command: [x], networks: [n], depends_on: [r2], routes: ["10.9.0.0/24 via r2"]}
      r2: {command: [x], network_mode: none, forward: true}
      other: {command: [x], networks: [n]}
    networks: {n: {}}
    links: [{ends: {r1: 10.0.0.1/30, r2: 10.0.0.2/30}}]
    """

  @Test func linksAreThereBeforeTheirServicesStart() throws {
    let stack = try resolve(Self.ring)
    let plan = Planner.up(stack, recorded: nil, observed: [:])
    let serial = plan.stages.compactMap { stage in
      if case .serial(let steps) = stage { steps.map(\.short) } else { nil }
    }
    #expect(serial.dropLast().last == ["link r1 and r2"])
    let steps = plan.short
    let link = steps.firstIndex(of: "link r1 and r2") ?? 0
    #expect(["namespace r1", "namespace r2"].allSatisfy { steps.firstIndex(of: $0) ?? .max < link })
    #expect(plan.lane("r1")?.steps.map(\.short) == ["attach r1", "routes r1", "start r1", "ready r1"])
    #expect(plan.lane("other")?.steps.map(\.short) == ["attach other", "start other", "ready other"])
  }

  @Test func aLinkIsMadeAgainWithTheRoutesOverIt() throws {
    let before = try resolve(Self.ring)
    var after = before
    after.services[0].process.environment = ["A": "1"]
    #expect(after.services[0].name == "r2")
    let plan = Planner.up(after, recorded: before, observed: before.all(.running))
    #expect(plan.why == ["r2: recreated, environment changed"])
    let steps = plan.short
    #expect(
      steps.filter { $0.hasPrefix("namespace") || $0.hasPrefix("link") || $0.hasPrefix("routes") } == [
        "namespace r2", "link r1 and r2", "routes r1",
      ])
  }

  @Test func aRouteIsAddedToAServiceThatStays() throws {
    let before = try resolve(Self.ring)
    let after = try resolve(Self.ring.replacing("10.9.0.0/24 via r2", with: "10.8.0.0/24 via r2"), previous: before)
    let plan = Planner.up(after, recorded: before, observed: before.all(.running))
    #expect(plan.why == ["r1: other routes"])
    #expect(plan.short.contains("routes r1") && !plan.short.contains("stop r1"))
    // And taken away again when the way there fails.
    let undo = Planner.undo(plan.steps, of: after, to: before)
    #expect(
      undo.steps.contains { if case .setRoutes(let service, _) = $0 { service == before.services[1] } else { false } })
    // After an `up` that was cut off nobody knows which routes there are.
    #expect(
      Planner.up(after, recorded: after, isSettled: false, observed: after.all(.running)).short.contains("routes r1"))
  }

  @Test func aLinkThatIsNoMoreIsRemovedFromServicesThatStay() throws {
    let text = "services: {a: {command: [x]}, b: {command: [x]}}\n"
    let without = try resolve(text)
    let with = try resolve(text + "links: [{ends: {a: 10.0.0.1/30, b: 10.0.0.2/30}}]")
    let down = Planner.up(without, recorded: with, observed: with.all(.running))
    #expect(down.short.contains("no link a and b") && !down.short.contains("stop a"))
    let up = Planner.up(with, recorded: without, observed: without.all(.running))
    #expect(up.short.contains("link a and b") && !up.short.contains("stop a"))
    #expect(Planner.undo(up.steps, of: with, to: without).short.contains("no link a and b"))
    #expect(Planner.undo(down.steps, of: without, to: with).short.contains("link a and b"))
  }

  @Test func whoSharesANetworkComesAfterItsOwnerAndGoesWithIt() throws {
    let stack = try resolve(
      """
      services:
        side: {command: [x], network_mode: "service:web"}
        web: {command: [x]}
      """)
    let plan = Planner.up(stack, recorded: nil, observed: [:])
    #expect(plan.lane("side")?.steps.map(\.short) == ["start side", "ready side"])
    #expect(plan.lane("side")?.waitsFor == [.condition(instance: "web", .started, isRequired: true)])
    #expect(plan.lane("web")?.steps.map(\.short) == ["attach web", "start web", "ready web"])
    var changed = stack
    changed.services[0].process.environment = ["A": "1"]
    let again = Planner.up(changed, recorded: stack, observed: stack.all(.running))
    #expect(again.why == ["web: recreated, environment changed", "side: recreated, it shares the network of web"])
    // Its own change is no other's affair.
    changed = stack
    changed.services[1].process.environment = ["A": "1"]
    #expect(
      Planner.up(changed, recorded: stack, observed: stack.all(.running)).why == [
        "side: recreated, environment changed"
      ])
  }
}
