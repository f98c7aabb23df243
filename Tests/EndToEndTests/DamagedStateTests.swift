import Foundation
import Fuzzing
import Testing

/// Files of /run/stack/NAME that are gone, short, empty or another's while the stack runs.
@Suite struct DamagedStateTests {
  private static let text = """
    name: two
    services:
      a: {command: [sleep, infinity]}
      b: {command: [busybox, httpd, -f, -p, "80", -h, /], ports: ["8080:80"]}
    """

  @Test(arguments: ["up", "down", "down alone"]) func aFolderThatIsTakenAwayIsPutBack(_ then: String) throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.text, named: "two")
      let pids = try ["a", "b"].map { try host.field("PID", of: $0) as Int }
      if then == "down alone" { try host.killSupervisors() }
      try host.run("rm", "-rf", "/run/stack/two")
      if then == "up" {
        try host.succeed("stack", "up", "two.stack")
        #expect(try host.succeed("pgrep", "-fc", "stack supervise two") == "1")
        #expect(try host.succeed("stat", "-c", "%a", "/run/stack/two") == "700")
        #expect(try ["a", "b"].map { try host.field("PID", of: $0) as Int } == pids)
        #expect(try host.run("curl", "-s", "-o", "/dev/null", "127.0.0.1:8080").status == 0)
        // A service that is made anew comes up as well.
        try host.succeed("stack", "restart", "a")
        try host.killSupervisors()
        try host.succeed("stack", "up", "two.stack")
        #expect(try host.field("PID", of: "b") == pids[1])
      }
      try host.succeed("stack", "down", "-f", "two.stack")
      try host.expectUnchanged(since: before)
    }
  }

  private static let files = [
    "stack.json", "settled", "supervisor", "supervisor.log", "output", "control.sock", "services/a/record.json",
    "services/a/exec.json", "services/b/record.json", "services/b/exec.json", "names/hosts-default",
  ]
  private static let damages = ["rm -f", "truncate -s 0", "truncate -s 60", "cp /etc/passwd", "cp two.stack"]
  private static let commands = ["ps two", "up two.stack", "exec -s two a true", "restart b", "inspect two/b"]

  /// Each file, each damage, each command, as a seeded generator mixes them; nothing that runs is stopped.
  @Test func nothingThatRunsIsStopped() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.text, named: "two")
      var generator = SeededGenerator(seed: 14)
      for round in 0..<TestExtent.size(400, sample: 30) {
        let (a, b): (Int, Int) = try (host.field("PID", of: "a"), host.field("PID", of: "b"))
        let file = Self.files.randomElement(using: &generator) ?? ""
        let damage = Self.damages.randomElement(using: &generator) ?? ""
        let command = Self.commands.randomElement(using: &generator) ?? ""
        let isAlone = Bool.random(using: &generator) && !file.hasPrefix("control")
        let what = "\(round): \(damage) \(file)\(isAlone ? ", supervisor killed" : ""), \(command)"
        if isAlone { try host.killSupervisors() }
        try host.run("sh", "-c", "[ -e /run/stack/two/\(file) ] && \(damage) /run/stack/two/\(file)")
        let outcome = try host.run("sh", "-c", "stack \(command)")
        #expect(outcome.status == 0, "\(what): \(outcome)")
        let up = try host.run("stack", "up", "two.stack")
        #expect(up.status == 0 && !up.output.contains("recreated"), "\(what): \(up)")
        #expect(try host.field("PID", of: "a") == a, "\(what)")
        if !command.hasPrefix("restart") { #expect(try host.field("PID", of: "b") == b, "\(what)") }
        #expect(try host.run("curl", "-s", "-o", "/dev/null", "127.0.0.1:8080").status == 0, "\(what)")
      }
      try host.succeed("stack", "down", "two")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aNewerRecordIsRefusedByName() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "two")
      try host.killSupervisors()
      let pid: Int = try host.field("PID", of: "a")
      try host.succeed("sed", "-i", "s/\"version\":2/\"version\":99/", "/run/stack/two/stack.json")
      for command in ["ps two", "up two.stack", "down two"] {
        let outcome = try host.run("sh", "-c", "stack \(command)")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.errors.contains("version 99"), "\(outcome)")
      }
      try host.succeed("sed", "-i", "s/\"version\":99/\"version\":2/", "/run/stack/two/stack.json")
      #expect(try host.field("PID", of: "a") == pid)
      try host.succeed("stack", "down", "two")
    }
  }
}
