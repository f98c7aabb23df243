import Testing

/// A service does not control the terminal of who looks at it.
@Suite struct TerminalTextTests {
  @Test func whatAServiceChoosesIsShownAndNotObeyed() throws {
    try ThrowawayHost.with { host in
      try host.write(
        """
        import ctypes, os
        escapes = "\\x1b]0;TITLE\\x07\\x1b[31mRED\\u009b32m"
        print("log" + escapes, flush=True)
        os.makedirs("/d/folder" + escapes)
        os.mkfifo("/d/fifo" + escapes)
        os.mkdir("/deep")
        os.chdir("/deep")
        for _ in range(300):
            os.mkdir(escapes)
            os.chdir(escapes)
        os.execv("/bin/sleep", ["sleep" + escapes, "1000"])

        """, to: "evil.py")
      try host.up(
        """
        name: x
        services:
          evil:
            command: [python3, /evil.py]
            volumes: ["./evil.py:/evil.py:ro"]
            healthcheck: {test: [CMD, printf, 'well\\033]0;TITLE\\007\\302\\23332m'], interval: 100ms}

        """, named: "x")
      #expect(try host.eventually { try host.run("stack", "exec", "-T", "evil", "test", "-e", "/deep").status == 0 })
      #expect(try host.eventually { try host.succeed("stack", "inspect", "evil").contains("well") })
      #expect(try host.eventually { try host.succeed("stack", "top").contains("TITLE") })
      for command in [
        "stack logs evil", "stack top", "stack cp evil:/d ./out", "stack cp evil:/deep ./deep", "stack inspect evil",
        "stack ps",
        "timeout -s INT 1 stack events x", "timeout -s INT 1 stack attach --no-stdin evil", "stack stats --no-stream",
      ] {
        let shown = try host.run("script", "-qec", command, "/dev/null").output
        for sequence in ["\u{1B}]", "\u{1B}[31m", "\u{9B}", "\u{07}"] {
          #expect(!shown.contains(sequence), "\(command): \(shown.debugDescription.prefix(600))")
        }
      }
      for (command, text) in [
        ("stack logs evil", "log^[]0;TITLE^G^[[31mRED^[[32m"), ("stack top", "sleep^[]0;TITLE^G^[[31mRED^[[32m"),
        ("stack cp evil:/d ./again", "/d/fifo^[]0;TITLE^G^[[31mRED^[[32m is a device"),
      ] {
        #expect(try host.run("script", "-qec", command, "/dev/null").output.contains(text), "\(command)")
      }
      // What goes elsewhere is as it was written.
      #expect(try host.succeed("sh", "-c", "stack logs evil | cat").contains("log\u{1B}]0;TITLE\u{07}\u{1B}[31mRED"))
    }
  }
}
