import Fuzzing
import Glibc
import Testing
@testable import Host
@testable import Intent
@testable import Runtime
@testable import Supervision
@testable import Vocabulary

/// The state of `web/a` with these keys, after some events.
private func state(_ keys: String, after events: [ServiceState.Event] = [], record: ServiceRecord? = nil) throws
  -> ServiceState
{
  let stack = try resolve("services: {a: {command: [x]\(keys.isEmpty ? "" : ", ")\(keys)}}")
  var state = ServiceState(stack.services[0], stack: "web", record: record)
  for event in events { _ = state.handle(event) }
  return state
}

/// One transition: a service with these keys, what happened to it, and what the next event brings.
private struct Transition: Sendable, CustomTestStringConvertible {
  var name: String
  var keys: String
  var before: [ServiceState.Event]
  var event: ServiceState.Event
  var effects: [String]

  init(
    _ name: String, _ keys: String, after before: [ServiceState.Event] = [], _ event: ServiceState.Event,
    _ effects: [String]
  ) {
    (self.name, self.keys, self.before, self.event, self.effects) = (name, keys, before, event, effects)
  }

  init(_ name: String, after before: [ServiceState.Event] = [], _ event: ServiceState.Event, _ effects: [String]) {
    self.init(name, "", after: before, event, effects)
  }

  var testDescription: String { name }
}

private let process = ProcessIdentity(pid: 7, startTime: 1, bootID: "b")
private let second = ProcessIdentity(pid: 8, startTime: 2, bootID: "b")
private let started = ServiceState.Event.started(process, at: 100)

private func exited(_ code: Int32, at moment: Double = 101) -> ServiceState.Event {
  .exited(.init(status: .exited(code: code), moment: moment))
}

private func waiter(_ number: Int) -> ServiceState.Waiter { .init(number: number) }

private func ready(_ number: Int, within patience: Duration = .seconds(5)) -> ServiceState.Event {
  .awaitReady(waiter(number), patience: patience)
}

private func holds(_ condition: Dependency.Condition, _ number: Int) -> ServiceState.Event {
  .awaitCondition(waiter(number), condition)
}

private func stop(_ number: Int, grace: Duration? = nil) -> ServiceState.Event { .stop(waiter(number), grace: grace) }

private func health(_ status: ServiceRecord.Health.Status) -> ServiceState.Event {
  .probed(
    .init(
      status: status, failures: status == .unhealthy ? 3 : 0,
      results: [.init(startedAt: 1, finishedAt: 2, exitCode: status == .healthy ? 0 : 4, output: "said\n")]))
}

private let port = "expose: ['80']"
private let check = "healthcheck: {test: [CMD, probe], interval: 7s}"
private let probing = "watchHealth probe every 7.0 seconds since 100.0, starting"
private let noProbing = "stopWatchingHealth"
private let begin = ["closeOutput", "openOutput", "watchProcess"]
private let end = ["releaseProcess", noProbing, "closeOutput"]

private let starts: [Transition] = [
  .init("a start", started, begin + [noProbing, "record starting"]),
  .init("a start with a check", check, started, begin + [probing, "record starting, starting"]),
  .init(
    "a start with a terminal", "tty: true, init: true", started,
    ["closeOutput", "followTerminal", "openOutput", "watchProcess", noProbing, "record starting"]),
  .init(
    "a terminal without stack-init is the supervisor's", "tty: true, init: false", started,
    ["closeOutput", "followTerminal", "openOutput", "watchProcess", noProbing, "record starting"]),
  .init(
    "a start by hand takes the restart's place", "restart: always", after: [started, exited(1)],
    .started(second, at: 102), ["cancel restart"] + begin + [noProbing, "record starting"]),
  .init(
    "a start by hand begins the count of restarts anew", "restart: always",
    after: [started, exited(1), .restartDue, .started(second, at: 102), exited(1), .started(process, at: 103)],
    exited(1), end + ["schedule restart 0.1 seconds", "record restarting, code 1, restart 1"]),
  .init(
    "a restart is watched for readiness again", "restart: always, \(port)",
    after: [started, .lookForReadiness, .portsOpened, exited(1), .restartDue], .started(second, at: 102),
    begin + [noProbing, "record starting, restart 1", "watchPorts tcp 80"]),
  .init(
    "a restart without ports runs at once", "restart: always", after: [started, exited(1), .restartDue],
    .started(second, at: 102), begin + [noProbing, "record starting, restart 1", "record running, restart 1"]),
  .init(
    "a restart that was stopped meanwhile is ended", "restart: always, \(port)",
    after: [started, exited(1), .restartDue, stop(1)], .started(second, at: 102),
    begin + [noProbing, "record starting, restart 1, by hand", "signal 9", "killGroup"]),
  .init(
    "a restart that was killed meanwhile is ended", "restart: always, \(port)",
    after: [started, exited(1), .restartDue, .kill(SIGTERM)], .started(second, at: 102),
    begin + [noProbing, "record starting, restart 1, by hand", "signal 9", "killGroup"]),
]

private let ends: [Transition] = [
  .init("an end", after: [started], exited(3), end + ["record exited, code 3"]),
  .init(
    "an end by a signal", after: [started],
    .exited(.init(status: .signaled(signal: 9, coreDumped: false), moment: 101)),
    end + ["record exited, code 137"]),
  .init("an end that nobody saw", after: [started], .exited(.init(status: nil, moment: 101)), end + ["record exited"]),
  .init(
    "an end for want of memory", after: [started],
    .exited(.init(status: .exited(code: 1), ranOutOfMemory: true, moment: 101)),
    end + ["record exited, code 1, out of memory"]),
  .init(
    "among the processes of the host the rest is ended too", "pid: host", after: [started], exited(0),
    end + ["killGroup", "record exited, code 0"]),
  .init(
    "an end while ports are watched", port, after: [started, .lookForReadiness], exited(1),
    ["releaseProcess", noProbing, "stopWatchingPorts", "closeOutput", "record exited, code 1"]),
  .init("an end while it is paused", after: [started, .paused(at: 100)], exited(1), end + ["record exited, code 1"]),
  .init(
    "an end within the grace period", after: [started, stop(1)], exited(0),
    ["releaseProcess", "cancel grace", noProbing, "closeOutput", "record exited, code 0, by hand", "answer 1: yes"]),
  .init(
    "an end after a signal by hand", "restart: always", after: [started, .kill(SIGTERM)], exited(0),
    ["releaseProcess", "cancel mark", noProbing, "closeOutput", "record exited, code 0, by hand"]),
  .init(
    "an end that is to be restarted from answers nobody who waits for readiness", "restart: always, \(port)",
    after: [started, ready(1)], exited(1),
    [
      "releaseProcess", noProbing, "stopWatchingPorts", "closeOutput", "schedule restart 0.1 seconds",
      "record restarting, code 1, restart 1",
    ]),
  .init(
    "the last end answers those who wait for readiness", port, after: [started, ready(1), ready(2)], exited(1),
    [
      "releaseProcess", noProbing, "stopWatchingPorts", "closeOutput", "record exited, code 1", "cancel patience 1",
      "cancel patience 2", "answer 1: exited with code 1 before it was ready (log)",
      "answer 2: exited with code 1 before it was ready (log)",
    ]),
]

private let restarts: [Transition] = [
  .init("a restart that is due", "restart: always", after: [started, exited(1)], .restartDue, ["relaunch"]),
  .init(
    "a restart that was given up is not due", "restart: always", after: [started, exited(1), stop(1)], .restartDue, []),
  .init(
    "a success is no failure to restart from", "restart: on-failure", after: [started], exited(0),
    end + ["record exited, code 0"]),
  .init(
    "a failure is", "restart: on-failure", after: [started], exited(1),
    end + ["schedule restart 0.1 seconds", "record restarting, code 1, restart 1"]),
  .init(
    "the last of the retries was used", "restart: on-failure:1",
    after: [started, exited(1), .restartDue, .started(second, at: 102)], exited(1, at: 103),
    end + ["record exited, code 1, restart 1"]),
  .init(
    "back-off grows", "restart: always", after: [started, exited(1), .restartDue, .started(second, at: 102)],
    exited(1, at: 103), end + ["schedule restart 0.2 seconds", "record restarting, code 1, restart 2"]),
  .init(
    "a long run begins it anew", "restart: always",
    after: [started, exited(1), .restartDue, .started(second, at: 102)], exited(1, at: 112),
    end + ["schedule restart 0.1 seconds", "record restarting, code 1, restart 2"]),
  .init(
    "a relaunch that fails is tried again", "restart: always", after: [started, exited(1), .restartDue],
    .relaunchFailed(StackError("web/a", "no")),
    [
      "note cannot be started again: web/a: no", "schedule restart 0.2 seconds",
      "record restarting, code 127, restart 2",
    ]),
  .init(
    "the last relaunch that fails answers", "restart: on-failure:1",
    after: [started, exited(1), ready(1), .restartDue], .relaunchFailed(StackError("web/a", "no")),
    [
      "note cannot be started again: web/a: no", "record exited, code 127, restart 1", "cancel patience 1",
      "answer 1: exited with code 127 before it was ready (log)",
    ]),
  .init(
    "a relaunch that fails after a stop answers", "restart: always", after: [started, exited(1), .restartDue, stop(1)],
    .relaunchFailed(StackError("web/a", "no")),
    ["note cannot be started again: web/a: no", "record exited, code 127, restart 1, by hand", "answer 1: yes"]),
  .init(
    "a relaunch that fails beside a start by hand is noted only", "restart: always",
    after: [started, exited(1), .restartDue, .started(second, at: 102)], .relaunchFailed(StackError("web/a", "no")),
    ["note cannot be started again: web/a: no"]),
]

private let readiness: [Transition] = [
  .init(
    "a service without ports is ready", after: [started], ready(1),
    ["schedule patience 1 5.0 seconds", "record running", "cancel patience 1", "answer 1: yes"]),
  .init(
    "a service with a port is looked at", port, after: [started], ready(1),
    ["schedule patience 1 5.0 seconds", "watchPorts tcp 80"]),
  .init("it is looked at once", port, after: [started, ready(1)], ready(2), ["schedule patience 2 5.0 seconds"]),
  .init(
    "a minute is reasonable", port, after: [started], .awaitReady(waiter(1), patience: nil),
    ["schedule patience 1 60.0 seconds", "watchPorts tcp 80"]),
  .init(
    "or as long as its check may take",
    "healthcheck: {test: [CMD, probe], interval: 60s, timeout: 10s, retries: 3, start_period: 5s}", after: [started],
    .awaitReady(waiter(1), patience: nil), ["schedule patience 1 225.0 seconds", "record running, starting"]),
  .init(
    "ports open", port, after: [started, ready(1), ready(2)], .portsOpened,
    ["record running", "cancel patience 1", "cancel patience 2", "answer 1: yes", "answer 2: yes"]),
  .init("ports that are not watched do not open", port, after: [started], .portsOpened, []),
  .init(
    "who waits for a running service is answered", after: [started, .lookForReadiness], ready(1),
    ["schedule patience 1 5.0 seconds", "cancel patience 1", "answer 1: yes"]),
  .init(
    "who waits during a relaunch is heard", "restart: always", after: [started, exited(1), .restartDue], ready(1),
    ["schedule patience 1 5.0 seconds"]),
  .init(
    "who waits for what has ended is refused", after: [started, exited(2)], ready(1),
    ["answer 1: exited with code 2 before it was ready (log)"]),
  .init(
    "a service that ended well had nothing to be ready for", after: [started, exited(0)], ready(1), ["answer 1: yes"]),
  .init(
    "patience ends", port, after: [started, ready(1), ready(2)],
    .patienceEnded(waiter(1), missing: [.init(port: 80, transport: .tcp)]),
    ["answer 1: is not ready: nothing listens on tcp 80 (log)"]),
  .init(
    "patience of one who was answered does not end", after: [started, ready(1)],
    .patienceEnded(waiter(1), missing: []), []),
  .init(
    "waits are abandoned", port, after: [started, ready(1), holds(.completed, 2)], .abandonWaits,
    ["cancel patience 1", "answer 1: yes", "answer 2: yes"]),
]

private let checks: [Transition] = [
  .init(
    "a service with a check runs, and is not ready", check, after: [started], ready(1),
    ["schedule patience 1 5.0 seconds", "record running, starting"]),
  .init(
    "it is ready when it is healthy", check, after: [started, ready(1)], health(.healthy),
    ["record running, healthy", "cancel patience 1", "answer 1: yes"]),
  .init(
    "a failure that does not count yet answers nobody", check, after: [started, ready(1)], health(.starting),
    ["record running, starting"]),
  .init(
    "it is refused when it is unhealthy", check, after: [started, ready(1)], health(.unhealthy),
    [
      "record running, unhealthy", "cancel patience 1",
      "answer 1: is unhealthy after 3 failed health checks: the last one exited with code 4 (log)",
    ]),
  .init(
    "patience ends with what the check said", check, after: [started, ready(1), health(.starting)],
    .patienceEnded(waiter(1), missing: []),
    ["answer 1: is not healthy: its last health check exited with code 4 (log)"]),
  .init(
    "a paused service is not probed", check, after: [started], .paused(at: 101),
    [noProbing, "record starting, paused, starting"]),
  .init("one that is paused again is no news", check, after: [started, .paused(at: 101)], .paused(at: 102), []),
  .init(
    "one that goes on is probed", check, after: [started, .paused(at: 101)], .resumed,
    [probing, "record starting, starting"]),
  .init("one that does not stand still does not go on", check, after: [started], .resumed, []),
  .init("nothing is paused that does not run", check, .paused(at: 101), []),
  .init(
    "another check takes over", check, after: [started, ready(1)],
    .redefined(redefined("healthcheck: {test: [CMD, other], interval: 9s}")),
    ["watchHealth other every 9.0 seconds since 100.0, starting", "record running, starting"]),
  .init(
    "a paused service is not probed by another check either", check, after: [started, .paused(at: 101)],
    .redefined(redefined("healthcheck: {test: [CMD, other]}")),
    [
      noProbing, "record running, paused, starting",
      "record running, paused, starting",
    ]),
  .init(
    "without its check, its ports count", "\(check), \(port)", after: [started], .redefined(redefined(port)),
    [noProbing, "watchPorts tcp 80", "record starting"]),
  .init(
    "with a check, its ports do not count", port, after: [started, ready(1)],
    .redefined(redefined("\(check), \(port)")),
    [probing, "stopWatchingPorts", "record running, starting", "record running, starting"]),
  .init("the same check goes on", check, after: [started], .redefined(redefined("\(check), restart: always")), []),
  .init("a check of what does not run is for later", .redefined(redefined(check)), []),
]

private let stops: [Transition] = [
  .init(
    "a stop", after: [started], stop(1),
    ["record starting, by hand", noProbing, "thaw", "signal 15", "schedule grace 10.0 seconds"]),
  .init(
    "a stop with its own signal and grace", "stop_signal: SIGUSR1, stop_grace_period: 3s", after: [started], stop(1),
    ["record starting, by hand", noProbing, "thaw", "signal 10", "schedule grace 3.0 seconds"]),
  .init(
    "a stop without grace", after: [started], stop(1, grace: .zero),
    ["record starting, by hand", noProbing, "thaw", "signal 9", "killGroup"]),
  .init(
    "another stop asks again and lets the grace period run", after: [started, stop(1)], stop(2, grace: .seconds(99)),
    [noProbing, "thaw", "signal 15"]),
  .init(
    "both are told", after: [started, stop(1), stop(2)], exited(0),
    [
      "releaseProcess", "cancel grace", noProbing, "closeOutput", "record exited, code 0, by hand", "answer 1: yes",
      "answer 2: yes",
    ]),
  .init("the grace period ends", after: [started, stop(1)], .graceEnded, ["signal 9", "killGroup"]),
  .init("a grace period that was cancelled does not end", after: [started, stop(1), exited(0)], .graceEnded, []),
  .init("a stop of what does not run", stop(1), ["record created, by hand", noProbing, "answer 1: yes"]),
  .init(
    "a stop ends the wait for a restart", "restart: always", after: [started, exited(1), ready(1)], stop(2),
    [
      "record restarting, code 1, restart 1, by hand", noProbing, "cancel restart",
      "record exited, code 1, restart 1, by hand", "cancel patience 1",
      "answer 1: exited with code 1 before it was ready (log)", "answer 2: yes",
    ]),
  .init(
    "a stop during a relaunch waits for it", "restart: always", after: [started, exited(1), .restartDue], stop(1),
    ["record restarting, code 1, restart 1, by hand", noProbing]),
  .init(
    "a stop after a kill needs no mark's timer", after: [started, .kill(SIGTERM)], stop(1),
    [noProbing, "cancel mark", "thaw", "signal 15", "schedule grace 10.0 seconds"]),
]

private let kills: [Transition] = [
  .init(
    "a signal that stops", after: [started], .kill(SIGTERM),
    ["record starting, by hand", "signal 15", "schedule mark 10.0 seconds"]),
  .init(
    "SIGKILL reaches all processes", after: [started], .kill(SIGKILL),
    ["record starting, by hand", "signal 9", "killGroup", "schedule mark 10.0 seconds"]),
  .init("a signal that means something else", after: [started], .kill(SIGHUP), ["signal 1"]),
  .init(
    "the service's own stop signal stops", "stop_signal: SIGHUP, stop_grace_period: 2s", after: [started],
    .kill(SIGHUP), ["record starting, by hand", "signal 1", "schedule mark 2.0 seconds"]),
  .init(
    "a second for those without grace", "stop_grace_period: 0s", after: [started], .kill(SIGINT),
    ["record starting, by hand", "signal 2", "schedule mark 1.0 seconds"]),
  .init(
    "a kill ends the wait for a restart", "restart: always", after: [started, exited(1)], .kill(SIGQUIT),
    ["record restarting, code 1, restart 1, by hand", "cancel restart", "record exited, code 1, restart 1, by hand"]),
  .init(
    "a kill within the grace period of a stop marks nothing", after: [started, stop(1)], .kill(SIGTERM), ["signal 15"]),
  .init("a kill of what does not run", .kill(SIGKILL), ["record created, by hand"]),
  .init("a service that lives on is not stopped", after: [started, .kill(SIGTERM)], .markExpired, ["record starting"]),
  .init(
    "one that stands still has not had the signal", after: [started, .paused(at: 101), .kill(SIGTERM)],
    .markExpired, ["schedule mark 10.0 seconds"]),
  .init("a mark that was cancelled does not expire", after: [started, .kill(SIGTERM), exited(0)], .markExpired, []),
]

private let conditions: [Transition] = [
  .init("nothing holds before the start", holds(.started, 1), []),
  .init(
    "started holds by a start", after: [holds(.started, 1)], started,
    begin + [noProbing, "record starting", "answer 1: yes"]),
  .init("started holds while it runs", after: [started, .lookForReadiness], holds(.started, 1), ["answer 1: yes"]),
  .init("started held for what ended well", after: [started, exited(0)], holds(.started, 1), ["answer 1: yes"]),
  .init(
    "and not for what failed", after: [started, exited(2)], holds(.started, 1),
    ["answer 1: exited with code 2 before it was ready (log)"]),
  .init(
    "started is open while a restart is to come", "restart: always", after: [started, exited(1)],
    holds(.started, 1), []),
  .init(
    "healthy needs a check", after: [started], holds(.healthy, 1),
    ["answer 1: has no health check that others could wait for"]),
  .init("healthy is open at first", check, after: [started], holds(.healthy, 1), []),
  .init(
    "healthy holds by a probe", check, after: [started, holds(.healthy, 1)], health(.healthy),
    ["record starting, healthy", "answer 1: yes"]),
  .init(
    "healthy cannot hold once it is unhealthy", check, after: [started, holds(.healthy, 1)], health(.unhealthy),
    [
      "record starting, unhealthy",
      "answer 1: is unhealthy after 3 failed health checks: the last one exited with code 4 (log)",
    ]),
  .init(
    "healthy cannot hold after its end", check, after: [started, health(.healthy), exited(0)], holds(.healthy, 1),
    ["answer 1: has ended and is not healthy (log)"]),
  .init(
    "completed holds by an end", after: [started, holds(.completed, 1)], exited(0),
    end + ["record exited, code 0", "answer 1: yes"]),
  .init(
    "completed cannot hold after a failure", after: [started, holds(.completed, 1)], exited(4),
    end + ["record exited, code 4", "answer 1: did not complete: it exited with code 4 (log)"]),
  .init(
    "completed is open while a restart is to come", "restart: on-failure", after: [started, exited(4)],
    holds(.completed, 1), []),
  .init(
    "completed says when memory was lacking", "mem_limit: 64m",
    after: [started, .exited(.init(status: .exited(code: 137), ranOutOfMemory: true, moment: 101))],
    holds(.completed, 1),
    ["answer 1: ran out of memory of 64.0MiB before it had completed, and the kernel ended it (log)"]),
]

private func redefined(_ keys: String) -> DesiredService {
  guard let service = try? resolve("services: {a: {command: [x], \(keys)}}").services.first else {
    preconditionFailure("these keys are not to be read: \(keys)")
  }
  return service
}

@Suite struct ServiceStateTests {
  @Test(arguments: starts + ends + restarts + readiness + checks + stops + kills + conditions)
  fileprivate func aTransitionHasTheseEffects(_ transition: Transition) throws {
    var state = try state(transition.keys, after: transition.before)
    #expect(state.handle(transition.event).map(\.text) == transition.effects)
  }

  @Test func aStartForgetsTheRunBefore() throws {
    var state = try state(check, after: [started, health(.unhealthy), .paused(at: 101)])
    _ = state.handle(.exited(.init(status: .exited(code: 1), ranOutOfMemory: true, moment: 105)))
    #expect(state.record.finishedAt == 105 && state.record.process == nil && state.record.startedAt == 100)
    _ = state.handle(.started(second, at: 110))
    let record = state.record
    #expect(record.process == second && record.startedAt == 110 && record.finishedAt == nil && record.exitCode == nil)
    #expect(record.pausedAt == nil && record.ranOutOfMemory == nil && !record.isStoppedByHand)
    // Results of former runs stay to be read.
    #expect(record.health?.status == .starting && record.health?.results.count == 1)
  }

  // MARK: Adoption

  private func record(_ change: (inout ServiceRecord) -> Void) -> ServiceRecord {
    var record = ServiceRecord(service: "a")
    (record.phase, record.process, record.startedAt) = (.running, process, 100)
    change(&record)
    return record
  }

  private func adoption(_ keys: String, _ record: ServiceRecord, _ event: ServiceState.Event) throws -> [String] {
    var state = try state(keys, record: record)
    return state.handle(event).map(\.text)
  }

  private let gone = ServiceState.Event.foundGone(.init(status: .exited(code: 3), moment: 101))

  @Test func aRunningProcessIsTakenOver() throws {
    #expect(
      try adoption(port, record { _ in }, .foundRunning) == ["openOutput", "watchProcess", noProbing])
    #expect(
      try adoption(check, record { _ in }, .foundRunning) == ["openOutput", "watchProcess", probing])
    #expect(
      try adoption("tty: true, init: true", record { _ in }, .foundRunning)
        == ["openOutput", "followTerminal", "watchProcess", noProbing])
    // It was still on its way to be ready.
    #expect(
      try adoption(port, record { $0.phase = .starting }, .foundRunning)
        == ["openOutput", "watchProcess", noProbing, "watchPorts tcp 80"])
    // It was paused, and was sent a signal by hand.
    #expect(
      try adoption(check, record { ($0.pausedAt, $0.isStoppedByHand) = (100, true) }, .foundRunning)
        == ["openOutput", "watchProcess", noProbing, "schedule mark 10.0 seconds"])
  }

  @Test func anEndMeanwhileIsNotedAndItsPolicyKept() throws {
    #expect(try adoption("", record { _ in }, gone) == ["openOutput"] + end + ["record exited, code 3"])
    #expect(
      try adoption("restart: always", record { _ in }, gone)
        == ["openOutput"] + end + ["schedule restart 0.1 seconds", "record restarting, code 3, restart 1"])
    #expect(
      try adoption("restart: always", record { $0.isStoppedByHand = true }, gone)
        == ["openOutput"] + end + ["record exited, code 3, by hand"])
  }

  @Test func aServiceThatDidNotRunIsLeftAlone() throws {
    #expect(
      try adoption("restart: always", record { ($0.phase, $0.process) = (.restarting, nil) }, gone)
        == ["openOutput", "schedule restart 0.1 seconds"])
    for phase in [ServicePhase.created, .exited] {
      #expect(try adoption("restart: always", record { ($0.phase, $0.process) = (phase, nil) }, gone) == ["openOutput"])
    }
    // A record of an instance that was never started says nothing about how it ended.
    #expect(try adoption("restart: always", record { $0.process = nil }, gone) == ["openOutput"])
  }

  // MARK: Any order of events

  /// Random lives, each a few hundred events that a driver may deliver in that state.
  @Test(arguments: UInt64(0)..<60)
  func theStateIsConsistentAfterAnyEvents(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let keys = [
      "restart: always, \(port)", "restart: on-failure:2", "restart: always, \(check)", port, "pid: host, \(port)",
    ]
    var life = Life(try state(keys[Int(seed) % keys.count]), keys[Int(seed) % keys.count])
    for _ in 0..<300 {
      let event = life.nextEvent(&random)
      life.take(event)
      try #require(life.faults.isEmpty, "after \(event)")
    }
    life.take(.abandonWaits)
    life.take(stop(10_000))
    if life.state.activity == .relaunching { life.take(.relaunchFailed(StackError("web/a", "no"))) }
    if life.state.activity == .running { life.take(exited(0)) }
    #expect(life.faults.isEmpty && life.unanswered.isEmpty && life.timers.isEmpty)
    #expect(life.state.record.phase == .exited || life.state.record.phase == .created)
  }
}

/// One service with a driver that only keeps books.
private struct Life {
  var state: ServiceState
  private(set) var timers: Set<ServiceState.Timer> = []
  private(set) var unanswered: Set<ServiceState.Waiter> = []
  private(set) var faults: [String] = []
  private var lastRecord: ServiceRecord
  private var watchesPorts = false
  private let other: DesiredService
  private var waiters = 0
  private var now = 100.0

  init(_ state: ServiceState, _ keys: String) {
    self.state = state
    lastRecord = state.record
    other = redefined("\(keys.contains("healthcheck") ? port : check), restart: always")
  }

  mutating func nextEvent(_ random: inout SeededGenerator) -> ServiceState.Event {
    now += Double.random(in: 0..<12, using: &random)
    waiters += 1
    let waiter = ServiceState.Waiter(number: waiters)
    var choices: [ServiceState.Event] = [
      .awaitReady(waiter, patience: .seconds(5)), .awaitCondition(waiter, .completed),
      .awaitCondition(waiter, .started),
      .awaitCondition(waiter, .healthy), .stop(waiter, grace: .zero), .stop(waiter, grace: nil), .kill(SIGTERM),
      .kill(SIGHUP), .paused(at: now), .resumed, .abandonWaits, .lookForReadiness, .redefined(other),
    ]
    for timer in timers {
      switch timer {
      case .restart: choices += [.restartDue, .restartDue, .restartDue]
      case .grace: choices.append(.graceEnded)
      case .mark: choices.append(.markExpired)
      case .patience(let waiter): choices.append(.patienceEnded(waiter, missing: []))
      }
    }
    switch state.activity {
    case .idle, .relaunching:
      choices += [.started(process, at: now), .started(process, at: now), .relaunchFailed(StackError("web/a", "no"))]
    case .running:
      choices += [exited(0, at: now), exited(1, at: now), health(.healthy), health(.unhealthy)]
      if watchesPorts { choices.append(.portsOpened) }
    }
    return choices.randomElement(using: &random) ?? .lookForReadiness
  }

  mutating func take(_ event: ServiceState.Event) {
    switch event {
    case .awaitReady(let waiter, _), .awaitCondition(let waiter, _), .stop(let waiter, _): unanswered.insert(waiter)
    case .restartDue: timers.remove(.restart)
    case .graceEnded: timers.remove(.grace)
    case .markExpired: timers.remove(.mark)
    case .patienceEnded(let waiter, _): timers.remove(.patience(waiter))
    case .portsOpened: watchesPorts = false
    default: break
    }
    for effect in state.handle(event) { keep(effect) }
    examine()
  }

  private mutating func keep(_ effect: ServiceState.Effect) {
    switch effect {
    case .schedule(let timer, _): timers.insert(timer)
    case .cancel(let timer): expect(timers.remove(timer) != nil, "cancelled a timer that does not run: \(timer)")
    case .answer(let waiter, _): expect(unanswered.remove(waiter) != nil, "answered \(waiter) twice")
    case .record(let record): lastRecord = record
    case .watchPorts:
      expect(!watchesPorts, "watches ports twice")
      watchesPorts = true
    case .stopWatchingPorts: watchesPorts = false
    default: break
    }
  }

  private mutating func examine() {
    let record = state.record
    expect(lastRecord == record, "the record was not written")
    expect(record.phase.isAlive == (state.activity == .running), "\(record.phase) while \(state.activity)")
    expect((record.process != nil) == (state.activity == .running), "a process while \(state.activity)")
    expect(
      (record.phase == .restarting) == (state.activity == .relaunching || timers.contains(.restart)),
      "\(record.phase) while \(state.activity), \(timers)")
    expect(timers == state.timers, "timers \(timers), not \(state.timers)")
    expect(watchesPorts == state.watchesPorts && (!watchesPorts || record.phase == .starting), "watches ports")
    expect(record.pausedAt == nil || state.activity == .running, "paused while \(state.activity)")
    let waiting = state.readyWaiters + state.conditionWaiters.map(\.waiter) + state.exitWaiters
    expect(Set(waiting) == unanswered && waiting.count == unanswered.count, "somebody is forgotten")
  }

  private mutating func expect(_ holds: Bool, _ fault: String) {
    if !holds { faults.append(fault) }
  }
}

extension ServiceState.Effect {
  /// The effect in a few words, as the tables have it.
  fileprivate var text: String {
    switch self {
    case .record(let record): "record \(record.text)"
    case .answer(let waiter, let refusal):
      "answer \(waiter.number): \(refusal.map { $0.error.message + ($0.quotesLog ? " (log)" : "") } ?? "yes")"
    case .watchPorts(let ports): "watchPorts \(ports.map(\.description).joined(separator: ", "))"
    case .watchHealth(let check, let health, let startedAt):
      "watchHealth \(check.command.last ?? "") every \(check.interval) since \(startedAt), \(health.status)"
    case .schedule(let timer, let delay): "schedule \(timer.text) \(delay)"
    case .cancel(let timer): "cancel \(timer.text)"
    case .signal(let number): "signal \(number)"
    case .note(let text): "note \(text)"
    case .watchProcess, .releaseProcess, .openOutput, .followTerminal, .closeOutput, .stopWatchingPorts,
      .stopWatchingHealth, .thaw, .killGroup, .relaunch:
      "\(self)"
    }
  }
}

extension ServiceState.Timer {
  fileprivate var text: String {
    if case .patience(let waiter) = self { return "patience \(waiter.number)" }
    return "\(self)"
  }
}

extension ServiceRecord {
  fileprivate var text: String {
    let parts = [
      phase.rawValue, exitCode.map { "code \($0)" }, restarts > 0 ? "restart \(restarts)" : nil,
      ranOutOfMemory == true ? "out of memory" : nil, isStoppedByHand ? "by hand" : nil, pausedAt.map { _ in "paused" },
      healthStatus?.rawValue,
    ]
    return parts.compactMap(\.self).joined(separator: ", ")
  }
}
