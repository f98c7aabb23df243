import Foundation
import Testing

/// A supervisor outlives whoever typed `up`, and is back at once when it was killed all the same.
@Suite struct WatchedSupervisorTests {
  private static let text = """
    name: two
    services:
      a: {command: [sh, -c, "while :; do date; sleep 0.1; done"]}
      b: {command: [sleep, "1000"], restart: always}
      c: {command: [sh, -c, "sleep 1001; exit 7"], init: false}
    """

  @Test func itOutlivesTheGroupOfWhoeverTypedUp() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(Self.text, to: "two.stack")
      let script = """
        root=$(findmnt -n -t cgroup2 -o TARGET | head -n 1); mkdir $root/step
        sh -c "echo 0 >$root/step/cgroup.procs; nice -n 10 stack up two.stack"
        echo 1 >$root/step/cgroup.kill; sleep 0.1; rmdir $root/step
        """
      try host.succeed("sh", "-c", script)
      let supervisor = try #require(try host.stackProcesses().last)
      #expect(try host.succeed("ps", "-o", "ni=", "-p", "\(supervisor)").trimmingCharacters(in: .whitespaces) == "0")
      try host.succeed("stack", "exec", "a", "getent", "hosts", "b")
      let pid: Int = try host.field("PID", of: "b")
      try host.succeed("pkill", "-9", "-x", "-f", "sleep 1000")
      #expect(
        try host.eventually {
          try host.field("State", of: "b") == "running" && host.field("PID", of: "b") != pid
        })
      try host.succeed("stack", "down", "two")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func itIsBackWithinASecondAndKnowsWhatHappened() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.text, named: "two")
      let pids = try ["a", "b", "c"].map { try host.field("PID", of: $0) as Int }
      let former = try #require(try host.stackProcesses().last)
      // Killed while its watcher is stopped, so that services end with nobody there.
      try host.succeed("pkill", "-STOP", "-x", "stack-watch")
      try host.succeed("kill", "-9", "\(former)")
      try host.succeed("pkill", "-9", "-x", "-f", "sleep 1001")
      try host.succeed("pkill", "-CONT", "-x", "stack-watch")
      #expect(try host.eventually(within: .seconds(1)) { try !host.stackProcesses().filter { $0 != former }.isEmpty })
      #expect(try host.eventually { try host.field("State", of: "c") == "exited" })
      // Without stack-init the watcher alone knows.
      #expect(try host.field("ExitCode", of: "c") == 7)
      #expect(try ["a", "b"].map { try host.field("PID", of: $0) as Int } == Array(pids.prefix(2)))
      try host.succeed("stack", "exec", "a", "getent", "hosts", "b")
      try host.succeed("stack", "down", "two")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func oneThatCannotStartSaysSoOnce() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(Self.text, to: "two.stack")
      let outcome = try host.run("sh", "-c", "ulimit -n 8; exec stack up two.stack")
      #expect(outcome.status == 1, "\(outcome)")
      #expect(outcome.errors.components(separatedBy: "error").count == 2, "\(outcome)")
      try host.expectUnchanged(since: before)
    }
  }
}
