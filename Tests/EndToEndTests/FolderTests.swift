import Foundation
import Testing

/// A folder is a project: nothing that is typed in one touches the stack of another.
@Suite struct FolderTests {
  private static let file = """
    services:
      web: {command: [busybox, httpd, -f, -p, "80"], volumes: ["data:/data"], depends_on: [db], ports: ["80"], expose: []}
      db: {command: [sleep, infinity]}
    volumes: {data: {}}
    policies: [{allow: "web -> db:5432"}]

    """

  /// Each command that is about a stack, with arguments that work, as it is typed in a folder.
  private static let commands: [(name: String, words: String)] = [
    ("create", "create"), ("up", "up -d"), ("ps", "ps -a"), ("logs", "logs"), ("port", "port web 80"),
    ("volumes", "volumes"), ("events", "events --no-follow"), ("stats", "stats --no-stream"), ("top", "top"),
    ("inspect", "inspect"), ("policy", "policy"), ("link", "link"), ("link", "link web:default --rate 10mbit"),
    ("link", "link web:default --reset"), ("partition", "partition web db"), ("heal", "heal"), ("config", "config -q"),
    ("verify", "verify --expect"), ("reach", "reach web db:5432"), ("exec", "exec -T web true"),
    ("run", "run --rm -T web true"), ("run", "run -T db true"), ("rm", "rm -f"), ("cp", "cp web:/etc/hostname copy"),
    ("export", "export db -o db.tar"), ("attach", "attach --no-stdin web"), ("pause", "pause"),
    ("unpause", "unpause"), ("restart", "restart"), ("stop", "stop"), ("start", "start"), ("scale", "scale web=2"),
    ("scale", "scale web=1"), ("kill", "kill -s KILL db"), ("wait", "wait db"), ("rm", "rm -sfv db"),
    ("watch", "watch"), ("enable", "enable"), ("disable", "disable"), ("commit", "commit web some:image"),
    ("pull", "pull"), ("push", "push"), ("down", "down web"), ("down", "down"), ("down", "down -v"),
  ]

  /// Commands about this host, its images, or nothing: which stack is meant is no question.
  private static let aboutNoStack: Set<String> = [
    "doctor", "explain", "licenses", "version", "images", "image", "load", "save", "tag", "login", "logout",
    "ls", "volume", "network", "build", "builder", "system",
  ]

  /// Everything that a command could change of a stack, without what changes by itself.
  private func state(of stack: String, on host: ThrowawayHost) throws -> String {
    try host.succeed(
      "sh", "-c",
      """
      stack -p \(stack) ps -a --format '{{.Name}} {{.State}} {{.PID}} {{.ExitCode}}'
      cat /var/lib/stack/\(stack)/volumes/data/file
      stack -p \(stack) inspect | grep -c -e override -e partition -e pausedAt
      nft list table inet stack-\(stack) 2>/dev/null | grep -v packets | md5sum; true
      """)
  }

  private func makeFolder(_ name: String, on host: ThrowawayHost) throws {
    try host.write(Self.file, to: "\(name)/compose.yaml")
  }

  private func type(_ words: String, in folder: String, on host: ThrowawayHost) throws -> Outcome {
    try host.run("sh", "-c", "cd \(folder) && timeout 5 stack \(words) </dev/null")
  }

  @Test func theListIsComplete() throws {
    try ThrowawayHost.with { host in
      let help = try host.succeed("stack", "--help").split(separator: "\n")
      let names = help.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") && !$0.hasPrefix("  -") }
        .compactMap { $0.split(separator: " ").first.map(String.init) }.filter { $0.first?.isLowercase == true }
      let known = Set(Self.commands.map(\.name)).union(Self.aboutNoStack)
      let unknown = names.filter { !known.contains($0) && $0 != "stack" && $0 != "help" && $0 != "(use" }
      #expect(names.count > 30 && unknown.isEmpty, "no line of this test types \(unknown)")
    }
  }

  @Test func nothingTypedInOneFolderTouchesTheOther() throws {
    try ThrowawayHost.with { host in
      for folder in ["one", "two"] { try makeFolder(folder, on: host) }
      #expect(try type("up -d", in: "two", on: host).status == 0)
      try host.succeed("sh", "-c", "echo kept >/var/lib/stack/two/volumes/data/file")
      let before = try state(of: "two", on: host)
      #expect(before.contains("web running") && before.contains("kept"), "\(before)")
      // First with a stack of its own in the folder, then again when that is down: neither may fall on the other.
      for round in 1...2 {
        for (name, words) in Self.commands where round == 1 || !["up", "create", "run", "enable"].contains(name) {
          let outcome = try type(words, in: "one", on: host)
          let after = try state(of: "two", on: host)
          #expect(after == before, "round \(round), stack \(words): \(outcome)")
          // 124: it would have gone on.
          if round == 1, !["watch", "enable", "disable", "commit", "wait", "attach", "reach"].contains(name) {
            #expect(outcome.status == 0, "stack \(words): \(outcome)")
          }
          let shown = outcome.output + outcome.errors
          #expect(!shown.contains("two/") && !shown.contains("stack two"), "stack \(words): \(outcome)")
        }
      }
      #expect(try type("down -v", in: "two", on: host).status == 0)
      #expect(try host.run("test", "-e", "/var/lib/stack/two/volumes").status == 1)
    }
  }

  @Test func twoFoldersOfOneNameAreTwoStacks() throws {
    try ThrowawayHost.with { host in
      for folder in ["here/app", "there/app"] { try makeFolder(folder, on: host) }
      #expect(try type("up -d", in: "here/app", on: host).status == 0)
      for words in ["ps", "logs", "exec -T web true", "stop", "down", "down -v", "rm -sf", "restart web"] {
        let outcome = try type(words, in: "there/app", on: host)
        #expect(outcome.status == 1, "stack \(words): \(outcome)")
        #expect(
          outcome.errors.contains("here/app/compose.yaml, and not from compose.yaml here")
            && outcome.errors.contains("-s app"), "stack \(words): \(outcome)")
      }
      // Its volumes are its own when it is down, too.
      #expect(try type("down", in: "here/app", on: host).status == 0)
      #expect(try type("down -v", in: "there/app", on: host).status == 1)
      #expect(try host.run("test", "-e", "/var/lib/stack/app/volumes/data").status == 0)
      #expect(try type("down -s app -v", in: "there/app", on: host).status == 0)
      #expect(try host.run("test", "-e", "/var/lib/stack/app/volumes/data").status == 1)
    }
  }

  @Test func aNameThatIsGivenWins() throws {
    try ThrowawayHost.with { host in
      for folder in ["one", "two"] { try makeFolder(folder, on: host) }
      try host.write("name: three\n" + Self.file, to: "three.yaml")
      #expect(try type("up -d", in: "two", on: host).status == 0)
      for words in [
        "-p two ps", "ps -s two", "ps two", "-s two ps", "--project-name two ps", "-f ../two/compose.yaml ps",
      ] {
        let outcome = try type(words, in: "one", on: host)
        #expect(outcome.status == 0 && outcome.output.contains("web"), "stack \(words): \(outcome)")
      }
      #expect(try type("exec -T two/web true", in: "one", on: host).status == 0)
      let environment = try host.run(
        "sh", "-c", "cd one && stack exec -T web true", environment: ["COMPOSE_PROJECT_NAME": "two"])
      #expect(environment.status == 0, "\(environment)")
      let file = try type("-f ../three.yaml ps", in: "two", on: host)
      #expect(file.status == 0 && !file.output.contains("web"), "\(file)")
      // Of a folder without a file, the only stack that is up is meant.
      try host.succeed("mkdir", "none")
      #expect(try type("exec -T web true", in: "none", on: host).status == 0)
    }
  }

  @Test func listsHaveAllStacksAndWhatTheyLeft() throws {
    try ThrowawayHost.with { host in
      for folder in ["one", "two"] {
        try makeFolder(folder, on: host)
        #expect(try type("up -d", in: folder, on: host).status == 0)
      }
      #expect(try type("down", in: "two", on: host).status == 0)
      let up = try host.succeed("stack", "ls")
      #expect(up.contains("one") && up.contains("one/compose.yaml") && !up.contains("two"), "\(up)")
      let all = try host.succeed("stack", "ls", "-a")
      #expect(all.contains("down") && all.contains("two/compose.yaml"), "\(all)")
      #expect(try host.succeed("stack", "ls", "-q", "--filter", "name=on") == "one")
      let json = try JSONSerialization.jsonObject(with: Data(host.succeed("stack", "ls", "--format", "json").utf8))
      let entry = try #require((json as? [[String: Any]])?.first)
      #expect(entry["Name"] as? String == "one" && entry["Status"] as? String == "running(2)", "\(entry)")
    }
  }

  @Test func aStackThatIsDownHasNothingToStop() throws {
    try ThrowawayHost.with { host in
      try makeFolder("one", on: host)
      #expect(try type("up -d", in: "one", on: host).status == 0)
      #expect(try type("down", in: "one", on: host).status == 0)
      for words in ["stop", "kill", "pause", "unpause", "rm -f", "top", "logs", "logs web", "down web", "down"] {
        let outcome = try type(words, in: "one", on: host)
        #expect(
          outcome.status == 0 && outcome.output.isEmpty && outcome.errors.contains("is not up: there is nothing to"),
          "stack \(words): \(outcome)")
      }
      for words in ["ps", "ps -q", "stats --no-stream", "events --no-follow", "ls"] {
        #expect(try type(words, in: "one", on: host).status == 0, "stack \(words)")
      }
      let volumes = try type("volumes", in: "one", on: host)
      #expect(volumes.status == 0 && volumes.output.contains("/var/lib/stack/one/volumes/data"), "\(volumes)")
      #expect(try type("volumes -q", in: "one", on: host).output == "data")
      for words in ["start", "restart", "exec web true", "port web 80", "wait web", "attach web"] {
        let outcome = try type(words, in: "one", on: host)
        #expect(outcome.status == 1 && outcome.errors.contains("bring it up: stack up"), "stack \(words): \(outcome)")
      }
    }
  }

  /// In a folder, a word is a service; a stack of that name is meant only where no service is.
  @Test func downTakesServicesAndNames() throws {
    try ThrowawayHost.with { host in
      for folder in ["one", "web"] {
        try makeFolder(folder, on: host)
        #expect(try type("up -d", in: folder, on: host).status == 0)
      }
      let service = try type("down web", in: "one", on: host)
      #expect(service.status == 0 && service.errors.contains("taking down web of one"), "\(service)")
      #expect(try type("ps --services", in: "one", on: host).output == "db")
      #expect(try type("ps --services", in: "web", on: host).lines.sorted() == ["db", "web"])
      let doubtful = try type("down web", in: "web", on: host)
      #expect(
        doubtful.status == 0 && doubtful.errors.contains("to take all of it down, type stack down"), "\(doubtful)")
      #expect(try type("ps --services", in: "web", on: host).output == "db")
      // Where there is no file, a name is a stack's.
      try host.succeed("mkdir", "none")
      #expect(try type("down one", in: "none", on: host).status == 0)
      #expect(try type("down -s web", in: "none", on: host).status == 0)
      #expect(try host.succeed("stack", "ls", "-q") == "")
    }
  }

  @Test func downSaysWhichStackItMeans() throws {
    try ThrowawayHost.with { host in
      try makeFolder("one", on: host)
      let none = try type("down", in: "one", on: host)
      #expect(
        none.status == 0 && none.errors.contains("warning: stack one (") && none.errors.contains("is not up"), "\(none)"
      )
      #expect(try type("up -d", in: "one", on: host).status == 0)
      let outcome = try type("down -v", in: "one", on: host)
      #expect(outcome.status == 0 && outcome.errors.contains("taking down one (/"), "\(outcome)")
    }
  }

  /// A word is a service of this folder's stack, also where the stack is called the same.
  @Test func downOfAServiceThatIsCalledAsItsStackSaysSo() throws {
    try ThrowawayHost.with { host in
      let text = "services: {web: {command: [sleep, infinity]}, db: {command: [sleep, infinity]}}"
      try host.write(text, to: "web/compose.yaml")
      #expect(try type("up -d", in: "web", on: host).status == 0)
      let both = try type("down web db", in: "web", on: host)
      #expect(both.status == 0 && !both.errors.contains("warning"), "\(both)")
      #expect(try type("up -d", in: "web", on: host).status == 0)
      let other = try type("down db", in: "web", on: host)
      #expect(other.status == 0 && !other.errors.contains("warning"), "\(other)")
      let named = try type("down web", in: "web", on: host)
      #expect(named.status == 0, "\(named)")
      #expect(
        named.errors.contains("warning: web is a service of stack web: to take all of it down, type stack down"),
        "\(named)")
    }
  }
}
