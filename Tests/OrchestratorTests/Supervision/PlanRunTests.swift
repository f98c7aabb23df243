import Testing
@testable import Intent
@testable import Planning
@testable import Supervision
@testable import Vocabulary

/// A host on which every step ends when the test says so.
private final class ScriptedHost: PlanHost {
  private(set) var log: [String] = []
  private(set) var abandonments = 0
  /// Everything ends within the call that begins it.
  var isSynchronous = false
  /// The errors of steps that fail, by their names.
  var failures: [String: StackError] = [:]
  private var pending: [(name: String, isWait: Bool, end: (StackError?) -> Void)] = []

  var underWay: [String] { pending.map(\.name).sorted() }

  private func begin(_ name: String, isWait: Bool = false, _ end: @escaping (StackError?) -> Void) {
    log.append(name)
    guard !isSynchronous else { return end(failures[name]) }
    pending.append((name, isWait, end))
  }

  /// Ends what is under way.
  func end(_ name: String, _ error: StackError? = nil, sourceLocation: SourceLocation = #_sourceLocation) {
    guard let index = pending.firstIndex(where: { $0.name == name }) else {
      Issue.record("\(name) is not under way, but \(underWay)", sourceLocation: sourceLocation)
      return
    }
    pending.remove(at: index).end(error ?? failures[name])
  }

  func apply(_ steps: [Step], completion: @escaping ([Step], StackError?) -> Void) {
    begin(steps.map(\.short).joined(separator: ", ")) { completion(steps, $0) }
  }

  func isReadyOnceStarted(_ service: DesiredService) -> Bool { false }

  func awaitReady(_ service: DesiredService, completion: @escaping (StackError?) -> Void) {
    begin("ready \(service.name)", isWait: true, completion)
  }

  func stop(_ service: DesiredService, completion: @escaping (StackError?) -> Void) {
    begin("stop \(service.name)", completion)
  }

  func await(
    _ condition: Dependency.Condition, of instance: String, completion: @escaping (StackError?) -> Void
  ) {
    begin("\(instance) \(condition)", isWait: true, completion)
  }

  func abandonWaits() {
    abandonments += 1
    let waits = pending.filter(\.isWait)
    pending.removeAll(where: \.isWait)
    for wait in waits { wait.end(nil) }
  }
}

/// A run with its host and what it said.
private final class Rehearsal {
  let host = ScriptedHost()
  private(set) var events: [OperationEvent] = []
  private(set) var endings = 0
  private(set) var run: PlanRun?

  func start(_ plan: Plan, failures: PlanRun.Failures = .stop) -> PlanRun {
    let run = PlanRun(
      plan, failures: failures, on: host, report: { [weak self] in self?.events.append($0) },
      completion: { [weak self] _ in self?.endings += 1 })
    self.run = run
    run.start()
    return run
  }
}

@Suite struct PlanRunTests {
  private static let stack = try? resolve(
    "services: {a: {command: [x]}, b: {command: [x]}, c: {command: [x]}, d: {command: [x]}}")

  private static func service(_ name: String) throws -> DesiredService {
    try #require(stack?.service(named: name))
  }

  private static func starting(_ name: String, after gates: Plan.Gate...) throws -> Plan.Lane {
    let service = try service(name)
    return Plan.Lane(
      service: name, waitsFor: gates,
      steps: [
        .createNamespace(service, stack: "web"), .start(service, stack: "web"), .awaitReady(service, stack: "web"),
      ])
  }

  private static func stopping(_ name: String, after lanes: String...) throws -> Plan.Lane {
    Plan.Lane(service: name, waitsFor: lanes.map { .lane($0) }, steps: [.stop(try service(name), stack: "web")])
  }

  private static let failure = StackError("web/a", "failed")

  @Test func anEmptyPlanEndsAtOnce() {
    let rehearsal = Rehearsal()
    _ = rehearsal.start(Plan(stages: []))
    #expect(rehearsal.endings == 1 && rehearsal.host.log.isEmpty)
  }

  @Test func lanesGoSideBySideAndStagesOneAfterAnother() throws {
    let rehearsal = Rehearsal()
    let host = rehearsal.host
    let run = rehearsal.start(
      Plan(stages: [
        .serial([.unsettle(stack: "web"), .restoreHost]),
        .lanes([try Self.starting("a"), try Self.starting("b")]), .serial([.restoreHost]),
      ]))
    // What blocks goes to a worker in one piece.
    #expect(host.underWay == ["unsettle, restore"])
    host.end("unsettle, restore")
    #expect(host.underWay == ["namespace a, start a", "namespace b, start b"])
    host.end("namespace b, start b")
    #expect(host.underWay == ["namespace a, start a", "ready b"])
    host.end("ready b")
    host.end("namespace a, start a")
    host.end("ready a")
    #expect(host.underWay == ["restore"] && rehearsal.endings == 0)
    host.end("restore")
    #expect(rehearsal.endings == 1 && run.errors.isEmpty)
    #expect(
      run.begun.map(\.short) == ["unsettle", "restore", "namespace b", "start b", "namespace a", "start a", "restore"])
    #expect(rehearsal.events.map { "\($0.service ?? "") \($0.text)" } == ["b ready", "a ready"])
  }

  @Test func aLaneWaitsForAllLanesBeforeIt() throws {
    let rehearsal = Rehearsal()
    let host = rehearsal.host
    _ = rehearsal.start(
      Plan(stages: [
        .lanes([
          try Self.stopping("a", after: "b", "c"), try Self.stopping("b", after: "d"), try Self.stopping("c"),
          try Self.stopping("d"),
        ])
      ]))
    #expect(host.underWay == ["stop c", "stop d"])
    host.end("stop d")
    #expect(host.underWay == ["stop b", "stop c"])
    host.end("stop b")
    #expect(host.underWay == ["stop c"])
    host.end("stop c")
    #expect(host.underWay == ["stop a"])
    host.end("stop a")
    #expect(rehearsal.endings == 1)
  }

  @Test func aLaneThatIsNotThereIsNotWaitedFor() throws {
    let rehearsal = Rehearsal()
    _ = rehearsal.start(Plan(stages: [.lanes([try Self.stopping("a", after: "nobody")])]))
    #expect(rehearsal.host.underWay == ["stop a"])
  }

  // MARK: Conditions

  @Test func aConditionIsAskedForOnceItsServiceWasStarted() throws {
    let rehearsal = Rehearsal()
    let host = rehearsal.host
    _ = rehearsal.start(
      Plan(stages: [
        .lanes([
          try Self.starting("a"),
          try Self.starting("b", after: .condition(instance: "a", .completed, isRequired: true)),
        ])
      ]))
    // How a's former run ended says nothing.
    #expect(host.underWay == ["namespace a, start a"])
    host.end("namespace a, start a")
    #expect(host.underWay == ["a completed", "ready a"])
    host.end("a completed")
    #expect(host.underWay == ["namespace b, start b", "ready a"])
  }

  @Test func oneThatRunsAlreadyIsAskedForAtOnce() throws {
    let rehearsal = Rehearsal()
    _ = rehearsal.start(
      Plan(stages: [
        .lanes([
          try Self.starting(
            "b", after: .condition(instance: "a", .started, isRequired: true),
            .condition(instance: "c", .healthy, isRequired: true))
        ])
      ]))
    #expect(rehearsal.host.underWay == ["a started"])
    rehearsal.host.end("a started")
    #expect(rehearsal.host.underWay == ["c healthy"])
  }

  @Test func aConditionThatFailsEndsTheRunUnlessItIsOptional() throws {
    for isRequired in [true, false] {
      let rehearsal = Rehearsal()
      let run = rehearsal.start(
        Plan(stages: [
          .lanes([try Self.starting("b", after: .condition(instance: "a", .started, isRequired: isRequired))])
        ]))
      rehearsal.host.end("a started", Self.failure)
      #expect(run.errors == (isRequired ? [Self.failure] : []))
      #expect(rehearsal.endings == (isRequired ? 1 : 0))
      #expect(rehearsal.host.underWay == (isRequired ? [] : ["namespace b, start b"]))
      #expect(rehearsal.events.filter { $0.kind == .warning }.count == (isRequired ? 0 : 1))
    }
  }

  // MARK: Failures

  @Test func aFailureBeginsNothingNewAndWaitsForWhatIsUnderWay() throws {
    let rehearsal = Rehearsal()
    let host = rehearsal.host
    let run = rehearsal.start(
      Plan(stages: [
        .lanes([
          try Self.starting("a"), try Self.starting("b"), try Self.starting("c"),
          try Self.starting("d", after: .condition(instance: "a", .started, isRequired: true)),
        ]), .serial([.restoreHost]),
      ]))
    host.end("namespace c, start c")
    #expect(host.underWay == ["namespace a, start a", "namespace b, start b", "ready c"])
    host.end("namespace a, start a", Self.failure)
    // The wait for c was abandoned; b is under way, and undoing must not overtake it.
    #expect(host.underWay == ["namespace b, start b"] && rehearsal.endings == 0)
    host.end("namespace b, start b")
    #expect(rehearsal.endings == 1 && host.underWay.isEmpty)
    #expect(run.errors == [Self.failure])
    #expect(!host.log.contains("restore") && !host.log.contains("ready b") && !host.log.contains("a started"))
    #expect(run.begun.map(\.short).contains("start b"))
  }

  @Test func whatFailsBecauseOfAFailureIsNoFailureOfItsOwn() throws {
    let rehearsal = Rehearsal()
    let run = rehearsal.start(Plan(stages: [.lanes([try Self.starting("a"), try Self.starting("b")])]))
    rehearsal.host.end("namespace a, start a", Self.failure)
    rehearsal.host.end("namespace b, start b", StackError("web/b", "failed too"))
    #expect(run.errors == [Self.failure] && rehearsal.endings == 1)
  }

  @Test func aTearDownTriesEverythingAndCollects() throws {
    let rehearsal = Rehearsal()
    let host = rehearsal.host
    let other = StackError("web", "restore failed")
    host.isSynchronous = true
    host.failures = ["stop a": Self.failure, "restore": other]
    let run = rehearsal.start(
      Plan(stages: [
        .lanes([try Self.stopping("a"), try Self.stopping("b", after: "a")]),
        .serial([.restoreHost, .unmountLayers(stack: "web"), .removeFolders(stack: "web")]),
      ]), failures: .goOn)
    // Each by itself, so that one that fails skips none.
    #expect(host.log == ["stop a", "stop b", "restore", "unmount", "no folders"])
    #expect(run.errors == [Self.failure, other] && rehearsal.endings == 1 && host.abandonments == 0)
  }

  // MARK: Cancelling

  @Test func cancellingBeginsNothingNew() throws {
    let rehearsal = Rehearsal()
    let host = rehearsal.host
    let run = rehearsal.start(
      Plan(stages: [
        .lanes([
          try Self.starting("a"), try Self.starting("b", after: .condition(instance: "c", .healthy, isRequired: true)),
        ])
      ]))
    #expect(host.underWay == ["c healthy", "namespace a, start a"])
    run.cancel()
    #expect(run.isCancelled && host.underWay == ["namespace a, start a"] && rehearsal.endings == 0)
    host.end("namespace a, start a")
    #expect(rehearsal.endings == 1 && run.errors.isEmpty && run.begun.map(\.short) == ["namespace a", "start a"])
  }

  @Test func aRunThatOnlyWaitsEndsWhenCancelled() throws {
    let rehearsal = Rehearsal()
    let run = rehearsal.start(
      Plan(stages: [
        .lanes([try Self.starting("a", after: .condition(instance: "c", .started, isRequired: true))])
      ]))
    run.cancel()
    #expect(rehearsal.endings == 1)
    run.cancel()
    #expect(rehearsal.endings == 1)
  }

  @Test func aTearDownIsNotCancelled() throws {
    let rehearsal = Rehearsal()
    let run = rehearsal.start(
      Plan(stages: [.lanes([try Self.stopping("a")]), .serial([.restoreHost])]), failures: .goOn)
    run.cancel()
    rehearsal.host.end("stop a")
    rehearsal.host.end("restore")
    #expect(!run.isCancelled && rehearsal.endings == 1)
  }

  // MARK: Synchronous completions

  @Test func everythingMayEndWithinTheCallThatBeginsIt() throws {
    let rehearsal = Rehearsal()
    rehearsal.host.isSynchronous = true
    let lanes = [
      try Self.stopping("a", after: "b"), try Self.stopping("b", after: "c"), try Self.stopping("c"),
      try Self.stopping("d", after: "a", "c"),
    ]
    let run = rehearsal.start(
      Plan(stages: [
        .lanes(lanes), .serial([.restoreHost]),
        .lanes([
          try Self.starting("b", after: .condition(instance: "a", .started, isRequired: true)), try Self.starting("a"),
        ]), .serial([.restoreHost]),
      ]))
    #expect(
      rehearsal.host.log == [
        "stop c", "stop b", "stop a", "stop d", "restore", "namespace a, start a", "a started", "namespace b, start b",
        "ready b", "ready a", "restore",
      ])
    #expect(rehearsal.endings == 1 && run.errors.isEmpty)
  }

  @Test func aFailureWithinTheCallEndsItOnce() throws {
    let rehearsal = Rehearsal()
    rehearsal.host.isSynchronous = true
    rehearsal.host.failures = ["namespace a, start a": Self.failure]
    let run = rehearsal.start(
      Plan(stages: [
        .lanes([
          try Self.starting("b", after: .condition(instance: "a", .started, isRequired: true)), try Self.starting("a"),
          try Self.starting("c"),
        ]), .serial([.restoreHost]),
      ]))
    #expect(rehearsal.endings == 1 && run.errors == [Self.failure])
    #expect(rehearsal.host.log == ["namespace a, start a"])
  }
}
