import Glibc
import Testing

/// Other processes, sockets, terminals and cgroups within reach.
extension EscapeTests {
  private static let services = """
    name: x
    services:
      a: {command: [sleep, infinity]}
      tracer: {command: [sleep, infinity], userns_mode: host, cap_add: [SYS_PTRACE]}
      admin: {command: [sleep, infinity], userns_mode: host, cap_add: [SYS_ADMIN], security_opt: ["seccomp:unconfined"]}
      privileged: {command: [sleep, infinity], privileged: true}
      open: {command: [sleep, infinity], volumes: ["/run/stack:/stacks"]}

    """

  private func withServices(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.up(Self.services, named: "x")
      try body(host)
    }
  }

  /// Fault case 6: what CVE-2022-0492 takes, on every hierarchy that there is.
  @Test func releaseAgentsAreOutOfReach() throws {
    try withServices { (host) throws in
      #expect(try host.succeed("stack", "exec", "-T", "a", "find", "/sys/fs/cgroup", "-name", "release_agent") == "")
      let write =
        "for f in $(find /sys/fs/cgroup -name notify_on_release -o -name cgroup.procs -o -name tasks); do "
        + "echo 1 > $f && echo written; done; :"
      let outcome = try host.run("stack", "exec", "-T", "a", "sh", "-c", write)
      #expect(!outcome.output.contains("written") && outcome.errors.contains("Read-only file system"), "\(outcome)")
      let controllers = try host.succeed(
        "sh", "-c", "findmnt -rno FS-OPTIONS -t cgroup | tr , '\\n' | grep -E '^(pids|memory|cpu|blkio)$' || :")
      for controller in controllers.split(separator: "\n") {
        let mount = "mkdir -p /tmp/c && mount -t cgroup -o \(controller) none /tmp/c"
        #expect(try host.run("stack", "exec", "-T", "a", "sh", "-c", mount).status != 0)
        // With the right to, it is done, and shows no more than the service itself.
        let admin = try host.run("stack", "exec", "-T", "admin", "sh", "-c", mount + " && ls /tmp/c; umount /tmp/c")
        #expect(admin.output.contains("cgroup.procs") && !admin.output.contains("release_agent"), "\(admin)")
      }
      #expect(try host.succeed("stack", "exec", "-T", "privileged", "sh", "-c", write).contains("written"))
    }
  }

  /// Fault case 9: the moment before a command that joins a service is executed, drawn out.
  @Test func whatEntersCannotBeLookedIntoBeforeItRuns() throws {
    try withServices { (host) throws in
      for (service, isSeen) in [("a", false), ("tracer", true)] {
        // The second call: the first is that of `stack` itself.
        let entering = try host.start([
          "strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=execve", "-e",
          "inject=execve:delay_enter=4000000:when=1",
          "stack", "exec", "-T", service, "sleep", "0.1",
        ])
        let look =
          "for i in $(seq 400); do for p in /proc/[0-9]*; do [ \"$(cat $p/comm 2>/dev/null)\" = stack ] && "
          + "{ ls -l $p/fd/ 2>&1; readlink $p/exe; exit 0; }; done; sleep 0.02; done; echo nothing entered"
        let seen = try host.run("stack", "exec", "-T", service, "sh", "-c", look)
        _ = try entering.wait(limit: .seconds(60))
        if isSeen {
          #expect(seen.output.contains("->"), "\(seen)")
        } else {
          #expect(!seen.output.contains("->") && seen.output.contains("denied"), "\(seen)")
        }
      }
    }
  }

  /// A new service's process shares the supervisor's memory until execve(2). Here that moment is made longer.
  ///
  /// A service in the host's pid namespace sees the process meanwhile. Opening its memory needs SYS_PTRACE.
  @Test func theSupervisorsMemoryIsOutOfReach() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        services:
          plain: {command: [sleep, infinity], userns_mode: host}
          mapped: {command: [sleep, infinity]}
          spy: {command: [sleep, infinity], pid: host}
          tracer: {command: [sleep, infinity], pid: host, cap_add: [SYS_PTRACE]}

        """, named: "x")
      let supervisor = try host.succeed("pgrep", "-f", "^stack supervise x")
      // All that run the program of the supervisor, and so what it makes too: which of them can be opened?
      let look = """
        import glob, os, time
        print("looking", flush=True)
        seen, opened = set(), set()
        end = time.monotonic() + 30
        while time.monotonic() < end and not os.path.exists("/enough"):
            for folder in glob.glob("/proc/[0-9]*"):
                try:
                    if not open(folder + "/cmdline").read().startswith("stack\\0supervise\\0"):
                        continue
                    seen.add(folder)
                    open(folder + "/mem", "r+b").close()
                    opened.add(folder)
                except OSError:
                    pass
            time.sleep(0.01)
        print(len(seen), len(opened), "supervisor" if "/proc/\(supervisor)" in opened else "")
        """
      for (service, isOpen) in [("spy", false), ("tracer", true)] {
        let drawnOut = try host.start([
          "timeout", "-s", "INT", "60", "strace", "-f", "-o", "/dev/null", "-e", "trace=execveat", "-e",
          "inject=execveat:delay_enter=1000000", "-p", supervisor,
        ])
        let looking = try host.start(["stack", "exec", "-T", service, "python3", "-c", look])
        // Each thread is traced, and somebody looks.
        let isTraced = "[ -z \"$(grep -hs 'TracerPid:.0$' /proc/\(supervisor)/task/*/status)\" ]"
        #expect(
          try host.eventually {
            try host.run("sh", "-c", isTraced).status == 0 && looking.output.hasPrefix("looking")
          })
        try host.succeed("stack", "restart", "-t", "0", "-s", "x", "plain", "mapped")
        try host.succeed("stack", "exec", "-T", service, "touch", "/enough")
        let seen = try looking.wait(limit: .seconds(60))
        try host.signal(2, to: drawnOut)
        _ = try drawnOut.wait(limit: .seconds(60))
        let counts = (seen.lines.last ?? "").split(separator: " ").prefix(2).compactMap { Int($0) }
        try #require(counts.count == 2, "\(seen)")
        #expect(counts[0] > 1, "what is being made is to be seen: \(seen)")
        #expect(isOpen ? counts[1] > 1 && seen.output.hasSuffix("supervisor") : counts[1] == 0, "\(service): \(seen)")
      }
    }
  }

  /// Fault case 10.
  @Test func theSupervisorIsOutOfReach() throws {
    try withServices { (host) throws in
      let socket = "/run/stack/x/control.sock"
      try host.succeed("test", "-S", socket)
      let find = ["find", "/", "-xdev", "-name", "control.sock"]
      #expect(try host.start(["stack", "exec", "-T", "a"] + find).wait(limit: .seconds(60)).output == "")
      #expect(try host.succeed("stack", "exec", "-T", "a", "cat", "/proc/net/unix").split(separator: "\n").count <= 1)
      // None is abstract, which every process of a network namespace could reach.
      #expect(try !host.succeed("cat", "/proc/net/unix").contains("@stack"))
      func connect(to path: String) -> String {
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('\(path)'); print('connected')"
      }
      let nobody = try host.run("setpriv", "--reuid", "65534", "--clear-groups", "python3", "-c", connect(to: socket))
      #expect(nobody.status != 0 && nobody.errors.contains("PermissionError"), "\(nobody)")
      // Given the folder, a service's root is as good as the host's.
      let given = try host.run("stack", "exec", "-T", "open", "python3", "-c", connect(to: "/stacks/x/control.sock"))
      #expect(given.output == "connected", "\(given)")
    }
  }

  /// Fault case 11: a command may not type into the terminal that it was called from.
  @Test func nothingIsTypedIntoTheCallersTerminal() throws {
    try withServices { (host) throws in
      try host.write(
        """
        import fcntl, sys, termios
        for character in "INJECTED\\n":
            try:
                fcntl.ioctl(0, termios.TIOCSTI, character.encode())
            except OSError:
                break
        """, to: "type.py")
      try host.succeed("sh", "-c", "stack exec -T a sh -c 'cat > /tmp/type.py' < type.py")
      // Runs its argument in a terminal of its own, on which nobody types.
      try host.write(
        """
        import os, pty, sys
        child, terminal = pty.fork()
        if child == 0:
            os.execvp("sh", ["sh", "-c", sys.argv[1]])
        try:
            while os.read(terminal, 4096):
                pass
        except OSError:
            pass
        os.waitpid(child, 0)
        """, to: "terminal.py")
      // What was typed is what a program that reads the terminal afterwards gets.
      func typed(by command: String) throws -> Bool {
        try host.succeed("python3", "terminal.py", "\(command); timeout --foreground 1 cat > typed; :")
        return try host.succeed("cat", "typed").contains("INJECTED")
      }
      #expect(try !typed(by: "stack exec a python3 /tmp/type.py"))
      #expect(try !typed(by: "stack exec -T a python3 /tmp/type.py"))
      #expect(try typed(by: "python3 type.py"))
    }
  }
}
