import Testing

/// Processes in a service cannot reach the host's program through /proc/PID/exe or through inherited descriptors.
extension EscapeTests {
  /// The ways to have root of the host's users inside. The last shares them with the first, by its processes.
  private static let withHostUsers = """
    name: x
    services:
      users: {command: [sleep, infinity], userns_mode: host}
      network: {command: [sleep, infinity], network_mode: host}
      processes: {command: [sleep, infinity], pid: host}
      memory: {command: [sleep, infinity], ipc: host}
      privileged: {command: [sleep, infinity], privileged: true}
      tracer: {command: [sleep, infinity], userns_mode: host, cap_add: [SYS_PTRACE]}
      bare: {command: [sleep, infinity], userns_mode: host, init: false}
      joined: {command: [sleep, infinity], pid: "service:users"}

    """

  /// Changes, for at most so many seconds, what each process's exe leads to, and says what came of it for the first program called
  /// stack. To be written to it must not be running, so what is asked is whether its mount is read-only.
  private static let thief = """
    import errno, os, sys, time
    end = time.monotonic() + float(sys.argv[1])
    while time.monotonic() < end:
        for pid in os.listdir("/proc"):
            if not pid.isdigit() or pid == str(os.getpid()):
                continue
            exe = "/proc/%s/exe" % pid
            try:
                if not os.readlink(exe).endswith("/stack"):
                    continue
                os.chmod(exe, os.stat(exe).st_mode & 0o7777)
                print("changed")
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.ESRCH, errno.EACCES):
                    continue
                print(errno.errorcode[error.errno])
            sys.exit()

    """

  /// CVE-2019-5736: the command is a script whose interpreter is what executes it. The moments before and after, drawn out.
  @Test(arguments: ["users", "network", "processes", "memory", "privileged", "tracer", "bare", "joined"])
  func execLendsNobodyTheHostsProgram(_ service: String) throws {
    try ThrowawayHost.with { host in
      try host.write(Self.thief, to: "thief.py")
      try host.up(Self.withHostUsers, named: "x")
      try host.succeed("stack", "cp", "thief.py", "\(service):/thief.py")
      try host.succeed(
        "stack", "exec", "-T", service, "sh", "-c", "printf '#!/proc/self/exe\\n' >/run/me; chmod 755 /run/me")
      let looking = try host.start(["stack", "exec", "-T", service, "python3", "/thief.py", "30"])
      let entering = try host.run(
        "strace", "-f", "-o", "/dev/null", "-e", "trace=execve", "-e",
        "inject=execve:delay_enter=1000000:delay_exit=1000000", "stack", "exec", "-T", service, "/run/me")
      let seen = try looking.wait(limit: .seconds(60)).output
      #expect(seen == "EROFS", "\(service): \(seen) \(entering)")
    }
  }

  /// The same by health checks, which the supervisor runs, and by a command without stack-init, which it starts.
  @Test func theSupervisorLendsNobodyItsProgram() throws {
    try ThrowawayHost.with { host in
      try host.write(Self.thief, to: "thief.py")
      try host.up(
        """
        name: x
        services:
          sick:
            command: [sh, -c, "printf '#!/bin/true\\\\n' >/run/me; chmod 755 /run/me; exec sleep infinity"]
            userns_mode: host
            healthcheck: {test: [CMD, /run/me], interval: 50ms, timeout: 2s, start_period: 60s, start_interval: 50ms}
          spy: {command: [sleep, infinity], privileged: true, pid: "service:sick"}

        """, named: "x")
      try host.succeed("stack", "cp", "thief.py", "spy:/thief.py")
      let supervisor = try host.succeed("pgrep", "-f", "^stack supervise x")
      #expect(try host.succeed("readlink", "/proc/\(supervisor)/exe") == "\(Repository.binaryFolder)/stack")
      #expect(try host.run("chmod", "u+x", "/proc/\(supervisor)/exe").errors.contains("Read-only"))
      try host.succeed("stack", "exec", "-T", "sick", "sh", "-c", "echo '#!/proc/self/exe wait' >/run/me")
      #expect(try host.succeed("stack", "exec", "-T", "spy", "python3", "/thief.py", "30") == "EROFS")
    }
  }

  /// The mount that makes it read-only is in no namespace: no capability changes it, or makes another of it.
  @Test func nobodyMakesItWritable() throws {
    try ThrowawayHost.with { host in
      try host.up("name: x\nservices: {a: {command: [sleep, infinity], privileged: true}}\n", named: "x")
      // mount_setattr(2) without MOUNT_ATTR_RDONLY, and open_tree(2) with OPEN_TREE_CLONE.
      let program = """
        import ctypes, os, struct
        c = ctypes.CDLL(None, use_errno=True)
        exe = os.open("/proc/1/exe", os.O_PATH)
        def call(number, *arguments):
            ctypes.set_errno(0)
            return c.syscall(number, *arguments) >= 0
        clear = ctypes.create_string_buffer(struct.pack("QQQQ", 0, 1, 0, 0))
        print(call(442, exe, b"", 0x1000, clear, 32), call(428, exe, b"", 0x1001))
        try:
            os.chmod("/proc/1/exe", 0o755); print("changed")
        except OSError as error:
            print(error.strerror)
        """
      #expect(
        try host.succeed("stack", "exec", "-T", "a", "python3", "-c", program) == "False False\nRead-only file system")
    }
  }

  /// A service replaces its /dev/null by a link to a descriptor of whoever opens it: health checks, `exec -d`, and an exec whose
  /// caller has closed his own 0, 1 and 2 read nothing of the service's making.
  @Test func theServicesNullDeviceIsNobodyElses() throws {
    try ThrowawayHost.with { host in
      let lists = "for n in 0 1 2; do readlink /proc/self/fd/$n; done"
      try host.write("\(lists) >>/run/got\n", to: "check.sh")
      try host.up(
        """
        name: x
        services:
          a:
            command: [sleep, infinity]
            userns_mode: host
            volumes: ["./check.sh:/check.sh:ro"]
            healthcheck: {test: [CMD, sh, /check.sh], interval: 50ms, start_period: 60s, start_interval: 50ms}

        """, named: "x")
      let lure = """
        for n in $(seq 3 40); do ln -sf /proc/self/fd/$n /dev/link; mv -f /dev/link /dev/null; sleep 0.06; done
        """
      try host.succeed("stack", "exec", "-T", "a", "sh", "-c", lure)
      for number in [5, 6, 7, 9, 12, 15] {
        try host.succeed("stack", "exec", "-T", "a", "ln", "-sf", "/proc/self/fd/\(number)", "/dev/null")
        try host.succeed("stack", "exec", "-d", "a", "sh", "-c", "\(lists) >>/run/got")
        try host.succeed("bash", "-c", "stack exec -T a sh -c '\(lists) >>/run/got' <&- >&- 2>&-")
      }
      #expect(try host.eventually { try host.run("stack", "exec", "-T", "a", "pgrep", "-f", "run/got").status != 0 })
      let got = try host.succeed("stack", "exec", "-T", "a", "sort", "-u", "/run/got").split(separator: "\n")
      #expect(got.contains("/dev/null"))
      // The file that a script writes its list to is its own 1.
      #expect(got.allSatisfy { $0 == "/dev/null" || $0.hasPrefix("pipe:") || $0 == "/run/got" }, "\(got)")
    }
  }

  /// Named volumes keep the service's root as root, set-user-ID programs too: no other user of the host gets there.
  @Test func namedVolumesAreClosedToOtherUsers() throws {
    try ThrowawayHost.with { host in
      // As an earlier version, or somebody else, has left it.
      try host.succeed("sh", "-c", "mkdir -p /var/lib/stack/x/volumes && chmod 755 /var/lib/stack /var/lib/stack/x")
      try host.up(
        "name: x\nservices: {a: {command: [sleep, infinity], volumes: [\"v:/v\"]}}\nvolumes: {v: {}}\n", named: "x")
      try host.succeed(
        "stack", "exec", "-T", "a", "sh", "-c", "cp /usr/bin/id /v/id; chmod 4755 /v/id; echo secret >/v/text")
      for command in ["/var/lib/stack/x/volumes/v/id", "cat /var/lib/stack/x/volumes/v/text", "ls /var/lib/stack"] {
        let outcome = try host.run("su", "-s", "/bin/sh", "nobody", "-c", command)
        #expect(outcome.status != 0 && outcome.errors.contains("Permission denied"), "\(outcome)")
      }
      #expect(try host.succeed("stat", "-c", "%a", "/var/lib/stack", "/var/lib/stack/x") == "700\n700")
      // Nor do they run as root's for who has the right to go there but is not root. In the service they do what they are for.
      let keepingRights = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--inh-caps=-all"]
      #expect(
        try !host.start(keepingRights + ["/var/lib/stack/x/volumes/v/id"]).wait(limit: .seconds(60)).output.contains(
          "euid"))
      #expect(try !host.succeed("stack", "exec", "-T", "a", "grep", " /v ", "/proc/mounts").contains("nosuid"))
    }
  }
}
