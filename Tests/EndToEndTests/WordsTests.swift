import Testing

/// Errors of the command line: their words, and the statuses by which scripts tell them apart.
@Suite struct WordsTests {
  @Test func mistakesOfTheCommandLineEndWith2() throws {
    try ThrowawayHost.with { host in
      try host.up("name: x\nservices: {web: {command: [sleep, infinity]}}\n", named: "x")
      for words in [
        "upp", "help upp", "up --forse", "-x ps", "--ansi loud ps", "kill -s NOTHING web", "up --scale web=-1",
        "logs -n x",
        "down a b c/d", "-p", "ps --format '{{.Nothing}}'", "exec", "run", "ls --filter x", "port web x",
        "export web db",
      ] {
        let outcome = try host.run("sh", "-c", "stack \(words)")
        #expect(outcome.status == 2 || words.hasPrefix("down"), "stack \(words): \(outcome)")
        #expect(outcome.errors.hasPrefix("error: "), "stack \(words): \(outcome)")
      }
      try host.write("services: {a: {comand: [x]}}", to: "wrong.yaml")
      #expect(try host.run("stack", "config", "wrong.yaml").status == 2)
      #expect(try host.run("stack", "up", "wrong.yaml").status == 2)
      // What is right and fails ends with 1.
      #expect(try host.run("stack", "logs", "nobody").status == 1)
      #expect(try host.run("stack", "ps", "-s", "nothing").status == 1)
    }
  }

  @Test func nearNamesAreOffered() throws {
    try ThrowawayHost.with { host in
      let services = (1...12).map { "  server-\($0): {command: [sleep, infinity]}\n" }.joined()
      try host.up("name: x\nservices:\n  web: {command: [sleep, infinity]}\n\(services)", named: "x")
      #expect(try host.run("stack", "exec", "wbe", "true").errors.contains("there is: web\n"))
      let many = try host.run("stack", "exec", "zzzzzzzz", "true").errors
      #expect(many.contains("and 8 more") && many.split(separator: ",").count == 6, "\(many)")
      #expect(try host.run("stack", "ps", "-s", "y").errors.contains("there is: x"))
      #expect(try host.run("stack", "lgos").errors.contains("did you mean \"logs\"?"))
      let export = try host.run("stack", "export", "kubernets", "x.stack")
      #expect(export.status == 2 && export.errors.contains("did you mean kubernetes?"), "\(export)")
      let publish = try host.run("stack", "publish")
      #expect(publish.status == 2 && publish.errors.contains("instead: stack config"), "\(publish)")
      let word = try host.run("stack", "exec", "x", "web", "ls")
      #expect(word.status == 1 && word.errors.contains("x is a stack") && word.errors.contains("-s x"), "\(word)")
    }
  }

  @Test func optionsBeforeTheCommand() throws {
    try ThrowawayHost.with { host in
      try host.write(
        "services: {web: {command: [sh, -c, \"echo $WORD; sleep infinity\"], environment: [\"A=${WORD}\"]}}\n",
        to: "in/f.yaml")
      try host.write("WORD=hello\n", to: "variables")
      let up = try host.run(
        "stack", "-f", "in/f.yaml", "-p", "shop", "--env-file", "variables", "--ansi", "never", "--progress", "plain",
        "up")
      #expect(up.status == 0 && up.errors.contains("shop/web: ready"), "\(up)")
      #expect(try host.succeed("stack", "-p", "shop", "exec", "-T", "web", "printenv", "A") == "hello")
      let logs = try host.start(["stack", "-p", "shop", "logs", "-f"])
      #expect(host.eventually { logs.output.contains("hello") })
      try host.signal(2, to: logs)
      _ = try logs.wait(limit: .seconds(20))
      #expect(try host.run("stack", "-p", "shop", "kill", "-s", "TERM", "web").status == 0)
      #expect(try host.eventually { try host.field("State", of: "web", as: String.self) == "exited" })
      let quiet = try host.run("stack", "--progress", "quiet", "-p", "shop", "start")
      #expect(quiet.status == 0 && quiet.errors.isEmpty, "\(quiet)")
      let plan = try host.run("stack", "--dry-run", "-f", "in/f.yaml", "up")
      #expect(plan.status == 0 && plan.output.contains("ip "), "\(plan)")
    }
  }

  @Test func outputThatCannotBeWrittenIsAnError() throws {
    try ThrowawayHost.with { host in
      try host.up("name: x\nservices: {web: {command: [sleep, infinity]}}\n", named: "x")
      for words in [
        "ps", "ls", "config x.stack", "version", "--version", "--help", "inspect", "volumes", "exec -T web echo a",
      ] {
        let full = try host.run("sh", "-c", "stack \(words) >/dev/full")
        #expect(full.status != 0 || words == "--version" || words == "--help", "stack \(words): \(full)")
        let closed = try host.run("bash", "-c", "stack \(words) | true; exit ${PIPESTATUS[0]}")
        #expect(closed.errors.isEmpty || words.hasPrefix("exec"), "stack \(words): \(closed)")
      }
    }
  }

  /// A reader of progress that ends early, such as head, ends no `up`.
  @Test func aClosedPipeUndoesNothing() throws {
    try ThrowawayHost.with { host in
      try host.write(
        "name: x\nservices: {a: {command: [sleep, infinity]}, b: {command: [sleep, infinity]}}\n", to: "x.stack")
      try host.succeed("bash", "-c", "stack up x.stack 2>&1 | head -n 1 >/dev/null")
      #expect(try host.eventually { try host.listing().count == 2 })
    }
  }

  @Test func timesAreReadAsTheyAreSpoken() throws {
    try ThrowawayHost.with { host in
      try host.up("name: x\nservices: {web: {command: [sh, -c, \"echo hello; sleep infinity\"]}}\n", named: "x")
      #expect(try host.eventually { try host.succeed("stack", "logs").contains("hello") })
      for time in ["10m ago", "10m", "1h 5m ago", "2020-01-01T00:00:00Z"] {
        #expect(try host.succeed("stack", "logs", "--since", time).contains("hello"), "\(time)")
      }
      #expect(try host.succeed("stack", "logs", "--until", "10m ago").isEmpty)
    }
  }
}
