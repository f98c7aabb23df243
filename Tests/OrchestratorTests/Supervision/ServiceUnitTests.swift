import Glibc
import TestSupport
import Testing
@testable import Build
@testable import Host
@testable import Intent
@testable import Kernel
@testable import Logs
@testable import Loop
@testable import Runtime
@testable import Supervision
@testable import Vocabulary

/// A unit on a loop of its own, with shells for services.
private final class Stage {
  let folder: TemporaryFolder
  let loop: EventLoop
  let unit: ServiceUnit
  private let pump: LogPump
  private(set) var phases: [ServicePhase] = []
  private(set) var relaunches = 0
  private var launched: [ServiceProcess] = []

  private final class Wiring {
    weak var stage: Stage?
  }

  init(_ keys: String = "", record: ServiceRecord? = nil) throws {
    folder = try TemporaryFolder()
    loop = try EventLoop()
    pump = LogPump(loop: loop)
    let stack = try resolve("services: {a: {command: [x]\(keys.isEmpty ? "" : ", ")\(keys)}}")
    let paths = folder.folders.stack("web").service("a")
    try Files.makeFolder(paths.path)
    try Files.makeFolder(folder.folders.stack("web").logs)
    let wiring = Wiring()
    unit = ServiceUnit(
      stack.services[0], paths: paths, loop: loop, pump: pump, record: record, namespace: { _ in nil },
      relaunch: { _ in wiring.stage?.relaunches += 1 },
      makeProbe: { _, _ in StubProbe() },
      onChange: { wiring.stage?.phases.append($0.phase) })
    wiring.stage = self
  }

  deinit {
    for process in launched {
      try? ProcessHandle.send(SIGKILL, to: process.process.pidfd)
      _ = try? ProcessHandle.wait(for: process.process.pidfd)
    }
  }

  /// A process that runs a line of shell.
  func process(_ line: String) throws -> ServiceProcess {
    let process = try #require(ServiceProcess(try ProcessIdentity(of: spawnShell(line))))
    launched.append(process)
    return process
  }

  func start(_ line: String) throws { unit.started(try process(line)) }

  /// Ends the last process, behind the unit's back.
  func kill() throws { try ProcessHandle.send(SIGKILL, to: #require(launched.last).process.pidfd) }

  /// Turns the loop until something holds, for three seconds at most.
  func turn(until isDone: () -> Bool, sourceLocation: SourceLocation = #_sourceLocation) throws {
    let deadline = loop.now + .seconds(3)
    while !isDone(), loop.now < deadline { try loop.turn(atMost: .milliseconds(20)) }
    #expect(isDone(), sourceLocation: sourceLocation)
  }

  var phase: ServicePhase { unit.record.phase }
}

/// The answers to waits.
private final class Answers {
  private(set) var answers: [String] = []

  func add(_ error: StackError?) { answers.append(error?.message ?? "yes") }
  func add() { answers.append("gone") }
}

@Suite struct ServiceUnitTests {
  @Test func aServiceThatDeclaresNoPortsRunsOnceItIsStarted() throws {
    let stage = try Stage()
    let answers = Answers()
    try stage.start("exec sleep 60")
    stage.unit.awaitReady(timeout: .seconds(1), completion: answers.add)
    #expect(answers.answers == ["yes"] && stage.phases == [.starting, .running])
    #expect(stage.unit.isAlive && stage.unit.record.process != nil && stage.unit.record.startedAt != nil)
  }

  @Test func anEndIsNoticedWithItsCode() throws {
    let stage = try Stage()
    try stage.start("exit 3")
    try stage.turn { stage.phase == .exited }
    #expect(stage.unit.record.exitCode == 3 && stage.unit.record.process == nil && !stage.unit.isAlive)
    #expect(stage.unit.record.finishedAt != nil)
    let killed = try Stage()
    try killed.start("kill -9 $$")
    try killed.turn { killed.phase == .exited }
    #expect(killed.unit.record.exitCode == 137)
  }

  // MARK: Readiness

  @Test func whoNeverListensIsNotReadyInTime() throws {
    let stage = try Stage("expose: ['80']")
    let answers = Answers()
    try stage.start("exec sleep 60")
    stage.unit.awaitReady(timeout: .milliseconds(30), completion: answers.add)
    try stage.turn { !answers.answers.isEmpty }
    #expect(answers.answers == ["is not ready: nothing listens on tcp 80"])
    #expect(stage.phase == .starting)
  }

  @Test func whoEndsBeforeIsNotReady() throws {
    let stage = try Stage("expose: ['80']")
    let answers = Answers()
    try stage.start("exit 1")
    stage.unit.awaitReady(timeout: .seconds(60), completion: answers.add)
    try stage.turn { !answers.answers.isEmpty }
    #expect(answers.answers == ["exited with code 1 before it was ready"])
    // The question is not asked on behalf of a process that is gone.
    stage.unit.awaitReady(timeout: .seconds(60), completion: answers.add)
    #expect(answers.answers.count == 2)
  }

  @Test func theTimeForReadinessRunsOnThroughRestarts() throws {
    let stage = try Stage("expose: ['80'], restart: always")
    let answers = Answers()
    try stage.start("exit 1")
    stage.unit.awaitReady(timeout: .milliseconds(250), completion: answers.add)
    try stage.turn { stage.relaunches == 1 }
    try stage.start("exit 1")
    stage.unit.awaitReady(timeout: .seconds(60)) { _ in }
    try stage.turn { !answers.answers.isEmpty }
    #expect(answers.answers == ["is not ready: nothing listens on tcp 80"])
  }

  // MARK: Restarts

  @Test func aRestartPolicyStartsItAgain() throws {
    let stage = try Stage("restart: on-failure:1")
    try stage.start("exit 1")
    try stage.turn { stage.phase == .restarting }
    #expect(stage.relaunches == 0 && stage.unit.record.restarts == 1)
    try stage.turn { stage.relaunches == 1 }
    try stage.start("exit 1")
    try stage.turn { stage.phase == .exited }
    #expect(stage.relaunches == 1)
  }

  @Test func successIsNoFailureToRestartFrom() throws {
    let stage = try Stage("restart: on-failure")
    try stage.start("exit 0")
    try stage.turn { stage.phase == .exited }
  }

  @Test func aStartByHandTakesTheRestartsPlace() throws {
    let stage = try Stage("restart: always")
    try stage.start("exit 1")
    try stage.turn { stage.phase == .restarting }
    try stage.start("exec sleep 60")
    for _ in 0..<10 { try stage.loop.turn(atMost: .milliseconds(20)) }
    #expect(stage.relaunches == 0 && stage.phase == .starting)
  }

  @Test func aStopEndsTheWaitForARestart() throws {
    let stage = try Stage("restart: always")
    let answers = Answers()
    try stage.start("exit 1")
    try stage.turn { stage.phase == .restarting }
    stage.unit.awaitReady(timeout: .seconds(60), completion: answers.add)
    stage.unit.stop(completion: answers.add)
    #expect(stage.phase == .exited && answers.answers.last == "gone" && answers.answers.count == 2)
  }

  @Test func aStopDuringARestartEndsWhatIsBeingMade() throws {
    let stage = try Stage("restart: always")
    let answers = Answers()
    try stage.start("exit 1")
    try stage.turn { stage.relaunches == 1 }
    stage.unit.stop(completion: answers.add)
    #expect(answers.answers.isEmpty)
    try stage.start("exec sleep 60")
    try stage.turn { !answers.answers.isEmpty }
    #expect(answers.answers == ["gone"] && stage.phase == .exited && stage.unit.record.isStoppedByHand)
  }

  @Test func aStopDuringARestartThatFailsEndsToo() throws {
    let stage = try Stage("restart: always")
    let answers = Answers()
    try stage.start("exit 1")
    try stage.turn { stage.relaunches == 1 }
    stage.unit.stop(completion: answers.add)
    stage.unit.relaunchFailed(StackError("web/a", "no"))
    #expect(answers.answers == ["gone"] && stage.phase == .exited)
  }

  @Test func aRestartThatFailsIsTriedAgain() throws {
    let stage = try Stage("restart: always")
    try stage.start("exit 1")
    try stage.turn { stage.relaunches == 1 }
    stage.unit.relaunchFailed(StackError("web/a", "no"))
    try stage.turn { stage.relaunches == 2 }
    #expect(stage.phase == .restarting)
  }

  // MARK: Stopping

  @Test func whoEndsWhenAskedIsNotKilled() throws {
    let stage = try Stage("restart: always")
    let answers = Answers()
    try stage.start("trap 'exit 7' TERM; echo > \(stage.folder.path)/ready; while :; do sleep 0.01; done")
    try stage.turn { Files.exists("\(stage.folder.path)/ready") }
    stage.unit.stop(completion: answers.add)
    try stage.turn { !answers.answers.isEmpty }
    #expect(stage.unit.record.exitCode == 7 && stage.phase == .exited)
  }

  @Test func whoDoesNotIsKilledAfterItsGrace() throws {
    let stage = try Stage()
    let answers = Answers()
    try stage.start("trap '' TERM; echo > \(stage.folder.path)/ready; while :; do sleep 0.01; done")
    try stage.turn { Files.exists("\(stage.folder.path)/ready") }
    stage.unit.stop(grace: .milliseconds(50), completion: answers.add)
    try stage.turn { !answers.answers.isEmpty }
    #expect(stage.unit.record.exitCode == 137)
  }

  @Test func withoutGraceItIsKilledAtOnceAndAllWhoAskAreTold() throws {
    let stage = try Stage("restart: always")
    let answers = Answers()
    try stage.start("exec sleep 60")
    stage.unit.stop(grace: .zero, completion: answers.add)
    stage.unit.stop(grace: .zero, completion: answers.add)
    try stage.turn { answers.answers.count == 2 }
    #expect(stage.unit.record.exitCode == 137 && stage.phase == .exited)
    stage.unit.stop(completion: answers.add)
    #expect(answers.answers.count == 3)
  }

  @Test func whatWasKilledByHandIsNotStartedAgain() throws {
    let stage = try Stage("restart: always")
    try stage.start("exec sleep 60")
    stage.unit.kill(SIGKILL)
    try stage.turn { stage.phase == .exited }
  }

  // MARK: Conditions

  @Test func aKillThatItLivesThroughEndsNoRestarts() throws {
    let stage = try Stage("restart: always, stop_grace_period: 0s")
    try stage.start("trap '' TERM; echo > \(stage.folder.path)/ready; while :; do sleep 0.01; done")
    try stage.turn { Files.exists("\(stage.folder.path)/ready") }
    stage.unit.kill(SIGTERM)
    #expect(stage.unit.record.isStoppedByHand)
    try stage.turn { !stage.unit.record.isStoppedByHand }
    try stage.kill()
    try stage.turn { stage.relaunches == 1 }
  }

  @Test func aKillEndsTheWaitForARestart() throws {
    let stage = try Stage("restart: always")
    try stage.start("exit 1")
    try stage.turn { stage.phase == .restarting }
    stage.unit.kill(SIGKILL)
    #expect(stage.phase == .exited)
    for _ in 0..<10 { try stage.loop.turn(atMost: .milliseconds(20)) }
    #expect(stage.relaunches == 0)
  }

  @Test func eachWhoWaitsHasHisOwnPatience() throws {
    let stage = try Stage("expose: ['80']")
    let answers = Answers()
    try stage.start("exec sleep 60")
    stage.unit.awaitReady(timeout: .seconds(60), completion: answers.add)
    stage.unit.awaitReady(timeout: .milliseconds(30), completion: answers.add)
    try stage.turn { !answers.answers.isEmpty }
    #expect(answers.answers == ["is not ready: nothing listens on tcp 80"])
    stage.unit.abandonWaits()
    #expect(answers.answers.count == 2)
  }

  @Test func conditionsHoldOrCannotHold() throws {
    let stage = try Stage()
    let answers = Answers()
    for condition: Dependency.Condition in [.started, .completed] {
      stage.unit.await(condition, completion: answers.add)
    }
    #expect(answers.answers.isEmpty)
    stage.unit.await(.healthy, completion: answers.add)
    #expect(answers.answers == ["has no health check that others could wait for"])
    try stage.start("exit 0")
    #expect(answers.answers.last == "yes" && answers.answers.count == 2)
    try stage.turn { answers.answers.count == 3 }
    #expect(answers.answers.last == "yes")
    try stage.start("exit 4")
    stage.unit.await(.completed, completion: answers.add)
    try stage.turn { answers.answers.count == 4 }
    #expect(answers.answers.last == "did not complete: it exited with code 4")
  }

  @Test func whoAsksAgainFromWithinAnAnswerIsNotForgotten() throws {
    let stage = try Stage()
    let answers = Answers()
    let unit = stage.unit
    unit.await(.started) { _ in unit.await(.completed, completion: answers.add) }
    try stage.start("exit 0")
    try stage.turn { answers.answers == ["yes"] }
  }

  @Test func whenWaitsAreAbandonedEveryoneIsAnswered() throws {
    let stage = try Stage("expose: ['80']")
    let answers = Answers()
    stage.unit.await(.started, completion: answers.add)
    stage.unit.abandonWaits()
    #expect(answers.answers == ["yes"])
    try stage.start("exec sleep 60")
    stage.unit.await(.completed, completion: answers.add)
    stage.unit.awaitReady(timeout: .seconds(60), completion: answers.add)
    stage.unit.abandonWaits()
    #expect(answers.answers == ["yes", "yes", "yes"])
    #expect(stage.phase == .starting)
  }

  // MARK: Adoption

  @Test func aRunningProcessIsTakenOver() throws {
    let first = try Stage()
    try first.start("exec sleep 0.2")
    let stage = try Stage(record: first.unit.record)
    stage.unit.adopt()
    #expect(stage.unit.isAlive && stage.phase == .running)
    first.unit.close()
    try stage.turn { stage.phase == .exited }
  }

  @Test func oneThatEndedMeanwhileIsNotedAndItsPolicyKept() throws {
    for (keys, phase) in [("restart: 'no'", ServicePhase.exited), ("restart: always", .restarting)] {
      var record = ServiceRecord(service: "a")
      record.phase = .running
      record.process = ProcessIdentity(pid: getpid(), startTime: 1, bootID: "another")
      let stage = try Stage(keys, record: record)
      stage.unit.adopt()
      #expect(stage.phase == phase && stage.unit.record.process == nil)
    }
  }

  @Test func oneThatWasToBeStartedAgainStillIs() throws {
    var record = ServiceRecord(service: "a")
    record.phase = .restarting
    let stage = try Stage("restart: always", record: record)
    stage.unit.adopt()
    try stage.turn { stage.relaunches == 1 }
  }

  @Test func whatNeverRanIsLeftAlone() throws {
    let stage = try Stage("restart: always")
    stage.unit.adopt()
    #expect(stage.phase == .created && !stage.unit.isAlive)
  }
}

/// Finds every service well, at once.
private final class StubProbe: ProbeRunner {
  func start(timeout: Duration, completion: @escaping (ProbeOutcome) -> Void) {
    completion(ProbeOutcome(exitCode: 0, output: ""))
  }

  func cancel() {}
}
