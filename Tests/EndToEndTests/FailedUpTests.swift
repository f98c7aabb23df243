import Testing

/// A failed `up` can be looked at.
@Suite struct FailedUpTests {
  private static let file = """
    name: x
    services:
      ok: {command: [sh, -c, "echo fine; sleep infinity"]}
      sick:
        command: [sh, -c, "for i in $$(seq 1 12); do echo line $$i; done; sleep infinity"]
        healthcheck: {test: [CMD-SHELL, "echo no such table; exit 4"], interval: 100ms, retries: 2}

    """

  @Test func whatWasWrittenCanBeRead() throws {
    try ThrowawayHost.with { host in
      try host.write(Self.file, to: "x.stack")
      let up = try host.run("stack", "up")
      #expect(up.status == 1)
      for words in ["no such table", "line 3\n", "line 12", "all else that had come up is undone", "stack logs x/sick"]
      {
        #expect(up.errors.contains(words), "\(words) is not in \(up)")
      }
      #expect(try host.succeed("stack", "ls", "-q").isEmpty)
      for words in [
        ["logs", "sick", "-n", "1"], ["logs", "x/sick", "-n", "1"], ["logs", "-s", "x", "sick", "-n", "1"],
      ] {
        let logs = try host.start(["stack"] + words).wait(limit: .seconds(20))
        #expect(logs.status == 0 && logs.output == "sick  | line 12" && logs.errors.contains("is not up"), "\(logs)")
      }
      #expect(try host.succeed("stack", "logs").contains("ok    | fine"))
      // They go with the next `up`, and with `down`.
      try host.write(Self.file.replacing("exit 4", with: "exit 0"), to: "x.stack")
      try host.succeed("stack", "up")
      #expect(try host.run("test", "-e", "/var/lib/stack/x/failed-logs").status == 1)
      try host.succeed("stack", "down")
      try host.write(Self.file, to: "x.stack")
      #expect(try host.run("stack", "up").status == 1)
      try host.succeed("stack", "down")
      #expect(try host.run("test", "-e", "/var/lib/stack/x").status == 1)
    }
  }

  @Test func whatCameUpCanBeKept() throws {
    try ThrowawayHost.with { host in
      try host.write(Self.file, to: "x.stack")
      let up = try host.run("stack", "up", "--keep")
      #expect(up.status == 1 && up.errors.contains("what has come up is kept"), "\(up)")
      #expect(Set(try host.listing().compactMap { $0["Name"] as? String }) == ["ok", "sick"])
      #expect(try host.succeed("stack", "exec", "-T", "sick", "echo", "inside") == "inside")
      try host.write(Self.file.replacing("exit 4", with: "exit 0"), to: "x.stack")
      try host.succeed("stack", "up")
      try host.succeed("stack", "down")
      #expect(try host.succeed("stack", "ls", "-qa").isEmpty)
    }
  }
}
