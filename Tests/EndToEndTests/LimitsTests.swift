import Testing

/// Resource limits of services, read from the kernel's files and tried from inside.
@Suite struct LimitsTests {
  /// The content of a file of the service's cgroup, in cgroup v1 or v2.
  private func file(_ name: String, of service: String, _ host: ThrowawayHost) throws -> String {
    try host.succeed("sh", "-c", "cat $(find /sys/fs/cgroup -path '*/stack/x/\(service)/\(name)')")
  }

  @Test func limitsAreSetAndGoneAgain() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(
        """
        name: x
        services:
          plain: {command: [sleep, infinity]}
          small:
            command: [sleep, infinity]
            mem_limit: 64m
            cpus: 0.5
            cpuset: "0"
            pids_limit: 30
          free: {command: [sleep, infinity], pids_limit: -1, deploy: {resources: {limits: {memory: 32M}}}}

        """, named: "x")
      #expect(try file("pids.max", of: "plain", host) == "2048")
      #expect(try file("pids.max", of: "small", host) == "30")
      #expect(try file("pids.max", of: "free", host) == "max")
      #expect(try file("memory.[lm]*[xt_][_i]*", of: "small", host).contains("67108864"))
      #expect(try file("cpuset.cpus", of: "small", host) == "0")
      let inside = try host.succeed("stack", "exec", "-T", "small", "sh", "-c", "grep Cpus_allowed_list /proc/1/status")
      #expect(inside.hasSuffix("\t0"))
      // An exec'd command counts as well, and a restart changes nothing.
      try host.succeed("stack", "restart", "small")
      let bomb = "for i in $(seq 60); do sleep 9 & done; wait"
      #expect(try host.run("stack", "exec", "-T", "small", "sh", "-c", bomb).errors.contains("fork"))
      #expect(
        try host.run("stack", "exec", "-T", "plain", "sh", "-c", "for i in $(seq 60); do sleep 0 & done; wait").status
          == 0)
      try host.succeed("stack", "down", "x")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aLimitThatCannotBeSetIsAnErrorAndLeavesNothing() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write("name: x\nservices: {a: {command: [sleep, infinity], cpuset: \"4000\"}}\n", to: "x.stack")
      let outcome = try host.run("stack", "up", "x.stack")
      #expect(outcome.status == 1)
      #expect(outcome.errors.contains("cannot limit the processors of stack/x/a"))
      #expect(outcome.errors.contains("this host has the processors 0"))
      try host.expectUnchanged(since: before)
    }
  }

  /// In a container of others the groups may not be ours to make.
  @Test func whereThereAreNoGroupsServicesRunWithoutLimits() throws {
    try ThrowawayHost.with { host in
      try host.succeed(
        "sh", "-c", "for m in $(findmnt -rno TARGET -t cgroup,cgroup2); do mount -o remount,bind,ro $m; done")
      try host.write(
        "name: x\nservices: {a: {command: [sleep, infinity]}, b: {command: [sleep, infinity]}}\n", to: "x.stack")
      let outcome = try host.run("stack", "up", "x.stack")
      #expect(outcome.status == 0, "\(outcome)")
      let warnings = outcome.errors.split(separator: "\n").filter { $0.contains("have neither limits nor filters") }
      #expect(warnings.count == 1, "\(outcome)")
      try host.succeed("stack", "exec", "-T", "a", "true")
      try host.succeed("stack", "down", "x")
      try host.write("name: x\nservices: {a: {command: [sleep, infinity], mem_limit: 64m}}\n", to: "x.stack")
      let refused = try host.run("stack", "up", "x.stack")
      #expect(refused.status == 1 && refused.errors.contains("cannot limit the memory of stack/x/a"), "\(refused)")
    }
  }
}
