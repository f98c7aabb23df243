import Foundation
import Fuzzing
import Testing

/// Faults around a stack: no space, no descriptors, missing system calls, services that misbehave.
///
/// After each fault there is a clear error, or the stack keeps running. Nothing is lost, and nothing is left behind.
@Suite struct FaultTests {
  private static let server = ThrowawayHost.servers(stack: "x", ["a", "b"], extra: ["a": ["ports: [\"8080:80\"]"]])

  /// Brings a stack up under `fault`, which may succeed or must say why not; then takes it down and looks for what is left.
  private func expectRefusalOrSuccess(
    _ host: ThrowawayHost, _ command: [String], mayUse words: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let before = try HostState(of: host)
    let outcome = try host.start(command).wait(limit: .seconds(60))
    #expect([0, 1].contains(outcome.status), "\(outcome)", sourceLocation: sourceLocation)
    if outcome.status == 1 {
      #expect(outcome.errors.contains("error"), "\(outcome)", sourceLocation: sourceLocation)
      if !words.isEmpty {
        #expect(words.contains { outcome.errors.contains($0) }, "\(outcome)", sourceLocation: sourceLocation)
      }
    }
    let down = try host.run("stack", "down", "x")
    #expect(outcome.status == 1 || down.status == 0, "\(down)", sourceLocation: sourceLocation)
    #expect(
      try host.eventually(within: .seconds(20)) { try host.run("pgrep", "-x", "strace|stack").status != 0 },
      sourceLocation: sourceLocation)
    try host.expectUnchanged(since: before, sourceLocation: sourceLocation)
  }

  @Test(arguments: ["/run/stack", "/var/lib/stack"], ["size=4k", "size=64k,nr_inodes=12", "ro"])
  func case23noSpaceForState(_ folder: String, _ options: String) throws {
    try ThrowawayHost.with { host in
      try host.write(Self.server, to: "x.stack")
      try host.succeed("sh", "-c", "mkdir -p \(folder) && mount -t tmpfs -o mode=755,\(options) none \(folder)")
      try expectRefusalOrSuccess(
        host, ["stack", "up", "x.stack"], mayUse: [folder, "No space", "Read-only", "read-only"])
    }
  }

  @Test func case23theDiskFillsWhileItRuns() throws {
    try ThrowawayHost.with { host in
      try host.succeed("mount", "-t", "tmpfs", "-o", "size=2m", "none", "/var/lib/stack")
      let before = try HostState(of: host)
      let text = """
        name: x
        services:
          loud: {command: [sh, -c, "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"]}
          calm: {command: [sleep, infinity]}
        """
      try host.up(text, named: "x")
      #expect(
        try host.eventually {
          try host.succeed("sh", "-c", "df --output=avail /var/lib/stack | tail -1").trimmingCharacters(
            in: .whitespaces) == "0"
        })
      // Neither the service nor the supervisor stops for it.
      #expect(try host.field("State", of: "loud") == "running")
      #expect(try host.succeed("stack", "exec", "calm", "hostname") == "calm")
      try host.succeed("stack", "restart", "calm")
      try host.succeed("stack", "down", "x")
      try host.expectUnchanged(since: before)
    }
  }

  @Test(arguments: [12, 24, 40])
  func case24descriptorsUsedUp(_ limit: Int) throws {
    try ThrowawayHost.with { host in
      try host.write(Self.server, to: "x.stack")
      try expectRefusalOrSuccess(host, ["prlimit", "--nofile=\(limit):\(limit)", "stack", "up", "x.stack"])
    }
  }

  @Test(arguments: [
    "openat2", "clone3", "pidfd_open", "close_range", "open_tree", "move_mount", "mount_setattr", "fsopen", "seccomp",
    "unshare",
    "setns",
  ])
  func case25callsThatAreNotThere(_ call: String) throws {
    try ThrowawayHost.with { host in
      try host.write(Self.server, to: "x.stack")
      let tracer = [
        "strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=\(call)", "-e", "inject=\(call):error=ENOSYS",
      ]
      try expectRefusalOrSuccess(host, tracer + ["stack", "up", "x.stack"])
    }
  }

  @Test func case27aForkBombIsStopped() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      let text = """
        name: x
        services:
          bomb:
            command: [sh, -c, "trap '' TERM; f() { f | f & }; sleep 0.1; f; sleep 100"]
            pids_limit: 200
            stop_grace_period: 1s
        """
      try host.up(text, named: "x")
      // A fork that the limit refused, by pids.events of the kernel's cgroup documentation.
      let refused = "find /sys/fs/cgroup -path '*/stack/x/bomb*/pids.events' -exec cat {} + | grep -q 'max [1-9]'"
      #expect(try host.eventually { try host.run("sh", "-c", refused).status == 0 })
      let down = try host.run("stack", "down", "x", limit: .seconds(60))
      #expect(down.status == 0, "\(down)")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func case29aBurstOfOutputIsNeverWaitedFor() throws {
    try ThrowawayHost.with { host in
      // Binary and without an end of line, with nobody reading.
      let size = TestExtent.size(1 << 30, sample: 1 << 26)
      let text = """
        name: x
        services:
          burst: {command: [sh, -c, "head -c \(size) /dev/urandom; echo; echo done; exec sleep 1000"]}
        """
      try host.up(text, named: "x")
      #expect(
        try host.eventually(within: .seconds(300)) {
          try host.run("stack", "logs", "--no-log-prefix", "-n", "1", "burst").output == "done"
        })
      // Rotated by size: what is kept is bounded.
      let kept = try host.succeed("sh", "-c", "du -sm /var/lib/stack | cut -f1")
      #expect((Int(kept) ?? .max) < 80, "\(kept) MiB of logs")
      #expect(try host.run("sh", "-c", "grep -a 'stack: dropped' /var/lib/stack/x/logs/*").output == "")
      try host.succeed("stack", "down", "x")
    }
  }

  @Test func case30twoHundredAtOnceLoseNoExitCode() throws {
    try ThrowawayHost.with { host in
      try host.up("name: x\nservices:\n  a: {command: [sleep, infinity]}\n", named: "x")
      let script = """
        for k in $(seq 200); do stack exec a sh -c "exit $((k % 100))" </dev/null & pids="$pids $!"; done
        k=0; wrong=0
        for pid in $pids; do k=$((k + 1)); wait $pid; [ $? = $((k % 100)) ] || wrong=$((wrong + 1)); done
        echo $wrong
        """
      #expect(try host.succeed("sh", "-c", script, limit: .seconds(120)) == "0")
    }
  }

  @Test func case31restartsLeaveNothingInTheSupervisor() throws {
    try ThrowawayHost.with { host in
      try host.up("name: x\nservices:\n  a: {command: [sleep, infinity]}\n", named: "x")
      let supervisor = try #require(try host.stackProcesses().last)
      // What it has: memory, but for the pages of its code, which come and go; descriptors; zombies.
      func held() throws -> [Int] {
        let script = """
          grep RssAnon /proc/\(supervisor)/status | tr -dc 0-9; echo
          ls /proc/\(supervisor)/fd | wc -l
          ps --ppid \(supervisor) -o stat= | grep -c Z
          """
        return try host.run("sh", "-c", script).lines.compactMap { Int($0) }
      }
      func restart(_ count: Int) throws {
        let script = "for k in $(seq \(count)); do stack restart -t 0 a >/dev/null 2>&1 || exit 1; done"
        try host.succeed("sh", "-c", script, limit: .seconds(1800))
      }
      try restart(60)
      let before = try held()
      try restart(TestExtent.size(10_000, sample: 200))
      let after = try held()
      try #require(before.count == 3 && after.count == 3, "\(before) \(after)")
      #expect(after[0] < before[0] + 4096, "KiB: \(before[0]), then \(after[0])")
      #expect(after[1] == before[1], "descriptors: \(before[1]), then \(after[1])")
      #expect(after[2] == 0, "zombies: \(after[2])")
      #expect(try host.field("State", of: "a") == "running")
      try host.succeed("stack", "down", "x")
    }
  }

  @Test func case31aServiceThatCrashesAtOnceIsStartedLessAndLessOften() throws {
    try ThrowawayHost.with { host in
      let begin = ContinuousClock.now
      try host.up("name: x\nservices:\n  a: {command: [sh, -c, \"sleep 0.1; exit 3\"], restart: always}\n", named: "x")
      #expect(try host.eventually { try host.field("Restarts", of: "a") as Int >= 5 })
      // The fifth comes after 0.1, 0.2, 0.4 and 0.8 seconds, and five runs of a tenth.
      #expect(begin.duration(to: .now) > .milliseconds(1900))
      try host.succeed("stack", "down", "x")
    }
  }

  @Test func case33aStoppedSupervisorStopsNothingElse() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.server, named: "x")
      let supervisors = try host.stackProcesses()
      for pid in supervisors { try host.succeed("kill", "-STOP", "\(pid)") }
      #expect(try host.get("127.0.0.1:8080") == "x a")
      #expect(try host.field("State", of: "a") == "running")
      #expect(try host.succeed("stack", "exec", "a", "hostname") == "a")
      for pid in supervisors { try host.succeed("kill", "-CONT", "\(pid)") }
      try host.succeed("stack", "down", "x")
    }
  }

  @Test func case33closedStandardStreams() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(Self.server, to: "x.stack")
      try host.succeed("sh", "-c", "stack up x.stack <&- >&- 2>&-")
      #expect(try host.get("127.0.0.1:8080") == "x a")
      try host.succeed("sh", "-c", "stack down x <&- >&- 2>&-")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func requestsGoOnWhileTheSupervisorIsKilled() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.server, named: "x")
      let script = """
        failed=0
        for k in $(seq 400); do curl -s -f --max-time 2 127.0.0.1:8080 >>answers || failed=$((failed + 1)); done
        echo $failed
        """
      let load = try host.start(["sh", "-c", script])
      #expect(try host.eventually { try host.run("sh", "-c", "[ $(wc -l <answers) -gt 20 ]").status == 0 })
      try host.killSupervisors()
      #expect(try host.field("State", of: "a") == "running")
      #expect(try load.wait(limit: .seconds(60)).output == "0")
    }
  }
}
