import Testing

/// Kernel settings of single services, read from inside.
@Suite struct SettingsTests {
  private func inside(_ service: String, _ script: String, _ host: ThrowawayHost) throws -> String {
    try host.succeed("stack", "exec", "-T", service, "sh", "-c", script)
  }

  @Test func limitsOfProcesses() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        services:
          a:
            command: [sh, -c, "ulimit -n > /tmp/files; exec sleep infinity"]
            ulimits: {nofile: {soft: 40, hard: 50}, core: 0}
            oom_score_adj: 500
            healthcheck: {test: "cat /proc/self/oom_score_adj > /tmp/score", interval: 1s}
            shm_size: 8m
            group_add: [audio, "4321"]
            sysctls: {net.core.somaxconn: 77, kernel.shmmni: "99"}

        """, named: "x")
      #expect(try inside("a", "cat /tmp/files", host) == "40")
      #expect(try inside("a", "ulimit -Sn; ulimit -Hn; ulimit -c", host) == "40\n50\n0")
      #expect(try inside("a", "cat /proc/1/oom_score_adj /proc/self/oom_score_adj /tmp/score", host) == "500\n500\n500")
      #expect(try inside("a", "df -k /dev/shm | tail -1", host).contains(" 8192 "))
      let groups = try inside("a", "id -G; grep Groups /proc/1/status", host)
      #expect(groups.split(separator: "\n").allSatisfy { $0.contains("4321") && $0.contains("29") }, "\(groups)")
      #expect(try inside("a", "cat /proc/sys/net/core/somaxconn /proc/sys/kernel/shmmni", host) == "77\n99")
      #expect(try host.succeed("cat", "/proc/sys/net/core/somaxconn", "/proc/sys/kernel/shmmni") != "77\n99")
    }
  }

  @Test func devices() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: x
        services:
          plain: {command: [sleep, infinity], cap_add: [MKNOD]}
          given: {command: [sleep, infinity], userns_mode: host, devices: ["/dev/kmsg:/dev/log/kernel:r"], cap_add: [SYSLOG]}
          ruled: {command: [sleep, infinity], userns_mode: host, cap_add: [MKNOD], device_cgroup_rules: ["c 1:11 rwm"]}
          privileged: {command: [sleep, infinity], privileged: true}

        """, named: "x")
      let use = "mknod /dev/kernel c 1 11 && : > /dev/kernel"
      let refused = try host.run("stack", "exec", "-T", "plain", "sh", "-c", use)
      #expect(refused.status != 0 && refused.errors.contains("Operation not permitted"), "\(refused)")
      for service in ["ruled", "privileged"] {
        let outcome = try host.run("stack", "exec", "-T", service, "sh", "-c", use)
        #expect(outcome.status == 0, "\(service): \(outcome)")
      }
      #expect(try host.run("stack", "exec", "-T", "given", "sh", "-c", ": < /dev/log/kernel").status == 0)
      let written = try host.run("stack", "exec", "-T", "given", "sh", "-c", "echo x > /dev/log/kernel")
      #expect(written.status != 0 && written.errors.contains("not permitted"), "\(written)")
      for device in ["null", "zero", "full", "random", "urandom", "tty", "ptmx"] {
        #expect(try host.run("stack", "exec", "-T", "plain", "test", "-c", "/dev/\(device)").status == 0)
      }
      #expect(try inside("plain", "head -c 4 /dev/urandom | wc -c; echo > /dev/null", host) == "4")
    }
  }

  @Test func sharedNamespaces() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(
        """
        name: x
        services:
          debug: {command: [sh, -c, "sleep 3001 & sleep infinity"], ipc: "service:a", pid: "service:a"}
          a: {command: [sleep, infinity]}
          hosts: {command: [sh, -c, "setsid sleep 3002 & sleep infinity"], ipc: host, pid: host, uts: host}

        """, named: "x")
      _ = try inside("a", "echo shared > /dev/shm/file; ipcmk -Q", host)
      #expect(try inside("debug", "cat /dev/shm/file", host) == "shared")
      for kind in ["ipc", "pid"] {
        let place = "readlink /proc/self/ns/\(kind)"
        #expect(try inside("debug", place, host) == inside("a", place, host))
        #expect(try inside("hosts", place, host) == host.succeed("readlink", "/proc/self/ns/\(kind)"))
      }
      #expect(try inside("debug", "ls -d /proc/[0-9]* | wc -l", host) != "0")
      #expect(try inside("hosts", "hostname", host) == "throwaway")
      #expect(try inside("debug", "hostname", host) == "debug")
      // Without a process 1 of their own, their processes end with them all the same.
      try host.succeed("stack", "stop", "-t", "0", "hosts", "debug")
      #expect(try host.eventually { try host.run("pgrep", "-f", "sleep 300[12]").status == 1 })
      #expect(try host.field("State", of: "a") == "running")
      try host.succeed("stack", "down", "x")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func clocksOfItsOwn() throws {
    try ThrowawayHost.with { host in
      try host.up(
        "name: x\nservices: {a: {command: [sleep, infinity], time_offset: 400d}, b: {command: [sleep, infinity]}}\n",
        named: "x")
      let uptime = "cut -d. -f1 /proc/uptime"
      #expect(try #require(Int(try inside("a", uptime, host))) > 400 * 86_400)
      #expect(try #require(Int(try inside("b", uptime, host))) < 399 * 86_400)
    }
  }

  @Test func controlGroupsCanBeReadAndNotWritten() throws {
    try ThrowawayHost.with { host in
      try host.up("name: x\nservices: {a: {command: [sleep, infinity], pids_limit: 33}}\n", named: "x")
      #expect(try inside("a", "cat $(find /sys/fs/cgroup -name pids.max)", host) == "33")
      #expect(try inside("a", "find /sys/fs/cgroup -name web -o -name stack", host) == "")
      let write = "for f in $(find /sys/fs/cgroup -name pids.max -o -name cgroup.procs); do echo 9 > $f; done"
      let outcome = try host.run("stack", "exec", "-T", "a", "sh", "-c", write)
      #expect(outcome.errors.contains("Read-only file system"))
    }
  }
}
