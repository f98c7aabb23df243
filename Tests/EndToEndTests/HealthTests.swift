import Foundation
import Glibc
import Testing

/// Health checks, and what waits for them.
@Suite struct HealthTests {
  /// Healthy as soon as /tmp/ok is there.
  private static func checked(_ command: String, retries: Int = 20) -> String {
    """
    name: x
    services:
      a:
        command: [sh, -c, "\(command)"]
        healthcheck: {test: "echo asked; test -e /tmp/ok", interval: 100ms, timeout: 2s, retries: \(retries)}
    """
  }
  private static let healthySoon = checked("sleep 0.2; touch /tmp/ok; exec sleep 1000")

  @Test func upReturnsWhenHealthy() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(Self.healthySoon, to: "x.stack")
      let outcome = try host.run("stack", "up", "x.stack")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.duration > .milliseconds(200))
      #expect(outcome.output.contains(/running [0-9]+s, healthy/))
      #expect(try host.field("Health", of: "a") == "healthy")
      let inspection = try host.inspection(of: "a")
      let results = try #require(inspection["results"] as? [[String: Any]])
      #expect(results.count <= 5)
      #expect(results.first?["output"] as? String == "asked\n")
      #expect(results.last?["exitCode"] as? Int == 0)
      try host.succeed("stack", "down", "x")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func upFailsWithWhatTheCheckSaid() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(
        """
        name: x
        services:
          a:
            command: [sleep, "1000"]
            healthcheck: {test: "echo no database; exit 7", interval: 50ms, retries: 3}
          b:
            command: [sleep, "1000"]
            depends_on: {a: {condition: service_healthy}}
        """, to: "x.stack")
      let outcome = try host.run("stack", "up", "x.stack")
      #expect(outcome.status == 1)
      for words in ["x/a", "unhealthy", "3 failed", "code 7", "no database"] {
        #expect(outcome.errors.contains(words), "does not say '\(words)': \(outcome)")
      }
      #expect(!outcome.errors.contains("b: starting"))
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aDependentStartsOnceHealthy() throws {
    try ThrowawayHost.with { host in
      let text =
        Self.healthySoon + """

            b:
              command: [sleep, "1000"]
              depends_on: {a: {condition: service_healthy}}
          """
      try host.up(text, named: "x")
      let ready = try host.succeed("stack", "exec", "a", "stat", "-c", "%.9Y", "/tmp/ok")
      let inspection = try host.record(of: "b")
      let started = try #require(inspection["startedAt"] as? Double)
      #expect(started > (Double(ready) ?? .infinity))
    }
  }

  @Test func aHealthyServiceBecomesUnhealthyAndHealthyAgain() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.checked("touch /tmp/ok; exec sleep 1000", retries: 2), named: "x")
      try host.succeed("stack", "exec", "a", "rm", "/tmp/ok")
      #expect(try host.eventually { try host.field("Health", of: "a") == "unhealthy" })
      #expect(try host.field("State", of: "a") == "running")
      try host.succeed("stack", "exec", "a", "touch", "/tmp/ok")
      #expect(try host.eventually { try host.field("Health", of: "a") == "healthy" })
    }
  }

  @Test func startingAgainAfterARestart() throws {
    try ThrowawayHost.with { host in
      let command = "if [ -e /was ]; then sleep 1000; fi; touch /was /tmp/ok; exec sleep 1000"
      try host.up(Self.checked(command), named: "x")
      try host.succeed("stack", "exec", "a", "rm", "/tmp/ok")
      let restart = try host.start(["stack", "restart", "a"])
      #expect(try host.eventually { try host.field("Health", of: "a") == "starting" })
      try host.succeed("stack", "exec", "a", "touch", "/tmp/ok")
      #expect(try restart.wait(limit: .seconds(60)).status == 0)
      #expect(try host.field("Health", of: "a") == "healthy")
    }
  }

  @Test func aProbeThatHangsIsEndedWithAllItStarted() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: x
        services:
          a:
            command: [sleep, "1000"]
            healthcheck:
              test: "if [ -e /ok ]; then sleep 2001 & exit 0; fi; touch /ok; sleep 2001 & setsid sleep 2001 & sleep 2001"
              interval: 50ms
              timeout: 300ms
              retries: 5
        """
      try host.up(text, named: "x")
      let codes = try #require(host.inspection(of: "a")["results"] as? [[String: Any]]).map { $0["exitCode"] as? Int }
      #expect(codes == [-1, 0])
      // At most those of the probe that runs at this moment.
      #expect(try host.eventually { try host.run("pgrep", "-f", "sleep 2001").status == 1 })
    }
  }

  @Test func probesGoOnWithAnotherSupervisor() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.checked("touch /tmp/ok; exec sleep 1000", retries: 2), named: "x")
      try host.killSupervisors()
      #expect(try host.field("Health", of: "a") == "healthy")
      try host.succeed("stack", "exec", "a", "rm", "/tmp/ok")
      // Anything that needs a supervisor starts one.
      try host.succeed("stack", "up", "x.stack")
      #expect(try host.eventually { try host.field("Health", of: "a") == "unhealthy" })
      #expect(try host.record(of: "a")["restarts"] as? Int == 0)
    }
  }

  @Test func withoutAHealthCheckTheSupervisorSleeps() throws {
    try ThrowawayHost.with { host in
      try host.up(
        "name: x\nservices:\n  a:\n    command: [sleep, \"1000\"]\n    healthcheck: {test: [NONE]}\n", named: "x")
      #expect(try host.field("Health", of: "a") == "")
      let supervisor = try #require(try host.stackProcesses().first)
      // Its worker threads end after a while without work. What is left waits for events without a limit: the fourth argument
      // of epoll_wait(2) and epoll_pwait(2) is -1, by proc_pid_syscall(5).
      var calls = ""
      let sleeps = try host.eventually {
        calls = try host.succeed("sh", "-c", "cat /proc/\(supervisor)/task/*/syscall")
        let words = calls.split(separator: " ")
        return calls.split(separator: "\n").count == 1 && words.count > 4 && ["232", "281", "22"].contains(words[0])
          && words[4].lowercased().hasSuffix("ffffffff")
      }
      #expect(sleeps, "\(calls)")
    }
  }

  @Test func manyProbesLeaveNothingBehind() throws {
    try ThrowawayHost.with { host in
      let services = (0..<5).map { number in
        "  a\(number):\n    command: [sleep, \"1000\"]\n"
          + "    healthcheck: {test: \"head -c 20000 /dev/zero; exit \(number % 2)\", interval: 10ms, retries: 1000000, "
          + "start_period: 0s}\n"
      }
      try host.write("name: x\nservices:\n\(services.joined())", to: "x.stack")
      let up = try host.start(["stack", "up", "x.stack"])
      #expect(try host.eventually { try host.listing().count == 5 })
      let supervisor = try #require(try host.supervisor())
      #expect(try host.eventually { try host.failedProbes(of: "a1") >= 20 })
      let early = try host.footprint(of: supervisor)
      #expect(try host.eventually { try host.failedProbes(of: "a1") >= 80 })
      try host.expectFootprint(of: supervisor, within: early, descriptors: 12, zombies: 5)
      try host.signal(2, to: up)
      #expect(try up.wait(limit: .seconds(60)).status == 130)
    }
  }
}

/// Services that end again and again.
@Suite struct RestartTests {
  @Test func crashLoopsLeaveNothingBehind() throws {
    try ThrowawayHost.with { host in
      let names = (0..<10).map { "a\($0)" }
      let services = names.map { "  \($0):\n    command: [sh, -c, \"exit 3\"]\n    restart: always\n" }
      try host.up("name: x\nservices:\n\(services.joined())", named: "x")
      let supervisor = try #require(try host.supervisor())
      #expect(try host.eventually { try host.field("Restarts", of: "a0") as Int >= 3 })
      let early = try host.footprint(of: supervisor)
      #expect(try host.eventually { try host.field("Restarts", of: "a0") as Int >= 6 })
      try host.expectFootprint(of: supervisor, within: early, descriptors: 4, zombies: 0)
      try host.succeed("stack", "stop", "a0")
      #expect(try host.field("State", of: "a0") == "exited")
    }
  }
}

extension ThrowawayHost {
  func record(of service: String) throws -> [String: Any] {
    let text = try succeed("stack", "inspect", service)
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    guard let record = object?["record"] as? [String: Any] else { throw HarnessError("no record: \(text)") }
    return record
  }

  /// The health of a service in the output of `inspect`.
  func inspection(of service: String) throws -> [String: Any] {
    guard let health = try record(of: service)["health"] as? [String: Any] else {
      throw HarnessError("no health of \(service)")
    }
    return health
  }

  /// The number of probes of a service that have failed in a row.
  func failedProbes(of service: String) throws -> Int { try inspection(of: service)["failures"] as? Int ?? 0 }

  /// The process number of the only supervisor.
  func supervisor() throws -> Int? {
    let pids = try succeed("pgrep", "-f", "stack supervise").split(separator: "\n").compactMap { Int($0) }
    return pids.first
  }

  struct Footprint {
    let descriptors: Int
    let zombies: Int
    let kilobytes: Int
  }

  /// The descriptors and the memory of a process, and the zombies on the whole host.
  func footprint(of pid: Int) throws -> Footprint {
    let script = """
      ls /proc/\(pid)/fd | wc -l
      ps -e -o stat= | grep -c '^Z' || true
      awk '/^Anonymous:/ {print $2}' /proc/\(pid)/smaps_rollup
      """
    let numbers = try succeed("sh", "-c", script).split(separator: "\n").compactMap { Int($0) }
    guard numbers.count == 3 else { throw HarnessError("no footprint of \(pid): \(numbers)") }
    return Footprint(descriptors: numbers[0], zombies: numbers[1], kilobytes: numbers[2])
  }

  /// Records an issue if a process holds more than it did when `early` was taken. What it is busy with comes and goes: what has
  /// leaked stays, so that no look finds it gone.
  func expectFootprint(
    of pid: Int, within early: Footprint, descriptors: Int, zombies: Int,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var late = early
    let isWithin = try eventually {
      late = try footprint(of: pid)
      return late.descriptors <= early.descriptors + descriptors && late.zombies <= zombies
        && late.kilobytes < early.kilobytes + 500
    }
    #expect(isWithin, "\(early) \(late)", sourceLocation: sourceLocation)
  }
}
