import Testing

/// A service's command, its health check and `exec` run with the same rights, limits and surroundings, as the kernel shows them.
@Suite struct ProcessContextTests {
  /// A probe has a control group of its own, below the service's.
  private static let context = """
    id -u; id -G; pwd; umask
    env | grep -v -E '^(_|SHLVL|PWD|OLDPWD|TERM)=' | sort
    grep -E '^(Uid|Gid|Groups|Umask|Cap|NoNewPrivs|Seccomp)' /proc/self/status
    cat /proc/self/limits /proc/self/oom_score_adj
    sed 's,/probe\\..*,/,' /proc/self/cgroup
    for kind in cgroup ipc mnt net pid time user uts; do readlink /proc/self/ns/$kind; done

    """

  @Test(arguments: [
    "user: '33:44', group_add: ['55'], working_dir: /srv, cap_add: [NET_ADMIN], cap_drop: [CHOWN]",
    "ulimits: {nofile: {soft: 77, hard: 88}, core: 0}, oom_score_adj: 7, time_offset: 1h, environment: {A: b}",
    "userns_mode: host, security_opt: ['no-new-privileges:false', 'seccomp:unconfined']",
    "privileged: true, pid: host, ipc: host, uts: host",
    "init: false, read_only: true, tmpfs: [/out]",
  ])
  func allProcessesOfAServiceHaveOneContext(_ keys: String) throws {
    try ThrowawayHost.with { host in
      try host.write(Self.context, to: "bin/context")
      try host.up(
        """
        services:
          a: {
            command: [sh, -c, "sh /mine/context > /tmp/started; exec sleep infinity"], volumes: ["./bin:/mine:ro"],
            healthcheck: {test: "sh /mine/context > /tmp/new && mv /tmp/new /tmp/probed", interval: 100ms}, \(keys)}
        """, named: "x")
      let started = try host.succeed("stack", "exec", "-T", "a", "cat", "/tmp/started")
      #expect(started.contains("CapEff:") && started.contains("Max open files") && started.contains("time:["))
      #expect(try host.succeed("stack", "exec", "-T", "a", "cat", "/tmp/probed") == started)
      #expect(try host.succeed("stack", "exec", "-T", "a", "sh", "/mine/context") == started)
      #expect(
        try host.run("stack", "exec", "-T", "-d", "a", "sh", "-c", "sh /mine/context > /tmp/detached").status == 0)
      #expect(
        try host.eventually { try host.run("stack", "exec", "-T", "a", "cat", "/tmp/detached").output == started })
    }
  }
}
