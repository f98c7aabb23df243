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
        ThrowawayHost.awaitFunction + """
          mkfifo keys; stack attach terminal <keys >seen & exec 3>keys
          printf 'one\\n' >&3; await grep -q 'got one' seen
          printf '\\020two\\n' >&3; await grep -q 'two' seen
          printf '\\020\\021' >&3; wait $!; status=$?; cat seen; exit $status
          """
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
      // script(1) gives the command a terminal, whose mode it is asked for meanwhile and afterwards.
      let inner = """
        stty -g >before
        (until stty -a </dev/tty | grep -q -e -icanon; do sleep 0.05; done; touch raw) &
        stack attach terminal; echo left $?; stty -g >after
        """
      let script =
        ThrowawayHost.awaitFunction + """
          mkfifo keys; script -qec '\(inner)' /dev/null <keys >seen & exec 3>keys
          await test -e raw; printf 'abc\\r' >&3; await grep -q 'got abc' seen
          printf '\\020\\021' >&3; wait $!; cat seen
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
      let inner =
        ThrowawayHost.awaitFunction + """
          is() { stack exec -T terminal sh -c "stty size </dev/pts/0" >size; grep -qx "$1" size; }
          stty rows 30 cols 90; stack attach terminal </dev/tty & await is "30 90"
          stty rows 40 cols 120 </dev/tty; await is "40 120"
          touch followed; wait
          """
      let script =
        ThrowawayHost.awaitFunction + """
          mkfifo keys; script -qec '\(inner)' /dev/null <keys & exec 3>keys
          await test -e followed; printf '\\020\\021' >&3; wait $!
          """
      let outcome = try host.run("sh", "-c", script)
      #expect(outcome.status == 0, "\(outcome)")
      try host.succeed("stack", "down", "x")
    }
  }

  @Test func inputWithoutATerminalIsPassedOnAndTheExitCodeIsTheServices() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.text, named: "x")
      // The input stays open, so that it is the service's end that is waited for.
      let script = "mkfifo in; stack attach plain <in & exec 3>in; printf 'one\\nend\\n' >&3; wait $!"
      let outcome = try host.run("sh", "-c", script)
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
      let attached = try host.start(["stack", "attach", "--no-stdin", "deaf"])
      #expect(host.eventually { attached.output.hasPrefix("tick\ntick") })
      try host.signal(2, to: attached)
      let outcome = try attached.wait(limit: .seconds(60))
      #expect(outcome.status == 130, "\(outcome)")
      #expect(try host.field("State", of: "deaf") == "running")
      try host.succeed("stack", "down", "x")
    }
  }
}
