import Foundation
import Testing

/// `stack wait`, `stack events`, and `up` until a service ends.
@Suite struct WaitingTests {
  private static let file = """
    name: w
    services:
      a: {command: [sh, -c, "trap 'exit 7' TERM; while :; do sleep 0.1; done"]}
      b: {command: [sleep, infinity], init: false, stop_grace_period: 0s}
      done: {command: [sh, -c, "exit 0"]}
    """

  @Test func waitPrintsTheExitCodesInTheOrderAsked() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "w")
      #expect(try host.succeed("stack", "wait", "done") == "0")
      let waiting = try host.start(["stack", "wait", "b", "a"])
      try host.awaitIdle(waiting)
      try host.succeed("stack", "kill", "b", "-S", "KILL")
      try host.succeed("stack", "stop", "a")
      let outcome = try waiting.wait(limit: .seconds(60))
      #expect(outcome.output == "137\n7" && outcome.status == 0, "\(outcome)")
      #expect(try host.run("stack", "wait", "nobody").status == 1)
    }
  }

  @Test func waitNeedsNoSupervisor() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "w")
      try host.killSupervisors()
      let waiting = try host.start(["stack", "wait", "a"])
      try host.awaitIdle(waiting)
      let pid: Int = try host.field("PID", of: "a")
      try host.succeed("kill", "-TERM", "\(pid)")
      #expect(try waiting.wait(limit: .seconds(60)).output == "7")
    }
  }

  @Test func eventsTellWhatHappens() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file, named: "w")
      let following = try host.start(["stack", "events", "w"])
      try host.awaitIdle(following)
      try host.succeed("stack", "stop", "a")
      try host.succeed("stack", "start", "a")
      try host.succeed("stack", "kill", "b", "-S", "KILL")
      let past = try host.succeed("stack", "events", "w", "--no-follow")
      #expect(past.contains("w/done start") && past.contains("w/done die (exitCode=0)"))
      #expect(past.contains("w/a stop (exitCode=7)") && past.hasSuffix("w/b stop (exitCode=137)"))
      #expect(try host.succeed("stack", "events", "--no-follow", "--until", "1h") == "")
      let lines = try host.succeed("stack", "events", "--no-follow", "--format", "json").split(separator: "\n")
      #expect(lines.count == past.split(separator: "\n").count)
      let last = try JSONSerialization.jsonObject(with: Data(lines[lines.count - 1].utf8)) as? [String: Any]
      #expect(last?["service"] as? String == "b" && last?["action"] as? String == "stop")
      #expect((last?["attributes"] as? [String: String]) == ["exitCode": "137"])
      #expect((last?["time"] as? String)?.hasPrefix("20") == true)
      try host.signal(2, to: following)
      let seen = try following.wait(limit: .seconds(60)).output.split(separator: "\n").map { line in
        line.split(separator: " ").dropFirst().joined(separator: " ")
      }
      #expect(seen == ["w/a stop (exitCode=7)", "w/a start", "w/a ready", "w/b stop (exitCode=137)"])
    }
  }

  @Test func upEndsWithTheServiceThatEnds() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: w
        services:
          job: {command: [sh, -c, "echo working; sleep 0.2; exit 5"]}
          db: {command: [sh, -c, "trap 'exit 3' TERM; while :; do sleep 0.1; done"]}
        """
      try host.write(text, to: "w.stack")
      let outcome = try host.run("stack", "up", "w.stack", "--abort-on-container-exit")
      #expect(outcome.status == 5 && outcome.output.contains("working"), "\(outcome)")
      #expect(outcome.output.hasPrefix("SERVICE"), "\(outcome)")
      #expect(try host.field("State", of: "db") == "exited")
      #expect(try host.run("stack", "up", "w.stack", "--exit-code-from", "db").status == 3)
      #expect(try host.run("stack", "up", "w.stack", "--exit-code-from", "nobody").status != 0)
      #expect(try host.run("stack", "up", "w.stack", "-d", "--exit-code-from", "db").status != 0)
    }
  }

  @Test func aDetachedCommandIsLeftRunning() throws {
    try ThrowawayHost.with { host in
      try host.up(
        "name: w\nservices: {web: {command: [sleep, infinity], scale: 2}, one: {command: [sleep, infinity]}}",
        named: "w")
      let script = "sleep 0.2; echo $HOSTNAME$(hostname) > /tmp/done; sleep 1000"
      #expect(
        try host.run("stack", "exec", "-d", "--index", "2", "web", "sh", "-c", script, limit: .seconds(60)).status == 0)
      #expect(try host.eventually { try host.run("stack", "exec", "web-2", "cat", "/tmp/done").output == "web-2web-2" })
      #expect(try host.run("stack", "exec", "web-1", "cat", "/tmp/done").status == 1)
      #expect(try host.run("stack", "exec", "--index", "3", "web", "true").status == 1)
      #expect(try host.run("stack", "exec", "--index", "1", "one", "true").status == 0)
      #expect(try host.run("stack", "exec", "-d", "one", "no-such-command").status == 127)
      // Nothing of it outlives the service.
      try host.succeed("stack", "down", "w")
      #expect(try host.run("pgrep", "-f", "sleep 1000").status == 1)
    }
  }
}
