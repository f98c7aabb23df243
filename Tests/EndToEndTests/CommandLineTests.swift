import Foundation
import Testing

/// The output of each command, and its exit code when it fails.
@Suite struct CommandLineTests {
  /// The logs that `up` follows: those of services that are named, or that nobody left out.
  @Test func upFollowsWhomItIsToldTo() throws {
    let service = "{command: [sh, -c, 'while :; do echo NAME says; sleep 0.2; done']"
    func line(_ name: String, _ rest: String = "") -> String {
      "  \(name): \(service.replacingOccurrences(of: "NAME", with: name))\(rest)}\n"
    }
    try ThrowawayHost.with { host in
      let file = "services:\n" + line("web", ", depends_on: [db]") + line("db") + line("other")
      try host.write(file, to: "compose.yaml")
      let cases: [(words: String, shown: Set<String>)] = [
        ("--attach", ["web", "db", "other"]), ("--attach web", ["web"]), ("--attach --no-attach db", ["web", "other"]),
        ("--attach web --attach other", ["web", "other"]), ("--attach web --attach-dependencies", ["web", "db"]),
        ("--attach web --attach-dependencies --no-attach db", ["web"]),
        ("--attach=db --no-color --timestamps", ["db"]),
      ]
      for (words, shown) in cases {
        let outcome = try host.run("sh", "-c", "timeout -s INT 4 stack up \(words)")
        let all = ["web", "db", "other"].filter { outcome.output.contains("\($0) says") }
        #expect(Set(all) == shown, "up \(words): \(outcome)")
      }
      for words in [
        "--attach nobody", "--attach --no-attach nobody", "--attach --no-attach web --no-attach db --no-attach other",
      ] {
        let outcome = try host.run("sh", "-c", "timeout -s INT 4 stack up \(words)")
        #expect(outcome.status == 2 && outcome.errors.contains("attach: "), "up \(words): \(outcome)")
      }
    }
  }

  /// Files that are missing are told by their line, and before anything is started.
  @Test func missingFilesAreToldBeforeAnythingStarts() throws {
    try ThrowawayHost.with { host in
      let ok = "  ok: {command: [sleep, infinity]}\n"
      let cases = [
        ("  web: {command: [a], secrets: [s]}\nsecrets: {s: {file: ./none}}", "the secret for /run/secrets/s", 3),
        ("  web: {command: [a], configs: [s]}\nconfigs: {s: {file: ./none}}", "the config for /s", 3),
        (
          "  web: {command: [a], volumes: [{type: bind, source: ./none, target: /x, bind: {create_host_path: false}}]}",
          "/x has no file", 3
        ),
        ("  web: {build: ./none}", "there is no folder", 3),
        ("  web: {build: {context: ., dockerfile: none}}", "there is no Dockerfile", 3),
        ("  web: {build: {context: ., secrets: [s]}}\nsecrets: {s: {file: ./none}}", "the secret s has no file", 3),
      ]
      for (text, words, line) in cases {
        try host.write("services:\n" + ok + text + "\n", to: "compose.yaml")
        let outcome = try host.run("stack", "up", "-d")
        #expect(
          outcome.status == 1 && outcome.errors.contains(words) && outcome.errors.contains("(compose.yaml:\(line))")
            && !outcome.errors.contains("ok: created"), "\(outcome)")
      }
    }
  }
  @Test func versionAndHelp() throws {
    try ThrowawayHost.with { host in
      #expect(try host.succeed("stack", "--version").contains("."))
      let help = try host.succeed("stack", "--help")
      for command in [
        "up", "down", "ps", "exec", "logs", "start", "stop", "restart", "kill", "config", "inspect", "doctor",
      ] {
        #expect(help.contains("  \(command)"), "help does not list \(command)")
      }
      let wrong = try host.run("stack", "upp")
      #expect(wrong.status == 2)
      #expect(wrong.errors.hasPrefix("error: stack has no command \"upp\": did you mean \"up\"?"), "\(wrong)")
      let part = try host.run("stack", "image", "lss")
      #expect(part.status == 2)
      #expect(part.errors.hasPrefix("error: stack image has no command \"lss\": did you mean \"ls\"?"), "\(part)")
      // Its own command, which nobody types, is not shown.
      #expect(try host.run("stack", "build", "--netwrok").errors.contains("Usage: stack build ["))
      let helpless = try host.run("stack", "help", "upp")
      #expect(helpless.status == 2)
      #expect(helpless.errors.hasPrefix("error: stack has no command \"upp\": did you mean \"up\"?"), "\(helpless)")
      #expect(try host.succeed("stack", "help", "up").contains("USAGE: stack up"))
      #expect(try host.succeed("stack", "help").contains("USAGE: stack"))
      let option = try host.run("stack", "up", "--forse-recreate", "x.stack")
      #expect(option.status == 2)
      #expect(option.errors.hasPrefix("error: Unknown option '--forse-recreate'"), "\(option)")
      #expect(option.errors.contains("--force-recreate"), "\(option)")
    }
  }

  @Test func wordsThatACommandDoesNotTakeAreAnsweredWithItsUsage() throws {
    try ThrowawayHost.with { host in
      try host.write("services: {a: {command: [sleep, infinity]}}", to: "x.stack")
      let scale = try host.run("stack", "up", "x.stack", "--scale", "a=-1")
      #expect(scale.status == 2)
      #expect(scale.errors.hasPrefix("error: a scale is service=number, not a=-1\nUsage: stack up "), "\(scale)")
      #expect(scale.errors.contains("See 'stack up --help'"), "\(scale)")
      let signal = try host.run("stack", "kill", "--signal", "SIGNOTHING", "a")
      #expect(signal.errors.hasPrefix("error: there is no signal SIGNOTHING\nUsage: stack kill "), "\(signal)")
    }
  }

  @Test func filesAreMergedInTheirOrderAndFound() throws {
    try ThrowawayHost.with { host in
      func text(_ level: String) -> String {
        "services: {a: {command: [sleep, infinity], environment: {LEVEL: \(level)}}}\n"
      }
      func level(_ arguments: String..., environment: [String: String] = [:]) throws -> String? {
        let outcome = try host.start(["stack", "config"] + arguments, environment: environment).wait(
          limit: .seconds(60))
        guard outcome.status == 0 else { return outcome.errors }
        return outcome.lines.first { $0.contains("LEVEL") }?.split(separator: " ").last.map(String.init)
      }
      for name in ["base", "over"] { try host.write(text(name), to: "lab/\(name).yaml") }
      #expect(try level("lab/base.yaml", "-f", "lab/over.yaml") == "over")
      #expect(try level("-f", "lab/over.yaml", "-f", "lab/base.yaml") == "base")
      #expect(try level(environment: ["COMPOSE_FILE": "lab/base.yaml:lab/over.yaml"]) == "over")
      #expect(try level("lab/base.yaml", environment: ["COMPOSE_FILE": "lab/over.yaml"]) == "base")
      try host.write(text("found"), to: "lab/compose.yaml")
      try host.write(text("above"), to: "lab/compose.override.yaml")
      try host.succeed("mkdir", "-p", "lab/sub/folder")
      let below = try host.run("sh", "-c", "cd lab/sub/folder && stack config")
      #expect(below.output.contains("LEVEL: above"), "\(below)")
      #expect(below.output.contains("name: lab"), "\(below)")
    }
  }

  @Test func aStackFileComesByStandardInput() throws {
    try ThrowawayHost.with { host in
      let text = "services: {a: {command: [sleep, infinity], volumes: [\"./pages:/pages\"]}}\n"
      let config = try host.run("stack", "config", "-f", "-", input: Data(text.utf8))
      #expect(config.status == 0 && config.output.contains("name: work"), "\(config)")
      let coded = try host.run(
        "stack", "config", "--format", "json", "-f", "-", input: Data("services: {a: {comand: [x]}}".utf8))
      #expect(coded.status == 2 && coded.errors.hasPrefix(#"{"code":"E0030","severity":"error""#), "\(coded)")
      #expect(coded.output.isEmpty)
      let wrong = try host.run("stack", "config", "-f", "-", input: Data("services: {a: {comand: [x]}}".utf8))
      #expect(wrong.status == 2 && wrong.errors.hasPrefix("<stdin>:1:16: error"), "\(wrong)")
      let piped = try host.run("sh", "-c", "(sleep 0.2; echo '\(text)') | stack up -f - -p piped")
      #expect(piped.status == 0, "\(piped)")
      try host.write("hello", to: "pages/index.html")
      #expect(try host.succeed("stack", "exec", "a", "cat", "/pages/index.html") == "hello")
      try host.succeed("stack", "down", "-p", "piped")
      #expect(try host.listing("-a").isEmpty)
    }
  }

  @Test func theEnvironmentNamesTheStack() throws {
    try ThrowawayHost.with { host in
      try host.write("services: {a: {command: [sleep, infinity]}}", to: "compose.yaml")
      let environment = ["COMPOSE_PROJECT_NAME": "one"]
      #expect(try host.run("stack", "up", environment: environment).status == 0)
      try host.succeed("stack", "up", "-p", "two")
      #expect(try host.run("stack", "exec", "a", "true").status == 1, "the folder's own is not up")
      #expect(try host.run("stack", "exec", "a", "true", environment: environment).status == 0)
      #expect(try host.run("stack", "down", environment: environment).status == 0)
      #expect(Set(try host.listing("-s", "two").compactMap { $0["Project"] as? String }) == ["two"])
    }
  }

  @Test func completionsAreShellScripts() throws {
    try ThrowawayHost.with { host in
      for (shell, check) in [
        ("bash", ["bash", "-n"]), ("zsh", ["grep", "-q", "compdef"]), ("fish", ["grep", "-q", "complete"]),
      ] {
        try host.write(host.succeed("stack", "--generate-completion-script", shell), to: "completion")
        #expect(try host.start(check + ["completion"]).wait(limit: .seconds(60)).status == 0)
      }
    }
  }

  @Test func listingHasComposesFields() throws {
    try ThrowawayHost.with { host in
      try host.succeed("stack", "up", Repository.stackFile("web.stack"))
      let rows = try host.listing()
      #expect(rows.compactMap { $0["Service"] as? String }.sorted() == ["web1", "web2", "web3"])
      for row in rows {
        for key in [
          "ID", "Name", "Command", "Project", "Service", "State", "Health", "ExitCode", "Publishers", "Networks", "PID",
          "IPAddress",
        ] {
          #expect(row[key] != nil, "no \(key) in \(row)")
        }
        #expect(row["Project"] as? String == "web")
        #expect(row["State"] as? String == "running")
        let publisher = (row["Publishers"] as? [[String: Any]])?.first ?? [:]
        #expect(publisher["TargetPort"] as? Int == 80)
        #expect(publisher["Protocol"] as? String == "tcp")
        let pid = try #require(row["PID"] as? Int)
        #expect(try host.succeed("cat", "/proc/\(pid)/comm").hasPrefix("stack-init"))
      }
      #expect(
        try host.succeed("stack", "ps", "--services").split(separator: "\n").sorted() == ["web1", "web2", "web3"])
      #expect(try host.succeed("stack", "ps").contains("web1"))
      let line = try host.succeed("stack", "ps", "--format", "json").split(separator: "\n")[0]
      let keys = line.matches(of: /"([A-Za-z0-9]+)":/).map { String($0.1) }.filter {
        ["Command", "Name", "State"].contains($0)
      }
      #expect(keys == ["Command", "Name", "State"], "\(line)")
    }
  }

  @Test func logsComeWholeAndAreFollowed() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: x
        services:
          a:
            command: [sh, -c, "for n in $(seq 500); do echo line $$n; done; echo oops >&2; while :; do echo tick; sleep 0.1; done"]
        """
      try host.up(text.replacingOccurrences(of: "$(seq", with: "$$(seq"), named: "x")
      #expect(try host.eventually { try host.succeed("stack", "logs", "--no-log-prefix", "a").contains("tick") })
      let lines = try host.succeed("stack", "logs", "--no-log-prefix", "a").split(separator: "\n")
      #expect(lines.prefix(500).enumerated().allSatisfy { $1 == "line \($0 + 1)" })
      #expect(lines.contains("oops"))
      #expect(try host.succeed("stack", "logs", "-n", "2", "a").split(separator: "\n").count == 2)
      let follow = try host.start(["stack", "logs", "-f", "-n", "0", "a"])
      #expect(host.eventually { follow.output.components(separatedBy: "tick").count > 3 })
      try host.signal(2, to: follow)
      #expect(try [0, 130].contains(follow.wait(limit: .seconds(60)).status))
    }
  }

  @Test func aClosedPipeEndsLogsQuietly() throws {
    try ThrowawayHost.with { host in
      try host.up("name: x\nservices:\n  a:\n    command: [sh, -c, \"seq 100000; exec sleep infinity\"]\n", named: "x")
      let outcome = try host.run("bash", "-c", "stack logs -f a | head -n 1", limit: .seconds(60))
      #expect(outcome.status == 0)
      #expect(outcome.errors == "")
    }
  }

  @Test func aNameInTwoStacksMustBeSaidInFull() throws {
    try ThrowawayHost.with { host in
      for stack in ["one", "two"] { try host.up(ThrowawayHost.servers(stack: stack, ["a"]), named: stack) }
      let outcome = try host.run("stack", "exec", "a", "hostname")
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("one/a") && outcome.errors.contains("two/a"), "\(outcome)")
      #expect(try host.get("localhost", inside: "one/a") == "one a")
      #expect(try host.succeed("stack", "exec", "-s", "two", "a", "curl", "-s", "localhost") == "two a")
      #expect(try host.run("stack", "down").status == 1, "down without a name, with two running")
    }
  }

  @Test func aServiceThatIsNotThereIsNotGuessed() throws {
    try ThrowawayHost.with { host in
      try host.succeed("stack", "up", Repository.stackFile("web.stack"))
      let outcome = try host.run("stack", "exec", "web", "true")
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("web1"), "\(outcome)")
    }
  }

  @Test func dryRunPrintsThePlanAndChangesNothing() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      let plan = try host.succeed("stack", "up", "--dry-run", Repository.stackFile("web.stack"))
      for word in ["web1", "web2", "web3", "8081"] { #expect(plan.contains(word), "\(plan)") }
      try host.expectUnchanged(since: before)
    }
  }

  @Test func configPrintsTheFileInFull() throws {
    try ThrowawayHost.with { host in
      try host.write("name: x\nservices:\n  a:\n    command: [echo, \"${GREETING:-hello}\"]\n", to: "x.stack")
      #expect(try host.succeed("stack", "config", "x.stack").contains("hello"))
      #expect(try host.run("stack", "config", "x.stack", environment: ["GREETING": "moin"]).output.contains("moin"))
      #expect(
        try host.succeed("stack", "config", "--services", Repository.stackFile("web.stack")).split(separator: "\n")
          .sorted() == ["web1", "web2", "web3"])
      #expect(try host.run("stack", "config", "--quiet", "x.stack").output == "")
      let json = try host.succeed("stack", "config", "--format", "json", "x.stack")
      #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(json.utf8)) }
      let again = try host.succeed("stack", "config", Repository.stackFile("web.stack"))
      try host.write(again, to: "again.stack")
      #expect(try host.succeed("stack", "config", "again.stack") == again, "config of its own output differs")
    }
  }

  @Test func mistakesArePointedAt() throws {
    try ThrowawayHost.with { host in
      try host.write(
        "name: x\nservices:\n  a:\n    command: [true]\n    networks: [frnt]\nnetworks:\n  front: {}\n", to: "x.stack")
      let outcome = try host.run("stack", "config", "x.stack")
      #expect(outcome.status == 2)
      #expect(outcome.errors.contains("x.stack:5:16"), "\(outcome)")
      #expect(outcome.errors.contains("did you mean \"front\"?"), "\(outcome)")
    }
  }

  @Test func inspectIsJSON() throws {
    try ThrowawayHost.with { host in
      try host.succeed("stack", "up", Repository.stackFile("web.stack"))
      let json = try host.succeed("stack", "inspect", "web1")
      #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(json.utf8)) }
      #expect(try json.contains(host.ipAddress(of: "web1")))
    }
  }

  @Test func doctorFindsThisHostFit() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      let outcome = try host.run("stack", "doctor")
      #expect(outcome.status == 0, "\(outcome)")
      for word in ["kernel", "cgroup", "forward", "nftables"] {
        #expect(outcome.output.lowercased().contains(word), "no word of \(word): \(outcome.output)")
      }
      try host.expectUnchanged(since: before)
      try host.succeed("stack", "up", Repository.stackFile("web.stack"))
      let map = try host.succeed("stack", "exec", "web1", "cat", "/proc/self/uid_map")
      let first = map.split(separator: " ")[1]
      // A service's own ids are nothing to note.
      #expect(try !host.run("stack", "doctor").output.contains("uid \(first)"))
    }
  }

  @Test func doctorNamesLeftovers() throws {
    try ThrowawayHost.with { host in
      try host.succeed("stack", "up", Repository.stackFile("web.stack"))
      try host.killSupervisors()
      try host.succeed("sh", "-c", "find /run/stack -type f -delete")
      #expect(try host.run("stack", "doctor").output.contains("web"))
    }
  }

  @Test func withoutRootOneLineSaysSo() throws {
    try ThrowawayHost.with { host in
      // As nobody, who can still reach the binary in a folder of its own.
      try host.succeed(
        "sh", "-c", "mkdir -m 755 /run/bin && cp \(Repository.binaryFolder)/stack* /run/bin/ && chmod 755 /run/bin/*")
      try host.write("name: x\nservices:\n  a:\n    command: [true]\n", to: "x.stack")
      for command in [["up", "x.stack"], ["down", "x"], ["ps"], ["exec", "a", "true"]] {
        let outcome = try host.start(
          ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/run/bin/stack"] + command
        )
        .wait(limit: .seconds(60))
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.errors.split(separator: "\n").count == 1 && outcome.errors.contains("root"), "\(outcome)")
      }
    }
  }
}
