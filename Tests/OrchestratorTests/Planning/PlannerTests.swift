import Testing
@testable import Intent
@testable import Planning

/// Steps in short: `start a`, `bridge front`.
extension Step {
  var short: String {
    switch self {
    case .unsettle: "unsettle"
    case .acceptClaim, .recordIntent: "record"
    case .makeFolders: "folders"
    case .mountLayers: "mount"
    case .makeHostRoot: "host root"
    case .prepareHost: "prepare"
    case .createBridge(let network, _): "bridge \(network.name)"
    case .raiseBridge(let network, _): "raise \(network.name)"
    case .writeFirewall: "firewall"
    case .partition: "partition"
    case .guardPorts(let services, _): "guard \(services.map(\.name).joined(separator: "+"))"
    case .dropUnguarded: "drop unguarded"
    case .filterBridges: "filter"
    case .endFlows: "end flows"
    case .createNamespace(let service, _): "namespace \(service.name)"
    case .attach(let service, _): "attach \(service.name)"
    case .shape(let service, _): "shape \(service.name)"
    case .createSegment(let segment, _): "segment \(segment.network) \(segment.number)"
    case .removeSegment(let segment): "no segment \(segment.network) \(segment.number)"
    case .connect(let link, _): "link \(link.services)"
    case .shapeLink(let link, _): "shape link \(link.services)"
    case .disconnect(let link, _): "no link \(link.services)"
    case .setRoutes(let service, _): "routes \(service.name)"
    case .readdress(let service, _): "readdress \(service.name)"
    case .addAddresses(let service, _): "addresses \(service.name)"
    case .removeAddresses(let addresses, let service, _):
      "no addresses \(service.name) \(addresses.map(\.text).joined(separator: "+"))"
    case .start(let service, _): "start \(service.name)"
    case .awaitReady(let service, _): "ready \(service.name)"
    case .pause(let service, _): "pause \(service.name)"
    case .unpause(let service, _): "unpause \(service.name)"
    case .stop(let service, _): "stop \(service.name)"
    case .unpinNamespaces(let services, _): "unpin \(services.joined(separator: "+"))"
    case .detach(let service): "detach \(service.name)"
    case .removeLayer(let service, _): "layer \(service)"
    case .removeKeptVolumes(let service, _): "kept volumes of \(service)"
    case .removeLinks: "links"
    case .removeBridge(let network): "no bridge \(network.name)"
    case .removeFirewall: "no firewall"
    case .forgetConnections: "forget"
    case .removeControlGroups: "cgroups"
    case .restoreHost: "restore"
    case .unmountLayers: "unmount"
    case .removeVolumes: "volumes"
    case .removeFolders: "no folders"
    }
  }
}

extension Plan {
  var short: [String] { steps.map(\.short) }

  /// The last of a service's lanes.
  func lane(_ service: String) -> Lane? {
    for case .lanes(let lanes) in stages.reversed() {
      if let lane = lanes.last(where: { $0.service == service }) { return lane }
    }
    return nil
  }

  var why: [String] { reasons.map { "\($0.service): \($0.text)" } }
}

extension DesiredStack {
  /// Every service in one phase.
  func all(_ phase: ServicePhase) -> Planner.Observed {
    Dictionary(services.map { ($0.name, phase) }) { first, _ in first }
  }
}

@Suite struct PlannerTests {
  private static let text = """
    services:
      web: {command: [x], depends_on: [db], networks: [front]}
      db: {command: [x], networks: [front]}
    networks: {front: {}}
    """
  private static let preparation = ["record", "folders", "host root", "prepare", "firewall"]

  private static func change(
    _ old: String = text, to new: String, scope: Planner.Scope = Planner.Scope(), observed: Planner.Observed? = nil
  ) throws -> Plan {
    let before = try resolve(old)
    let after = try resolve(new, previous: before)
    return Planner.up(after, recorded: before, observed: observed ?? before.all(.running), scope: scope)
  }

  // MARK: up

  @Test func fromNothing() throws {
    let plan = Planner.up(try resolve(Self.text), recorded: nil, observed: [:])
    #expect(
      plan.short == [
        "record", "folders", "mount", "host root", "prepare", "firewall", "bridge front",
        "namespace db", "namespace web", "attach db", "start db", "ready db", "attach web", "start web", "ready web",
        "drop unguarded",
      ])
    #expect(plan.why == ["db: created", "web: created"])
    #expect(plan.lane("web")?.waitsFor == [.condition(instance: "db", .started, isRequired: true)])
    #expect(plan.lane("db")?.waitsFor == [])
  }

  @Test func whatIsAsItShouldBeIsLeftAlone() throws {
    let plan = try Self.change(to: Self.text)
    #expect(plan.isEmpty && plan.reasons.isEmpty)
    // A service that is still getting ready is no reason to start it again.
    #expect(try Self.change(to: Self.text, observed: ["web": .starting, "db": .running]).isEmpty)
  }

  @Test func aThingDeclaredOnAnotherLineIsTheSameThing() throws {
    #expect(try Self.change(to: "\n\n" + Self.text).isEmpty)
  }

  @Test func aChangedServiceAloneIsMadeAnewAndTheReasonSaid() throws {
    let plan = try Self.change(to: Self.text.replacing("web: {", with: "web: {environment: {A: '1'}, user: '33', "))
    #expect(plan.why == ["web: recreated, environment, user changed"])
    #expect(
      plan.short == ["unsettle", "stop web", "detach web", "unpin web", "layer web"] + Self.preparation
        + ["namespace web", "attach web", "start web", "ready web", "drop unguarded"])
  }

  @Test(arguments: [
    ("rootfs", "rootfs: {path: /srv}"), ("command", "entrypoint: [y]"), ("working_dir", "working_dir: /srv"),
    ("init", "init: false"), ("tty", "tty: true"), ("stdin_open", "stdin_open: true"), ("read_only", "read_only: true"),
    ("hostname", "hostname: h"), ("hostname", "domainname: d.example"), ("volumes", "tmpfs: [/tmp]"),
    ("labels", "labels: {a: b}"), ("container_name", "container_name: c"), ("ports", "expose: ['80']"),
  ])
  func eachFieldThatShowsInsideMakesAnew(name: String, keys: String) throws {
    let plan = try Self.change(to: Self.text.replacing("web: {", with: "web: {\(keys), "))
    #expect(plan.why == ["web: recreated, \(name) changed"])
  }

  @Test(arguments: ["restart: always", "stop_signal: SIGINT", "stop_grace_period: 1s", "healthcheck: {test: x}"])
  func whatDoesNotShowInsideIsOnlyRecorded(keys: String) throws {
    let plan = try Self.change(to: Self.text.replacing("web: {", with: "web: {\(keys), "))
    #expect(plan.short == Self.preparation)
    #expect(plan.reasons.isEmpty)
  }

  @Test func anotherHostPortIsForTheFirewallAlone() throws {
    let old = Self.text.replacing("web: {", with: "web: {ports: ['8081:80'], ")
    #expect(try Self.change(old, to: old.replacing("8081", with: "8082")).short == Self.preparation)
    // The first one is not: the links of services with ports are made otherwise.
    let exposed = Self.text.replacing("web: {", with: "web: {expose: ['80'], ")
    #expect(try Self.change(exposed, to: old).why == ["web: recreated, ports changed"])
  }

  @Test func aRemovedServiceGoesAndTheOthersStay() throws {
    let plan = try Self.change(to: "services: {db: {command: [x], networks: [front]}}\nnetworks: {front: {}}")
    #expect(plan.short == ["unsettle", "stop web", "detach web", "unpin web", "layer web"] + Self.preparation)
    #expect(plan.why == ["web: removed"])
  }

  /// Whoever is made anew gets its routes with that.
  @Test func otherRoutesAreSetForThoseThatStay() throws {
    func file(_ a: String, _ b: String) -> String {
      "services: {r: {command: [x], forward: true}, a: {command: \(a)}, b: {command: \(b)}, c: {command: [x]}}"
    }
    let routes = "routes: [\"192.0.2.0/24 via r\"]"
    let plan = try Self.change(file("[x]", "[x]"), to: file("[y], \(routes)", "[x], \(routes)"))
    #expect(plan.why == ["a: recreated, command changed", "b: other routes"])
    #expect(plan.short.filter { $0.contains("routes") } == ["routes b", "routes a"])
  }

  @Test func anAddedNetworkIsMadeForThoseThatJoin() throws {
    let plan = try Self.change(
      to: Self.text.replacing(
        "web: {command: [x], depends_on: [db], networks: [front]",
        with: "web: {command: [x], depends_on: [db], networks: [front, back]"
      )
      .replacing("networks: {front: {}}", with: "networks: {front: {}, back: {}}"))
    #expect(plan.why == ["web: recreated, networks changed"])
    #expect(plan.short.filter { $0.contains("bridge") } == ["bridge back"])
  }

  @Test func aSubnetThatMovedMakesItsNetworkAndServicesAnew() throws {
    let plan = try Self.change(to: Self.text.replacing("front: {}", with: "front: {subnet: 10.5.0.0/24}"))
    #expect(plan.why == ["db: recreated, networks changed", "web: recreated, networks changed"])
    #expect(
      plan.short == [
        "unsettle", "stop db", "stop web", "detach db", "detach web", "unpin db+web", "layer db", "layer web",
        "no bridge front",
      ] + Self.preparation + [
        "bridge front", "namespace db", "namespace web", "attach db", "start db", "ready db", "attach web", "start web",
        "ready web", "drop unguarded",
      ])
  }

  @Test func whatEndedIsStartedAgainWhereItWas() throws {
    let plan = try Self.change(to: Self.text, observed: ["web": .running, "db": .exited])
    #expect(plan.short == ["start db", "ready db"])
    #expect(plan.why == ["db: started"])
  }

  @Test func whatIsAboutToBeStartedAgainIsNotStartedTwice() throws {
    let plan = try Self.change(to: Self.text, observed: ["web": .running, "db": .restarting])
    #expect(plan.short == ["stop db", "start db", "ready db"])
  }

  @Test func whatNeverRanIsMadeAnew() throws {
    let remade =
      ["detach db", "unpin db", "layer db"] + Self.preparation
      + ["namespace db", "attach db", "start db", "ready db", "drop unguarded"]
    for observed: Planner.Observed in [["web": .running], ["web": .running, "db": .created]] {
      let plan = try Self.change(to: Self.text, observed: observed)
      #expect(plan.short == ["unsettle", "stop db"] + remade)
      #expect(plan.why == ["db: recreated, it was incomplete"])
    }
  }

  @Test func anUpThatWasCutOffIsTakenUpAgain() throws {
    let stack = try resolve(Self.text)
    let plan = Planner.up(stack, recorded: stack, isSettled: false, observed: ["web": .running, "db": .exited])
    // db may have lost its namespace by the time it was cut off; web runs and so has one.
    #expect(plan.why == ["db: recreated, it was incomplete"])
    #expect(plan.short.contains("mount") && plan.short.contains("bridge front"))
    #expect(!plan.short.contains("stop web"))
    // A change in the file says more than that.
    let changed = try resolve(
      Self.text.replacing("web: {command: [x]", with: "web: {command: [y]"), previous: stack)
    let both = Planner.up(changed, recorded: stack, isSettled: false, observed: ["web": .exited, "db": .exited])
    #expect(both.why == ["db: recreated, it was incomplete", "web: recreated, command changed"])
  }

  // MARK: Recreation

  @Test func recreationCanBeForced() throws {
    let plan = try Self.change(to: Self.text, scope: Planner.Scope(recreatesAll: true))
    #expect(plan.why == ["db: recreated, as asked", "web: recreated, as asked"])
    // Their folders went with them.
    #expect(plan.short.filter { $0 == "folders" }.count == 1)
    #expect(!plan.short.contains("bridge front"))
  }

  @Test func recreationCanBeForbidden() throws {
    let before = try resolve(Self.text)
    let wanted = try resolve(
      Self.text.replacing("web: {", with: "web: {environment: {A: '1'}, restart: always, "), previous: before)
    let spared = Planner.sparing(before, in: wanted)
    let web = try #require(spared.service(named: "web"))
    // What is recorded is what runs, so that the next `up` finds the difference.
    #expect(web.process.environment.isEmpty && web.restart == .always)
    #expect(Planner.up(spared, recorded: before, observed: before.all(.running)).short == Self.preparation)
    #expect(
      Planner.up(wanted, recorded: spared, observed: before.all(.running)).why
        == ["web: recreated, environment changed"])
    // One that is new is made, and one whose network moved cannot stay.
    let moved = try resolve(Self.text.replacing("front: {}", with: "front: {subnet: 10.5.0.0/24}"), previous: before)
    #expect(Planner.sparing(before, in: moved) == moved)
  }

  @Test func aScopeLeavesTheOthersAsTheyAre() throws {
    let before = try resolve(Self.text)
    let wanted = try resolve(
      Self.text.replacing("web: {", with: "web: {environment: {A: '1'}, ").replacing(
        "db: {", with: "db: {environment: {A: '1'}, "), previous: before)
    let spared = Planner.sparing(before, in: wanted) { $0.service != "web" }
    let scope = Planner.Scope(instances: ["web"])
    #expect(
      Planner.up(spared, recorded: before, observed: before.all(.running), scope: scope).why
        == ["web: recreated, environment changed"])
    // One that does not run is not started either.
    #expect(Planner.up(before, recorded: before, observed: before.all(.exited), scope: scope).why == ["web: started"])
    let forced = Planner.Scope(instances: ["web"], recreatesAll: true, waitsForDependencies: false)
    let plan = Planner.up(before, recorded: before, observed: before.all(.running), scope: forced)
    #expect(plan.why == ["web: recreated, as asked"])
    #expect(plan.lane("web")?.waitsFor == [])
  }

  @Test func whatOthersTookAwayIsMadeAgain() throws {
    let stack = try resolve(Self.text)
    let all = stack.all(.running)
    let loss = NetworkLoss(networks: ["front"], instances: ["web", "db"])
    let plan = Planner.up(stack, recorded: stack, observed: all, loss: loss)
    #expect(plan.why == ["db: recreated, it had lost a link", "web: recreated, it had lost a link"])
    #expect(plan.short.contains("no bridge front") && plan.short.contains("bridge front"))
    let single = Planner.up(stack, recorded: stack, observed: all, loss: NetworkLoss(instances: ["db"]))
    #expect(single.why == ["db: recreated, it had lost a link"])
    #expect(!single.short.contains("bridge front"))
  }

  @Test func whatOthersChangedIsPutBackAndNobodyIsMadeAnew() throws {
    let stack = try resolve(Self.text)
    var loss = NetworkLoss()
    loss.faults = ["front": "bridge web-front has no address 10.208.0.1/24"]
    loss.settings = ["net.ipv4.ip_forward is 0"]
    loss.inside = ["db": "no address 10.208.0.2 on eth0"]
    let plan = Planner.up(stack, recorded: stack, observed: stack.all(.running), loss: loss)
    #expect(
      plan.why == [
        "networks: bridge web-front has no address 10.208.0.1/24: put back",
        "networks: net.ipv4.ip_forward is 0: put back", "db: put back: no address 10.208.0.2 on eth0",
      ])
    #expect(plan.short == ["record", "folders", "host root", "prepare", "firewall", "raise front", "readdress db"])
    // A bridge that is gone is made, and not set up.
    loss.networks = ["front"]
    #expect(
      !Planner.up(stack, recorded: stack, observed: stack.all(.running), loss: loss).short.contains("raise front"))
  }

  // MARK: down

  @Test func downStopsDependentsFirstAndRemovesAll() throws {
    let stack = try resolve(Self.text)
    let plan = Planner.down(stack, removeVolumes: true)
    #expect(
      plan.short == [
        "stop db", "stop web", "links", "unpin db+web", "no bridge front", "no firewall", "forget", "cgroups",
        "unmount", "volumes", "restore", "no folders",
      ])
    #expect(plan.lane("db")?.waitsFor == [.lane("web")])
    #expect(plan.lane("web")?.waitsFor == [])
    #expect(!Planner.down(stack, removeVolumes: false).short.contains("volumes"))
  }

  @Test func downOfAStackOfWhichNothingIsKnown() {
    let plan = Planner.down(.empty(named: "web"), removeVolumes: false)
    #expect(plan.short == ["unpin ", "no firewall", "forget", "cgroups", "unmount", "restore", "no folders"])
  }

  @Test func replicasStopSideBySide() throws {
    let stack = try resolve("services: {web: {command: [x], scale: 2, depends_on: [db]}, db: {command: [x], scale: 2}}")
    let plan = Planner.down(stack, removeVolumes: false)
    #expect(plan.lane("db-1")?.waitsFor == [.lane("web-1"), .lane("web-2")])
    #expect(plan.lane("web-1")?.waitsFor == [])
  }

  // MARK: start, stop, restart

  @Test func startLeavesAloneWhatRuns() throws {
    let stack = try resolve(Self.text)
    let observed: Planner.Observed = ["db": .running, "web": .exited]
    #expect(Planner.start(stack.services, in: stack, observed: observed).short == ["start web", "ready web"])
    #expect(Planner.start(stack.services, in: stack, observed: stack.all(.starting)).isEmpty)
    #expect(
      Planner.start(stack.services, in: stack, observed: stack.all(.restarting)).short
        == ["stop db", "start db", "ready db", "stop web", "start web", "ready web"])
  }

  @Test func stopWaitsOnlyForThoseThatAreStopped() throws {
    let stack = try resolve(Self.text)
    let db = stack.services.filter { $0.name == "db" }
    #expect(Planner.stop(db, in: stack).lane("db")?.waitsFor == [])
    #expect(Planner.stop(stack.services, in: stack).lane("db")?.waitsFor == [.lane("web")])
  }

  @Test func restartStopsAllThenStartsAll() throws {
    let stack = try resolve(Self.text)
    let plan = Planner.restart(stack.services, in: stack)
    #expect(plan.short == ["stop db", "stop web", "start db", "ready db", "start web", "ready web"])
    #expect(plan.stages.count == 2)
  }

  private static let following = """
    services:
      web: {command: [x], depends_on: {app: {restart: true}}}
      app: {command: [x], depends_on: {db: {restart: true}}}
      idle: {command: [x], depends_on: [db]}
      db: {command: [x]}
    """

  @Test func whoDependsWithRestartIsRestartedToo() throws {
    let stack = try resolve(Self.following)
    let plan = Planner.restart(stack.services.filter { $0.name == "db" }, in: stack)
    #expect(Set(plan.short.filter { $0.hasPrefix("stop") }) == ["stop db", "stop app", "stop web"])
    #expect(plan.short.filter { $0.hasPrefix("start") } == ["start db", "start app", "start web"])
  }

  @Test func aCommandOfItsOwnIsNotRunAgain() throws {
    let label = "web: {labels: {com.docker.compose.oneoff: 'True'}, "
    let stack = try resolve(Self.following.replacing("web: {", with: label))
    let plan = Planner.restart(stack.services.filter { $0.name == "db" }, in: stack)
    #expect(plan.short.filter { $0.hasPrefix("start") } == ["start db", "start app"])
  }

  @Test func whoDependsWithRestartIsRestartedAfterARecreation() throws {
    let plan = try Self.change(
      Self.following, to: Self.following.replacing("db: {command: [x]", with: "db: {command: [y]"))
    #expect(
      plan.why == [
        "db: recreated, command changed", "app: restarted with what it depends on",
        "web: restarted with what it depends on",
      ])
    #expect(plan.short.filter { $0.hasPrefix("namespace") } == ["namespace db"])
    #expect(plan.short.filter { $0.hasPrefix("start") } == ["start db", "start app", "start web"])
    // One that does not run is started as it is, not stopped first.
    #expect(
      try Self.change(
        Self.following, to: Self.following,
        observed: ["db": .running, "app": .exited, "web": .running, "idle": .running]
      ).short.contains("stop app") == false)
  }
}

/// The way back from an `up` that failed, for each point that it may have come to.
@Suite struct UndoTests {
  private static let before = "services: {a: {command: [x]}, b: {command: [x]}, old: {command: [x]}}"
  private static let after = "services: {a: {command: [y]}, b: {command: [x]}, new: {command: [x]}}"

  private static func undo(after count: Int) throws -> (begun: [String], plan: Plan) {
    let old = try resolve(Self.before)
    let new = try resolve(Self.after, previous: old)
    let steps = Planner.up(new, recorded: old, observed: old.all(.running)).steps
    let begun = Array(steps.prefix(count).filter { if case .awaitReady = $0 { false } else { true } })
    return (begun.map(\.short), Planner.undo(begun, of: new, to: old))
  }

  @Test func fromNothingBegunThereIsNoWayBack() throws {
    #expect(try Self.undo(after: 0).plan.isEmpty)
  }

  @Test func whatWasOnlyStoppedIsStartedAgain() throws {
    let (begun, plan) = try Self.undo(after: 2)
    #expect(begun == ["unsettle", "stop a"])
    #expect(plan.short == ["record", "folders", "firewall", "start a"])
  }

  @Test func whatWasRemovedIsMadeAgainAndWhatWasMadeIsRemoved() throws {
    let (begun, plan) = try Self.undo(after: .max)
    #expect(begun.contains("detach old") && begun.contains("start new") && begun.contains("start a"))
    #expect(
      plan.short == [
        "stop a", "stop new", "detach a", "detach new", "unpin a+new", "layer a", "layer new", "detach a", "detach old",
        "unpin a+old", "layer old", "record", "folders", "firewall",
        "namespace a", "namespace old", "attach a", "start a", "attach old", "start old",
      ])
    guard case .start(let a, _)? = plan.steps.first(where: { $0.short == "start a" }) else {
      Issue.record("a is not started")
      return
    }
    #expect(a.process.arguments == ["x"])
  }

  @Test func neverIsAnythingSharedTakenFromWhatStillRuns() throws {
    for count in 0...40 {
      let (_, plan) = try Self.undo(after: count)
      let removed = [
        "no folders", "no firewall", "unmount", "restore", "cgroups", "links", "no bridge default", "stop b",
      ]
      #expect(Set(plan.short).isDisjoint(with: removed), "after \(count) steps")
    }
  }

  @Test func bridgesComeAndGo() throws {
    let old = try resolve("services: {a: {command: [x], networks: [n]}}\nnetworks: {n: {}}")
    let new = try resolve(
      "services: {a: {command: [x], networks: [n, m]}}\nnetworks: {n: {subnet: 10.5.0.0/24}, m: {}}", previous: old)
    let steps = Planner.up(new, recorded: old, observed: old.all(.running)).steps
    let plan = Planner.undo(steps, of: new, to: old)
    #expect(plan.short.filter { $0.contains("bridge") } == ["no bridge n", "no bridge m", "bridge n"])
    let made = plan.steps.compactMap { step -> DesiredNetwork? in
      guard case .createBridge(let network, _) = step else { return nil }
      return network
    }
    #expect(made == old.networks)
  }
}
