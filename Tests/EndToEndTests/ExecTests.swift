import Foundation
import Testing

/// `stack exec`: the command's own exit code, its bytes unchanged, a terminal when there is one.
@Suite struct ExecTests {
  @Test func exitCodesAreTheCommandsOwn() throws {
    try withIdle { (host) throws in
      #expect(try host.run("stack", "exec", "a", "true").status == 0)
      #expect(try host.run("stack", "exec", "a", "sh", "-c", "exit 3").status == 3)
      #expect(try host.run("stack", "exec", "a", "no-such-command").status == 127)
      #expect(try host.run("stack", "exec", "a", "/etc/passwd").status == 126)
      #expect(try host.run("stack", "exec", "a", "sh", "-c", "kill -TERM $$").status == 128 + 15)
    }
  }

  @Test func aCommandThatIsNotThereIsNamed() throws {
    try withIdle { (host) throws in
      #expect(try host.run("stack", "exec", "a", "no-such-command").errors.contains("no-such-command"))
    }
  }

  @Test func optionsEndAtTheServicesName() throws {
    try withIdle { (host) throws in
      #expect(try host.succeed("stack", "exec", "a", "echo", "-n", "--help", "-e", "x") == "--help -e x")
      #expect(
        try host.succeed("stack", "exec", "-e", "COLOR=red", "-w", "/tmp", "a", "sh", "-c", "echo $COLOR; pwd")
          == "red\n/tmp")
    }
  }

  @Test func theServicesNameMayStandBehindTwoDashes() throws {
    try withIdle { (host) throws in
      #expect(try host.succeed("stack", "exec", "--", "a", "echo", "--", "hi") == "-- hi")
      #expect(try host.succeed("stack", "exec", "-T", "--", "a", "echo", "hi") == "hi")
    }
  }

  @Test func tenMegabytesPassUnchangedThroughPipes() throws {
    try withIdle { (host) throws in
      var generator = SystemRandomNumberGenerator()
      let bytes = (0..<(10 << 17)).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
      let outcome = try host.run("stack", "exec", "a", "cat", input: Data(bytes))
      #expect(outcome.status == 0)
      #expect(outcome.outputBytes == bytes)
    }
  }

  @Test func outputAndErrorsStayApart() throws {
    try withIdle { (host) throws in
      let outcome = try host.run("stack", "exec", "a", "sh", "-c", "echo out; echo err >&2")
      #expect(outcome.output == "out")
      #expect(outcome.errors == "err\n")
    }
  }

  @Test func aTerminalIsPassedOnAndRestored() throws {
    try withIdle { (host) throws in
      // script(1) gives the command a terminal of its own, as an emulator would.
      let inside = try host.succeed("script", "-qec", "stack exec a sh -c 'tty; stty size'", "/dev/null")
      #expect(inside.contains("/dev/pts/"), "\(inside)")
      let settings = try host.succeed(
        "script", "-qec", "stty rows 40 cols 100; stty -g; stack exec a stty size; stty -g", "/dev/null")
      // script(1) echoes the end of its own input as ^@ into the same line.
      let lines = settings.split(whereSeparator: \.isNewline).map { $0.drop { "^@".contains($0) } }
      #expect(lines.count == 3, "\(settings)")
      #expect(lines.first == lines.last, "the terminal's settings differ afterwards")
      #expect(lines.dropFirst().first?.hasSuffix("40 100") == true)
      #expect(try host.run("script", "-qec", "stack exec a sh -c 'exit 3'", "/dev/null").status == 3)
      #expect(try host.run("stack", "exec", "a", "tty").output == "not a tty")
    }
  }

  @Test func hostNameAndKindOfTerminalAreInTheEnvironment() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        services:
          a: {command: [sleep, infinity], hostname: front}
          t: {command: [sleep, infinity], tty: true}
          own: {command: [sleep, infinity], tty: true, environment: {TERM: dumb, HOSTNAME: mine}}
          host: {command: [sleep, infinity], uts: host}
        """, named: "x")
      func ofService(_ name: String) throws -> [Substring] {
        try host.succeed("cat", "/proc/\(host.field("PID", of: name, as: Int.self))/environ").split(separator: "\0")
      }
      func ofExec(_ service: String, _ environment: String) throws -> String {
        try host.succeed(
          "script", "-qec", "\(environment) stack exec \(service) sh -c 'echo $TERM.$HOSTNAME'", "/dev/null")
      }
      #expect(try ofService("a").contains("HOSTNAME=front"))
      #expect(try !ofService("a").contains { $0.hasPrefix("TERM=") })
      #expect(try Set(["HOSTNAME=t", "TERM=xterm"]).isSubset(of: ofService("t")))
      #expect(try Set(["HOSTNAME=mine", "TERM=dumb"]).isSubset(of: ofService("own")))
      #expect(try ofService("host").contains("HOSTNAME=\(host.succeed("uname", "-n"))"[...]))
      #expect(try ofExec("a", "TERM=screen").contains("screen.front"))
      #expect(try ofExec("t", "TERM=screen").contains("screen.t"))
      #expect(try ofExec("a", "env -u TERM").contains("xterm.front"))
      #expect(try ofExec("own", "TERM=screen").contains("dumb.mine"))
      #expect(try host.succeed("stack", "exec", "t", "sh", "-c", "echo ${TERM-none}.$HOSTNAME") == "none.t")
      // None of it makes a service differ from its file.
      #expect(try host.succeed("stack", "up", "x.stack").contains("created") == false)
    }
  }

  /// The command has closed its terminal and lives on: ctrl-c is a signal to the caller again, and passed on.
  @Test func keysAreSignalsOnceTheTerminalIsClosed() throws {
    try withIdle { (host) throws in
      try host.write(
        """
        import os, pty, subprocess, sys, termios, time
        child, terminal = pty.fork()
        if child == 0:
            os.execvp("stack", ["stack", "exec", "a", "sh", "-c", "until [ -e /go ]; do sleep 0.05; done; exec sleep 1000 <&- >&- 2>&-"])
        end = time.monotonic() + 20
        seen = False
        while time.monotonic() < end:
            if os.waitpid(child, os.WNOHANG)[0]:
                break
            raw = not termios.tcgetattr(terminal)[3] & termios.ISIG
            if raw and not seen:
                seen = True
                subprocess.run(["stack", "exec", "-T", "a", "touch", "/go"], stdin=subprocess.DEVNULL)
            elif seen and not raw:
                os.write(terminal, b"\\x03")
                print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
                sys.exit(0)
            time.sleep(0.001)
        print("it stays raw" if seen else "it was never raw")
        os.kill(child, 9)
        """, to: "keys.py")
      #expect(try host.succeed("python3", "keys.py") == "130")
    }
  }

  @Test func aSignalReachesTheCommand() throws {
    try withIdle { (host) throws in
      let command = try host.start(
        ["stack", "exec", "a", "sh", "-c", "trap 'echo caught; exit 7' TERM; echo ready; while :; do sleep 0.05; done"])
      #expect(host.eventually { command.output.contains("ready") })
      try host.signal(15, to: command)
      let outcome = try command.wait(limit: .seconds(60))
      #expect(outcome.output == "ready\ncaught")
      #expect(outcome.status == 7)
    }
  }

  @Test func theCommandIsInEveryNamespaceOfTheService() throws {
    try withIdle { (host) throws in
      let list =
        "readlink /proc/self/ns/mnt /proc/self/ns/uts /proc/self/ns/ipc /proc/self/ns/net /proc/self/ns/pid /proc/self/ns/cgroup"
      let ours = try host.succeed("stack", "exec", "a", "sh", "-c", list)
      let theirs = try host.inNamespaces(of: "a", "sh", "-c", list)
      #expect(ours == theirs)
    }
  }

  @Test func aHundredAtOnceLoseNoExitCode() throws {
    try withIdle { (host) throws in
      let script = """
        for n in $(seq 100); do ( stack exec a sh -c "exit $n"; [ $? = $n ] || echo "lost $n" ) & done; wait
        """
      #expect(try host.run("bash", "-c", script, limit: .seconds(60)).output == "")
    }
  }

  private func withIdle(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.up("name: x\nservices:\n  a:\n    command: [sleep, infinity]\n", named: "x")
      try body(host)
    }
  }
}
