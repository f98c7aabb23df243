import Testing

/// A command that is run without a terminal gets none of the caller's: what it leaves behind neither reads what is typed afterwards
/// nor writes to it.
@Suite struct CallersTerminalTests {
  /// Runs a script at a terminal that types `typed` once it says ready, and answers all that the terminal showed.
  private static let terminal = """
    import os, pty, select, sys, time
    child, terminal = pty.fork()
    if child == 0:
        os.execvp("bash", ["bash", "--norc", "-c", sys.argv[1]])
    shown, typed, end = b"", False, time.monotonic() + 20
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                data = os.read(terminal, 4096)
            except OSError:
                break
            if not data:
                break
            shown += data
        if b"READY" in shown and not typed:
            typed = True
            os.write(terminal, sys.argv[2].encode().decode("unicode_escape").encode())
    sys.stdout.write(shown.decode().replace("\\r", ""))
    print("exit", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    """

  private func withTerminal(_ body: (ThrowawayHost, (String, String) throws -> String) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.up("name: x\nservices: {a: {command: [sleep, infinity]}}\n", named: "x")
      try host.write(Self.terminal, to: "terminal.py")
      try body(host) { script, typed in try host.succeed("python3", "terminal.py", script, typed) }
    }
  }

  /// Each of the three, and all of them, whether the others are the terminal or not.
  @Test func noDescriptorIsATerminal() throws {
    try withTerminal { host, run in
      let look =
        "for n in 0 1 2; do [ -t $n ] && echo terminal $n; done >/run/seen; ls -l /proc/self/fd >>/run/seen; tty >>/run/seen; true"
      for redirection in [
        "", "</dev/null", ">/dev/null", "2>/dev/null", "</dev/null >/dev/null", ">/dev/null 2>&1", "| cat",
      ] {
        // All three at the terminal, and no -T: the one case with a terminal, which is the service's own.
        _ = try run("stack exec -T a sh -c '\(look)' \(redirection); echo READY", "")
        let seen = try host.succeed("stack", "exec", "-T", "a", "cat", "/run/seen")
        #expect(
          !seen.contains("terminal") && !seen.contains("/dev/pts") && seen.contains("not a tty"),
          "\(redirection): \(seen)")
      }
      for redirection in ["| cat", ">/dev/null", "</dev/null"] {
        _ = try run("stack exec a sh -c '\(look)' \(redirection); echo READY", "")
        let seen = try host.succeed("stack", "exec", "-T", "a", "cat", "/run/seen")
        #expect(!seen.contains("terminal") && !seen.contains("/dev/pts"), "\(redirection): \(seen)")
      }
    }
  }

  @Test func whatIsLeftBehindReadsNothingTypedAfterwards() throws {
    try withTerminal { host, run in
      let leaves = "(exec setsid sh -c 'cat >/run/stolen; echo over >>/run/stolen') & sleep 0.1; echo left"
      let shown = try run(
        "stack exec -T a sh -c \"\(leaves)\"; echo READY; read -r line; echo \"shell got: $line\"", "password\\n")
      #expect(shown.contains("left") && shown.contains("shell got: password"), "\(shown)")
      #expect(
        try host.eventually { try host.run("stack", "exec", "-T", "a", "grep", "over", "/run/stolen").status == 0 })
      #expect(try host.succeed("stack", "exec", "-T", "a", "cat", "/run/stolen") == "over")
    }
  }

  @Test func inputOutputAndErrorsAreCarried() throws {
    try withTerminal { _, run in
      let script = "echo READY; read line; echo \\\"got $line\\\"; echo wrong >&2; cat; exit 5"
      // Ctrl-D ends the input.
      let shown = try run("stack exec -T a sh -c \"\(script.replacing("$", with: "\\$"))\"", "typed\\nmore\\n\\x04")
      #expect(shown.contains("got typed\nwrong\n") && shown.contains("more") && shown.hasSuffix("exit 5"), "\(shown)")
    }
  }

  /// More than a pipe holds, and in the order in which it was written.
  @Test func nothingIsLostOrOutOfOrder() throws {
    try withTerminal { _, run in
      let script = "for n in $(seq 20000); do echo $n; echo $n >&2; done"
      let shown = try run("stack exec -T a sh -c '\(script)'; echo READY", "")
      let expected = (1...20000).map { "\($0)\n\($0)\n" }.joined()
      #expect(shown.hasPrefix(expected))
    }
  }

  /// The pager that shows what it writes is asked for keys, and not the command.
  @Test func aPagerGetsTheKeys() throws {
    try withTerminal { _, run in
      let pager = "stty -icanon -echo; echo READY >/dev/tty; dd bs=1 count=6 2>/dev/null; stty icanon echo"
      let shown = try run(
        "stack exec a sh -c 'echo line; sleep 2' | sh -c '{ \(pager); } </dev/tty; echo; cat'", "abcdef")
      #expect(shown.contains("abcdef\nline\n"), "\(shown)")
    }
  }

  /// The shell still reads the terminal while `exec` runs in the background.
  @Test func aCommandInTheBackgroundIsNotStopped() throws {
    try withTerminal { _, run in
      let shown = try run(
        "set -m; stack exec -T a sh -c 'sleep 1; echo done' & echo READY; read -r line; echo \"shell got: $line\"; wait; echo end",
        "typed\\n")
      #expect(shown.contains("shell got: typed") && shown.contains("done") && !shown.contains("Stopped"), "\(shown)")
    }
  }
}
