import Foundation
import Testing

@Suite struct AttachTests {
  private static let text = """
    name: x
    services:
      terminal: {command: [sh, -c, "stty -echo; echo ready; while read -r line; do echo \\"got $$line\\"; done"], tty: true, stdin_open: true}
      plain: {command: [sh, -c, "while read -r line; do echo \\"got $$line\\"; [ $$line != end ] || exit 7; done"], stdin_open: true}
      deaf: {command: [sh, -c, "while :; do echo tick; sleep 0.1; done"]}
    """

  @Test func aTerminalIsTypedAtUntilTheKeysThatDetach() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "x")
      let pid: Int = try host.field("PID", of: "terminal")
      // What is typed comes in pieces; the first of the keys alone is the service's.
      let script =
        "(sleep 0.5; printf 'one\\n'; sleep 0.5; printf '\\020two\\n'; sleep 1; printf '\\020\\021'; sleep 1) | stack attach terminal"
      let outcome = try host.run("sh", "-c", script)
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.contains("got one") && outcome.output.contains("two"), "\(outcome)")
      #expect(try host.field("State", of: "terminal") == "running")
      #expect(try host.field("PID", of: "terminal") == pid)
      try host.succeed("stack", "down", "x")
    }
  }

  @Test func theCallersOwnTerminalIsRawAndPutBack() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "x")
      // script(1) gives the command a terminal, whose mode it is asked for afterwards.
      let script = """
        (sleep 1; printf 'abc\\r'; sleep 1; printf '\\020\\021'; sleep 1) |
          script -qec 'stty -g > before; stack attach terminal; echo left $?; stty -g > after' /dev/null
        """
      let outcome = try host.run("sh", "-c", script)
      #expect(outcome.output.contains("got abc") && outcome.output.contains("left 0"), "\(outcome)")
      #expect(try host.succeed("cat", "before") == host.succeed("cat", "after"))
      try host.succeed("stack", "down", "x")
    }
  }

  @Test func theWindowIsFollowed() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "x")
      // script(1) runs at a terminal of its own, whose size stty changes from within, as a window manager would.
      let script = """
        (sleep 3; printf '\\020\\021'; sleep 1) | script -qec '
          stty rows 30 cols 90; stack attach terminal < /dev/tty & sleep 1
          stack exec -T terminal sh -c "stty size < /dev/pts/0" > first
          stty rows 40 cols 120 < /dev/tty; sleep 1
          stack exec -T terminal sh -c "stty size < /dev/pts/0" > second; wait' /dev/null
        """
      let outcome = try host.run("sh", "-c", script)
      try #require(outcome.status == 0, "\(outcome)")
      #expect(try host.succeed("cat", "first") == "30 90")
      #expect(try host.succeed("cat", "second") == "40 120")
      try host.succeed("stack", "down", "x")
    }
  }

  @Test func inputWithoutATerminalIsPassedOnAndTheExitCodeIsTheServices() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "x")
      let outcome = try host.run("sh", "-c", "(sleep 0.5; echo one; echo end; sleep 2) | stack attach plain")
      #expect(outcome.status == 7, "\(outcome)")
      #expect(outcome.output == "got one\ngot end", "\(outcome)")
      let again = try host.run("stack", "attach", "plain")
      #expect(again.status == 1 && again.errors.contains("is not running"), "\(again)")
      try host.succeed("stack", "down", "x")
    }
  }

  @Test func aServiceThatTakesNoInputIsWatchedUntilCtrlC() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "x")
      let outcome = try host.run(
        "timeout", "-s", "INT", "--preserve-status", "1", "stack", "attach", "--no-stdin", "deaf")
      #expect(outcome.status == 130 && outcome.output.hasPrefix("tick\ntick"), "\(outcome)")
      #expect(try host.field("State", of: "deaf") == "running")
      try host.succeed("stack", "down", "x")
    }
  }
}
