import Foundation
import Testing

/// Starting, stopping and failing: what each command promises, and what it leaves.
@Suite struct LifecycleTests {
  @Test func stopAndStartKeepAddressAndPort() throws {
    try withServer { (host) throws in
      let address = try host.ipAddress(of: "a")
      try host.succeed("stack", "stop", "a")
      #expect(try host.field("State", of: "a") == "exited")
      #expect(try host.get("127.0.0.1:8080") == nil)
      try host.succeed("stack", "start", "a")
      #expect(try host.get("127.0.0.1:8080") == "x a")
      #expect(try host.ipAddress(of: "a") == address)
      #expect(try host.get("a", inside: "b") == "x a")
    }
  }

  @Test func restartIsANewProcess() throws {
    try withServer { (host) throws in
      let before: Int = try host.field("PID", of: "a")
      try host.succeed("stack", "restart", "a")
      let after: Int = try host.field("PID", of: "a")
      #expect(before != after)
      #expect(try host.get("127.0.0.1:8080") == "x a")
    }
  }

  @Test func theNameOfAServiceWithReplicasMeansThemAll() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: x
        services:
          web: {command: [sh, -c, "echo up; exec sleep infinity"], scale: 2, networks: [front]}
          b: {command: [sleep, infinity]}
        networks: {front: {}}
        """
      try host.up(text, named: "x")
      func states() throws -> [String] { try host.listing("-a").compactMap { $0["State"] as? String } }
      #expect(try host.succeed("stack", "ps", "--services").split(separator: "\n") == ["web", "b"])
      #expect(try host.succeed("stack", "exec", "web", "hostname") == "web-1")
      #expect(try host.succeed("stack", "exec", "--index", "2", "web", "hostname") == "web-2")
      try host.succeed("stack", "cp", "web:/etc/hostname", "copied")
      #expect(try host.succeed("cat", "copied") == "web-1")
      let logs = try host.succeed("stack", "logs", "web").split(separator: "\n")
      #expect(logs.count == 2 && logs.allSatisfy { $0.hasSuffix("up") }, "\(logs)")
      #expect(try host.succeed("stack", "top", "web").contains("x/web-2"))
      #expect(try host.succeed("stack", "stats", "--no-stream", "web").split(separator: "\n").count == 3)
      let inspected = try JSONSerialization.jsonObject(with: Data(host.succeed("stack", "inspect", "web").utf8))
      #expect((inspected as? [Any])?.count == 2)
      #expect(try host.succeed("stack", "link", "web:front", "--loss", "1%").components(separatedBy: "1%").count == 5)
      try host.succeed("stack", "pause", "web")
      #expect(try states() == ["paused", "paused", "running"])
      try host.succeed("stack", "unpause", "web")
      try host.succeed("stack", "stop", "-t", "0", "web")
      #expect(try states() == ["exited", "exited", "running"])
      #expect(try host.succeed("stack", "wait", "web") == "137\n137")
      try host.succeed("stack", "start", "web")
      try host.succeed("stack", "restart", "-t", "0", "web", "web-1")
      #expect(try states() == ["running", "running", "running"])
      try host.succeed("stack", "kill", "web")
      #expect(try host.eventually { try states() == ["exited", "exited", "running"] })
    }
  }

  @Test func killEndsAServiceAtOnce() throws {
    try withServer { (host) throws in
      try host.succeed("stack", "kill", "a")
      #expect(try host.eventually { try host.field("State", of: "a") == "exited" })
      #expect(try host.field("ExitCode", of: "a") == 137)
      #expect(try host.field("State", of: "b") == "running")
    }
  }

  @Test func stopSendsTheStopSignalAndWaitsItsTime() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: x
        services:
          polite:
            command: [sh, -c, "trap 'echo bye; exit 0' USR1; while :; do sleep 0.05; done"]
            stop_signal: SIGUSR1
          deaf:
            command: [sh, -c, "trap '' TERM; while :; do sleep 0.05; done"]
            stop_grace_period: 1s
        """
      try host.up(text, named: "x")
      try host.succeed("stack", "stop", "polite")
      #expect(try host.succeed("stack", "logs", "polite").contains("bye"))
      let outcome = try host.run("stack", "stop", "deaf")
      #expect(outcome.status == 0)
      #expect(outcome.duration >= .seconds(1) && outcome.duration < .seconds(9), "\(outcome.duration)")
      #expect(try host.field("ExitCode", of: "deaf") == 137)
    }
  }

  @Test func upOfAStoppedStackStartsIt() throws {
    try withServer { (host) throws in
      try host.succeed("stack", "stop")
      try host.succeed("stack", "up", "x.stack")
      #expect(try host.get("127.0.0.1:8080") == "x a")
    }
  }

  @Test func aFolderOfTheSameNameIsAnotherStack() throws {
    try ThrowawayHost.with { host in
      try host.write("services: {db: {command: [sleep, '1000']}}", to: "x/app/compose.yaml")
      try host.write("services: {web: {command: [sleep, '1000']}}", to: "y/app/compose.yaml")
      try host.succeed("stack", "up", "x/app/compose.yaml")
      let refused = try host.run("stack", "up", "y/app/compose.yaml")
      #expect(refused.status == 1 && refused.errors.contains("x/app/compose.yaml, and db is not in"), "\(refused)")
      #expect(try host.succeed("stack", "ps", "--services") == "db")
      // One that has all that is there is a new version of it, and one whose file is gone has none other.
      try host.write(
        "services: {db: {command: [sleep, '2000']}, web: {command: [sleep, '1000']}}", to: "y/app/compose.yaml")
      try host.succeed("stack", "up", "y/app/compose.yaml")
      try host.succeed("rm", "y/app/compose.yaml")
      try host.succeed("stack", "up", "x/app/compose.yaml")
      try host.succeed("stack", "down", "app")
    }
  }

  @Test func whatOthersTookAwayIsMadeAgain() throws {
    try ThrowawayHost.with { host in
      try host.up("services: {a: {command: [busybox, httpd, -f, -p, '80', -h, /usr], ports: ['8080:80']}}", named: "h")
      for link in [
        "h-default",
        try #require(try host.succeed("ip", "-o", "link", "show", "master", "h-default").split(separator: "@").first)
          .split(separator: " ").last.map(String.init) ?? "",
      ] {
        try host.succeed("ip", "link", "del", link)
        let outcome = try host.run("stack", "up", "h.stack")
        #expect(outcome.status == 0 && outcome.errors.contains("h/a: recreated, it had lost a link"), "\(outcome)")
        #expect(try host.run("curl", "-s", "-m", "5", "-o", "/dev/null", "localhost:8080").status == 0)
      }
      try host.succeed("stack", "down", "h")
    }
  }

  @Test func killWithoutNamesMeansAll() throws {
    try ThrowawayHost.with { host in
      try host.up("services: {a: {command: [sleep, '1000']}, b: {command: [sleep, '1000']}}", named: "k")
      try host.succeed("stack", "kill")
      #expect(
        try host.eventually { try host.field("State", of: "a") == "exited" && host.field("State", of: "b") == "exited" }
      )
      try host.succeed("stack", "restart", "-t", "0")
      #expect(try host.field("State", of: "a") == "running")
      try host.succeed("stack", "down", "k")
    }
  }

  @Test func aHealthCheckAloneSaysWhoIsReady() throws {
    let text =
      "services: {a: {command: [sleep, '1000'], expose: ['80'], healthcheck: {test: [CMD, 'true'], interval: 1s}}}"
    try ThrowawayHost.with { host in
      try host.up(text, named: "k")
      #expect(try host.field("Health", of: "a") == "healthy")
      try host.succeed("stack", "down", "k")
    }
  }

  @Test func closedDescriptorsOfTheCallerAreNobodys() throws {
    try ThrowawayHost.with { host in
      try host.up("services: {a: {command: [sleep, '1000']}}", named: "k")
      for closed in ["<&-", ">&-", "2>&-"] {
        let number = closed.hasPrefix("<") ? "0" : closed.hasPrefix("2") ? "2" : "1"
        let outcome = try host.run(
          "sh", "-c",
          "stack exec a sh -c 'seen=$(readlink /proc/$$/fd/\(number)); echo $seen > /tmp/seen' \(closed); stack exec a cat /tmp/seen"
        )
        #expect(outcome.output == "/dev/null", "\(closed): \(outcome)")
      }
      try host.succeed("stack", "down", "k")
    }
  }

  @Test func upOfSomeServicesLeavesTheOthersAsTheyAre() throws {
    let text = """
      name: n
      services:
        db: {command: [sleep, "1000"]}
        web: {command: [sleep, "1000"], depends_on: [db]}
        other: {command: [sleep, "1000"], stop_grace_period: 30s}
      """
    try ThrowawayHost.with { host in
      func running() throws -> [String] {
        try host.succeed("stack", "ps", "--services").split(separator: "\n").map(String.init)
      }
      try host.write(text, to: "n.stack")
      try host.succeed("stack", "up", "n.stack", "other", "--no-deps")
      #expect(try running() == ["other"])
      let other: Int = try host.field("PID", of: "other")
      // Without a file: the one that is here.
      try host.succeed("stack", "up", "web")
      #expect(try running() == ["db", "web", "other"])
      #expect(try host.field("PID", of: "other") == other)
      let (db, web): (Int, Int) = (try host.field("PID", of: "db"), try host.field("PID", of: "web"))
      // Of what changed in the file, only what was asked for is made anew, and the rest with the next `up`.
      try host.write(text.replacingOccurrences(of: "1000", with: "2000"), to: "n.stack")
      try host.succeed("stack", "up", "-f", "n.stack", "--no-deps", "web")
      #expect(try host.field("PID", of: "db") == db)
      #expect(try host.field("PID", of: "other") == other)
      #expect(try host.field("PID", of: "web") != web)
      try host.succeed("stack", "stop", "db")
      let again = try host.run("stack", "up", "other", "-t", "0")
      #expect(again.errors.contains("n/other: recreated, command changed"), "\(again)")
      #expect(try host.field("State", of: "db") == "exited")
      try host.succeed("stack", "up")
      #expect(try host.field("State", of: "db") == "running")
      // Others keep their replicas, and stay when the file has them no more.
      try host.succeed("stack", "up", "--scale", "db=2")
      func replica() throws -> Substring? {
        try host.succeed("stack", "ps").split(separator: "\n").first { $0.hasPrefix("db-2 ") }
      }
      let before = try #require(try replica())
      try host.succeed("stack", "up", "--no-deps", "web")
      #expect(try replica() == before)
      try host.write(
        text.replacingOccurrences(of: "other:", with: "else:").replacingOccurrences(of: "1000", with: "2000"),
        to: "n.stack")
      try host.succeed("stack", "up", "--no-deps", "web")
      #expect(try host.field("State", of: "other") == "running")
      let wrong = try host.run("stack", "up", "wbe")
      #expect(wrong.status == 2 && wrong.errors.contains("did you mean"), "\(wrong)")
      try host.succeed("stack", "down", "n")
    }
  }

  @Test func twoUpsAtOnceMakeOneStack() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(Self.server, to: "x.stack")
      let commands = try (0..<2).map { _ in try host.start(["stack", "up", "x.stack"]) }
      for command in commands {
        let outcome = try command.wait(limit: .seconds(60))
        #expect(outcome.status == 0, "\(outcome)")
      }
      #expect(try host.listing().count == 2)
      #expect(try host.get("127.0.0.1:8080") == "x a")
      try host.succeed("stack", "down", "x")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func upAndDownAtOnceEndInOneOrTheOther() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(Self.server, to: "x.stack")
      for _ in 0..<3 {
        let up = try host.start(["stack", "up", "x.stack"])
        let down = try host.start(["stack", "down", "x.stack"])
        _ = try up.wait(limit: .seconds(60))
        _ = try down.wait(limit: .seconds(60))
      }
      try host.succeed("stack", "down", "x.stack")
      try host.expectUnchanged(since: before)
    }
  }

  /// Each way for `up` to fail: exit 1, the reason said, nothing left.
  @Test(arguments: [
    Failure("the command is not there", "    command: [no-such-command]", says: ["a", "no-such-command"]),
    Failure("the command cannot be executed", "    command: [/etc/passwd]", says: ["a", "/etc/passwd"]),
    Failure(
      "the service ends before it is ready",
      "    command: [sh, -c, \"echo last words; exit 3\"]\n    ports: [\"8080:80\"]", says: ["a", "3", "last words"]),
    Failure(
      "the host port is in use", "    command: [sleep, infinity]\n    ports: [\"9999:80\"]", says: ["9999", "socat"]),
    Failure(
      "a bind's source is a missing file's child", "    command: [sleep, \"1\"]\n    volumes: [\"/etc/passwd/x:/x\"]",
      says: ["/etc/passwd"]),
    Failure("the root folder is missing", "    rootfs: ./nowhere\n    command: [sleep, infinity]", says: ["nowhere"]),
    Failure("the file is wrong", "    comand: [sleep, infinity]", says: ["x.stack:4:5", "comand", "command"]),
  ])
  func aFailedUpSaysWhyAndLeavesNothing(_ failure: Failure) throws {
    try ThrowawayHost.with { host in
      let taken = try host.start(["socat", "TCP-LISTEN:9999,fork,reuseaddr", "SYSTEM:true"])
      #expect(try host.eventually { try host.run("sh", "-c", "ss -ltn | grep -q 9999").status == 0 })
      let before = try HostState(of: host)
      let ok = "  fine:\n    command: [sleep, infinity]\n"
      try host.write("name: x\nservices:\n  a:\n\(failure.keys)\n\(ok)", to: "x.stack")
      let outcome = try host.run("stack", "up", "x.stack")
      #expect([1, 2].contains(outcome.status), "\(outcome)")
      for word in failure.says { #expect(outcome.errors.contains(word), "does not say '\(word)': \(outcome)") }
      try host.expectUnchanged(since: before)
      try host.signal(15, to: taken)
    }
  }

  struct Failure: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let keys: String
    let says: [String]

    init(_ description: String, _ keys: String, says: [String]) {
      testDescription = description
      self.keys = keys
      self.says = says
    }
  }

  @Test func interruptingUpUndoesIt() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      // Never ready: nothing listens on the port it declares.
      try host.write(
        "name: x\nservices:\n  a:\n    command: [sleep, infinity]\n    ports: [\"8080:80\"]\n", to: "x.stack")
      let up = try host.start(["stack", "up", "x.stack"])
      #expect(try host.eventually { try host.succeed("ip", "link").contains("stack:x/a/default") })
      try host.signal(2, to: up)
      let outcome = try up.wait(limit: .seconds(60))
      #expect(outcome.status == 130, "\(outcome)")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func attachFollowsTheLogsUntilInterrupted() throws {
    try ThrowawayHost.with { host in
      try host.write(
        "name: x\nservices:\n  a:\n    command: [sh, -c, \"while :; do echo tick; sleep 0.1; done\"]\n", to: "x.stack")
      let up = try host.start(["stack", "up", "--attach", "x.stack"])
      #expect(host.eventually { up.output.components(separatedBy: "tick").count > 3 })
      #expect(up.output.hasPrefix("SERVICE"), "\(up.output)")
      try host.signal(2, to: up)
      _ = try up.wait(limit: .seconds(60))
    }
  }

  private static let server = ThrowawayHost.servers(stack: "x", ["a", "b"], extra: ["a": ["ports: [\"8080:80\"]"]])

  private func withServer(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.up(Self.server, named: "x")
      try body(host)
    }
  }
}
