import Foundation
import Testing

/// `run`, `create`, `rm`, `scale`, `port`, `volumes` and `export`.
@Suite struct OneOffTests {
  private static let file = """
    name: x
    services:
      web:
        command: [sh, -c, "echo own; exec busybox httpd -f -p 80"]
        environment: {LEVEL: file}
        ports: ["127.0.0.1:8080:80"]
        expose: []
        depends_on: {db: {condition: service_healthy}}
      db:
        command: [sleep, infinity]
        healthcheck: {test: [CMD, "true"], interval: 200ms}
      tool:
        command: [id, -u]
        profiles: [tools]

    """

  private func withStack(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.write(Self.file, to: "x.stack")
      try body(host)
    }
  }

  @Test func aCommandRunsInAnInstanceOfItsOwn() throws {
    try withStack { host in
      let outcome = try host.run(
        "stack", "run", "--rm", "-T", "-e", "MORE=\\$HOME", "web", "sh", "-c",
        "echo $LEVEL $MORE; cat; echo wrong >&2; exit 7", input: Data("typed\n".utf8))
      #expect(outcome.status == 7 && outcome.output == "file \\$HOME\ntyped", "\(outcome)")
      #expect(outcome.errors.contains("wrong"))
      // What it depends on has come up, and the instance is gone.
      #expect(try host.listing("-a").compactMap { $0["Service"] as? String } == ["db"])
      #expect(try host.get("http://127.0.0.1:8080") == nil)
    }
  }

  @Test func bytesPassAsTheyAre() throws {
    try withStack { host in
      let bytes = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
      try host.write(bytes.base64EncodedString(), to: "in.b64")
      try host.succeed(
        "sh", "-c", "base64 -d in.b64 >in && stack run --rm -T --no-deps web cat <in >out 2>/dev/null && cmp in out")
    }
  }

  @Test func optionsTakeThePlaceOfTheServicesKeys() throws {
    try withStack { host in
      func run(_ words: String...) throws -> Outcome {
        try host.start(["stack", "run", "--rm", "-T", "--no-deps"] + words).wait(limit: .seconds(60))
      }
      #expect(try run("-u", "1000", "web", "id", "-u").output == "1000")
      #expect(try run("-w", "/tmp", "web", "pwd").output == "/tmp")
      #expect(try run("--entrypoint", "hostname", "--name", "job", "web").output == "job")
      try host.write("hello", to: "shared/file")
      #expect(try run("-v", "./shared:/shared", "web", "cat", "/shared/file").output == "hello")
      #expect(try run("tool").output == "0")
      let unknown = try run("wbe", "true")
      #expect(unknown.status == 1 && unknown.errors.contains("has no service wbe") && unknown.errors.contains("web"))
      #expect(try run("web", "no-such-program").status == 127)
      #expect(try host.run("stack", "run").status == 2)
      #expect(try host.run("stack", "run", "--nonsense", "web").status == 2)
    }
  }

  @Test func portsArePublishedOnlyWhereWanted() throws {
    try withStack { host in
      for option in [["-P"], ["-p", "127.0.0.1:8080:80"]] {
        let name = try host.start(
          ["stack", "run", "-d", "--no-deps"] + option
            + [
              "web", "sh", "-c",
              "mkdir -p /srv/www; echo one-off >/srv/www/index.html; exec busybox httpd -f -p 80 -h /srv/www",
            ]
        ).wait(limit: .seconds(60))
        #expect(name.status == 0 && name.output.hasPrefix("web-run-"), "\(name)")
        #expect(try host.eventually { try host.get("http://127.0.0.1:8080") == "one-off" })
        try host.succeed("stack", "rm", "-sf", name.output)
      }
    }
  }

  /// The command listens on a published port, and it runs only once its instance is ready.
  @Test func noInstanceWaitsForAListener() throws {
    try ThrowawayHost.with { host in
      let file = "name: x\nservices: {web: {command: [busybox, httpd, -f, -p, \"80\"], ports: [\"8090:80\"]}}\n"
      try host.write(file, to: "x.stack")
      for words in ["-P", "-p 8091:80"] {
        let outcome = try host.run("sh", "-c", "stack run --rm -T \(words) web echo done")
        #expect(outcome.status == 0 && outcome.output == "done" && outcome.duration < .seconds(5), "\(outcome)")
      }
      try host.succeed("stack", "run", "-d", "--name", "late", "-p", "8092:80", "web", "sleep", "60")
      #expect(try host.field("State", of: "late") == "running")
    }
  }

  @Test func instancesStayUntilTheyAreRemoved() throws {
    try withStack { host in
      #expect(try host.run("stack", "run", "-T", "web", "sh", "-c", "exit 5").status == 5)
      try host.succeed("stack", "up", "-d")
      try host.succeed("stack", "up", "-d", "--scale", "db=2")
      try host.succeed("stack", "start")
      try host.succeed("stack", "restart")
      let rows = try host.listing("-a")
      let oneOff = try #require(rows.first { ($0["Name"] as? String)?.hasPrefix("web-run-") == true }, "\(rows)")
      #expect(oneOff["State"] as? String == "exited" && oneOff["ExitCode"] as? Int == 5)
      let addresses = rows.compactMap { $0["IPAddress"] as? String }
      #expect(Set(addresses).count == addresses.count && addresses.count == 4, "\(addresses)")
      #expect(!(try host.succeed("stack", "ps").contains("web-run-")), "what has ended is shown with -a alone")
      let removed = try host.run("stack", "rm", "-f")
      #expect(removed.status == 0 && removed.errors.contains("removing web-run-"), "\(removed)")
      #expect(try host.listing("-a").count == 3)
    }
  }

  @Test func servicesAreMadeAndNotStarted() throws {
    try withStack { host in
      try host.succeed("stack", "create")
      #expect(Set(try host.listing("-a").compactMap { $0["State"] as? String }) == ["created"])
      try host.succeed("stack", "start")
      #expect(Set(try host.listing("-a").compactMap { $0["State"] as? String }) == ["running"])
      try host.succeed("stack", "down")
      try host.succeed("stack", "up", "--no-start")
      #expect(Set(try host.listing("-a").compactMap { $0["State"] as? String }) == ["created"])
      try host.succeed("stack", "up", "-d")
      #expect(Set(try host.listing("-a").compactMap { $0["State"] as? String }) == ["running"])
    }
  }

  @Test func removalLeavesWhatRuns() throws {
    try withStack { host in
      try host.succeed("stack", "up", "-d")
      let running = try host.run("stack", "rm", "-f", "web")
      #expect(running.errors.contains("x/web runs, and stays"), "\(running)")
      try host.succeed("stack", "rm", "-sf", "web")
      #expect(try host.listing("-a").compactMap { $0["Service"] as? String } == ["db"])
      try host.succeed("stack", "up", "-d")
      try host.succeed("stack", "down", "web")
      #expect(try host.listing("-a").compactMap { $0["Service"] as? String } == ["db"])
      try host.succeed("stack", "rm", "-sf")
      #expect(try host.succeed("stack", "ls", "-q").isEmpty)
    }
  }

  @Test func scaleChangesNumbers() throws {
    try withStack { host in
      try host.succeed("stack", "up", "-d")
      let before: Int = try host.field("PID", of: "web")
      try host.succeed("stack", "scale", "db=3")
      #expect(try host.listing().count == 4)
      #expect(try host.field("PID", of: "web", as: Int.self) == before)
      #expect(try host.run("stack", "scale", "db").status == 2)
      #expect(try host.run("stack", "scale", "bd=2").errors.contains("cannot scale bd"))
    }
  }

  @Test func portsVolumesAndFilesAreShown() throws {
    try ThrowawayHost.with { host in
      try host.write(
        """
        name: x
        services:
          a:
            command: [sleep, infinity]
            ports: ["127.0.0.1:8080:80", "20000-20020:20000-20020/udp"]
            expose: []
            volumes: [data:/data]
        volumes: {data: {}, other: {}}
        """, to: "x.stack")
      _ = try host.run("stack", "up", "--wait-timeout", "1", "--keep")
      #expect(try host.succeed("stack", "port", "a", "80") == "127.0.0.1:8080")
      #expect(try host.succeed("stack", "port", "--protocol", "udp", "a", "20001") == "0.0.0.0:20001")
      #expect(try host.succeed("stack", "port", "a").split(separator: "\n").count == 22)
      let absent = try host.run("stack", "port", "a", "81")
      #expect(absent.status == 1 && absent.errors.contains("20000-20020->20000-20020/udp"), "\(absent)")
      let table = try host.succeed("stack", "ps", "-a")
      #expect(table.contains("127.0.0.1:8080->80/tcp, 20000-20020->20000-20020/udp"), "\(table)")
      #expect(try host.succeed("stack", "volumes", "-q").split(separator: "\n") == ["data", "other"])
      #expect(try host.succeed("stack", "volumes", "-q", "a") == "data")
      try host.succeed("stack", "exec", "a", "sh", "-c", "echo mine >/root/file; echo hidden >/data/file")
      try host.succeed("stack", "export", "a", "-o", "a.tar")
      let names = try host.succeed("tar", "-tf", "a.tar").split(separator: "\n")
      #expect(names.contains("root/file") && names.contains("data/") && !names.contains("data/file"))
      #expect(try host.succeed("tar", "-xOf", "a.tar", "root/file") == "mine")
      #expect(try host.succeed("tar", "--numeric-owner", "-tvf", "a.tar", "root/file").contains("0/0"))
    }
  }
}
