import Testing

/// Ways out of a service, tried from inside as its root: each is refused, and each works, or fails for another reason, once
/// its defence is switched off.
@Suite struct EscapeTests {
  /// Makes system call `number` (x86-64's) from inside `service` and answers its errno; 0 when it succeeds.
  private func errno(
    of number: Int, _ arguments: [Int], in service: String, _ host: ThrowawayHost
  ) throws -> Int? {
    let list = ([number] + arguments).map { "ctypes.c_long(\($0))" }.joined(separator: ", ")
    let program =
      "import ctypes; c = ctypes.CDLL(None, use_errno=True); r = c.syscall(\(list)); "
      + "print(ctypes.get_errno() if r < 0 else 0, flush=True)"
    return Int(try host.succeed("stack", "exec", "-T", service, "python3", "-c", program))
  }

  private static let services = """
    name: x
    services:
      confined: {command: [sleep, infinity]}
      unfiltered: {command: [sleep, infinity], security_opt: ["seccomp:unconfined"]}
      admin: {command: [sleep, infinity], cap_add: [SYS_ADMIN, BPF]}
      privileged: {command: [sleep, infinity], privileged: true}

    """

  private func withServices(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.up(Self.services, named: "x")
      try body(host)
    }
  }

  @Test func servicesAreConfinedByDefault() throws {
    try withServices { (host) throws in
      for file in ["/proc/1/status", "/proc/2/status", "/proc/self/status"] {
        let status = try host.succeed("stack", "exec", "confined", "cat", file)
        #expect(status.contains("CapEff:\t00000000800425fb"))
        #expect(status.contains("CapBnd:\t00000000800425fb"))
        #expect(status.contains("NoNewPrivs:\t1"))
        #expect(status.contains("Seccomp:\t2"))
      }
      let status = try host.succeed("stack", "exec", "--privileged", "confined", "cat", "/proc/self/status")
      #expect(status.contains("Seccomp:\t0") && !status.contains("CapEff:\t00000000800425fb"))
    }
  }

  #if arch(x86_64)
    /// Fault case 8. EPERM is 1, ENOSYS 38.
    @Test func systemCallsAreRefused() throws {
      try withServices { (host) throws in
        let (newUser, invalid) = (0x1000_0000, 22)
        for (number, arguments, refusal) in [
          (272, [newUser], 1), (308, [-1, 0], 1), (56, [newUser | 17, 0], 1), (435, [0, 0], 38),
          (165, [0, 0, 0, 0, 0], 1),
          (321, [0, 0, 0], 1), (425, [1, 0], 1), (248, [0, 0, 0, 0, 0], 1), (250, [99, 0, 0], 1), (323, [-1], 1),
          (41, [38, 5, 0], 1), (41, [40, 1, 0], 1), (600, [], 38),
        ] {
          let answer = try errno(of: number, arguments, in: "confined", host)
          #expect(answer == refusal, "system call \(number) \(arguments): \(String(describing: answer))")
        }
        // The filter, not the kernel, has refused these: without it each gets further.
        #expect(try errno(of: 308, [-1, 0], in: "unfiltered", host) == 9)
        #expect(try errno(of: 435, [0, 0], in: "unfiltered", host) == invalid)
        #expect(try errno(of: 323, [-1], in: "unfiltered", host) == invalid)
        #expect(try errno(of: 425, [0, 0], in: "unfiltered", host) != 1)
        #expect(try errno(of: 308, [-1, 0], in: "admin", host) == 9)
        #expect(try errno(of: 435, [0, 0], in: "admin", host) == invalid)
        // What servers need goes on.
        for family in [1, 2, 16, 17] {
          #expect(try errno(of: 41, [family, family == 2 ? 1 : 3, 0], in: "confined", host) != 1)
        }
        #expect(try errno(of: 452, [-1, 0, 0, 0], in: "confined", host) != 1)
      }
    }
  #endif

  /// Fault case 7.
  @Test func kernelSettingsCannotBeWritten() throws {
    try withServices { (host) throws in
      let write = "echo > /proc/sys/kernel/domainname"
      #expect(try host.run("stack", "exec", "confined", "sh", "-c", write).errors.contains("Read-only"))
      #expect(try host.run("stack", "exec", "confined", "mount", "-o", "remount,rw", "/proc/sys").status != 0)
      #expect(try host.run("stack", "exec", "confined", "umount", "/proc/kcore").status != 0)
      #expect(try host.run("stack", "exec", "confined", "sh", "-c", "echo h > /proc/sysrq-trigger").status != 0)
      #expect(try host.run("stack", "exec", "privileged", "sh", "-c", write).status == 0)
    }
  }

  /// Fault case 6, the first step of CVE-2022-0492: a hierarchy of one's own to write release_agent in.
  @Test func controlGroupsCannotBeMounted() throws {
    try withServices { (host) throws in
      let mount = ["mount", "-t", "tmpfs", "none", "/mnt"]
      #expect(try host.start(["stack", "exec", "confined"] + mount).wait(limit: .seconds(60)).status != 0)
      #expect(try host.start(["stack", "exec", "unfiltered"] + mount).wait(limit: .seconds(60)).status != 0)
      #expect(try host.start(["stack", "exec", "admin"] + mount).wait(limit: .seconds(60)).status == 0)
    }
  }

  @Test func devicesCannotBeMade() throws {
    try withServices { (host) throws in
      #expect(try host.run("stack", "exec", "confined", "mknod", "/tmp/mem", "c", "1", "1").status != 0)
      #expect(try host.run("stack", "exec", "privileged", "mknod", "/tmp/mem", "c", "1", "1").status == 0)
    }
  }

  @Test func healthChecksAreConfinedAsTheirService() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        services:
          a:
            command: [sleep, infinity]
            cap_drop: [ALL]
            healthcheck: {test: [CMD, sh, -c, "cat /proc/self/status > /tmp/status"], interval: 100ms}

        """, named: "x")
      #expect(try host.eventually { try host.run("stack", "exec", "a", "test", "-s", "/tmp/status").status == 0 })
      let status = try host.succeed("stack", "exec", "a", "cat", "/tmp/status")
      #expect(status.contains("CapBnd:\t0000000000000000"))
      #expect(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"))
    }
  }
}
