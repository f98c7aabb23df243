import Foundation
import Testing

/// `post_start` and `pre_stop`: commands in the service around its life.
@Suite struct HookTests {
  @Test func hooksRunAroundTheServicesLife() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      let file = """
        name: t
        services:
          r1:
            command: [sleep, infinity]
            forward: true
            environment: {WHERE: out}
            volumes: ["./out:/out"]
            post_start:
              - command: [ip, route, replace, 10.9.0.0/24, dev, eth0]
              - command: [sh, -c, "echo start $$WHERE $$PWD >>/out/log; sleep 1000 >/dev/null 2>&1 &"]
                working_dir: /srv
            pre_stop:
              - command: [sh, -c, "echo stop >>/out/log; exit 3"]
              - command: [sh, -c, "echo never >>/out/log"]
        """
      try host.up(file, named: "t")
      #expect(try host.inside("r1", "ip route show 10.9.0.0/24").contains("dev eth0"))
      #expect(try host.succeed("stack", "top", "t/r1").contains("sleep 1000"), "what a hook leaves running stays")
      let outcome = try host.run("stack", "restart", "r1")
      #expect(outcome.status == 0 && outcome.errors.contains("exited with code 3"), "\(outcome)")
      #expect(try host.succeed("cat", "out/log") == "start out /srv\nstop\nstart out /srv")
      try host.succeed("stack", "down", "t")
      #expect(try host.succeed("tail", "-1", "out/log") == "stop")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aFailedPostStartUndoesUp() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.write(
        """
        name: t
        services:
          a: {command: [sleep, infinity], post_start: [{command: [sh, -c, "echo no such thing; exit 7"]}]}
        """, to: "t.stack")
      let outcome = try host.run("stack", "up", "t.stack")
      #expect(outcome.status != 0)
      #expect(
        outcome.errors.contains("t/a: post_start `sh -c echo no such thing; exit 7` exited with code 7"), "\(outcome)")
      #expect(outcome.errors.contains("no such thing"))
      try host.expectUnchanged(since: before)
    }
  }
}
