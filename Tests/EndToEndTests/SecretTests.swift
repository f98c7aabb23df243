import Testing

/// Secrets whose values come from the caller's environment.
@Suite struct SecretTests {
  private static let value = "correct-horse-battery"

  /// The output of commands goes into logs and reports.
  @Test func valuesOfVariablesAreShownNowhere() throws {
    try ThrowawayHost.with { host in
      try host.write(
        """
        name: x
        services:
          a: {command: [sleep, infinity], secrets: [token]}
        secrets: {token: {environment: TOKEN}}
        """, to: "x.stack")
      let environment = ["TOKEN": Self.value]
      func output(_ command: [String]) throws -> String {
        let outcome = try host.start(["stack"] + command, environment: environment).wait(limit: .seconds(60))
        #expect(outcome.status == 0, "\(outcome)")
        return outcome.output + outcome.errors
      }
      _ = try output(["up", "x.stack"])
      #expect(try host.succeed("stack", "exec", "-T", "a", "cat", "/run/secrets/token") == Self.value)
      for command in [
        ["config", "x.stack"], ["config", "x.stack", "--format", "json"], ["inspect", "a"], ["inspect", "x"],
        ["ps", "--format", "json"], ["logs"],
      ] {
        #expect(try !output(command).contains(Self.value), "\(command)")
      }
      #expect(try output(["config", "x.stack"]).contains("environment: TOKEN"))
      let commands = try host.succeed("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
      #expect(!commands.contains(Self.value))
      let others = try host.run(
        "setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "grep", "-rs", Self.value, "/run/stack",
        "/var/lib/stack", "/var/cache/stack")
      #expect(others.output.isEmpty)
    }
  }
}
