import Foundation
import Testing

/// What services use, standing still and going on, and running out of memory.
@Suite struct UsageTests {
  private static let services = """
    name: x
    services:
      busy: {command: [sh, -c, "while :; do :; done"], cpus: 0.5}
      idle: {command: [sleep, infinity], mem_limit: 64m}

    """

  private func stats(_ host: ThrowawayHost) throws -> [String: [String: Any]] {
    var found: [String: [String: Any]] = [:]
    for line in try host.succeed("stack", "stats", "--no-stream", "--format", "json").split(separator: "\n") {
      let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
      found[object["Name"] as? String ?? ""] = object
    }
    return found
  }

  @Test func statsAndTop() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.services, named: "x")
      let stats = try stats(host)
      let busy = try #require(stats["busy"]?["Processors"] as? Double)
      #expect(busy > 0.05 && busy < 0.9, "half a processor, on a machine that has other things to do")
      #expect(try #require(stats["idle"]?["Processors"] as? Double) < 0.05)
      #expect(stats["idle"]?["MemoryLimitBytes"] as? Int == 64 << 20)
      #expect(try #require(stats["idle"]?["MemoryBytes"] as? Int) > 0)
      #expect(stats["idle"]?["PIDs"] as? String == "2")
      // By the interfaces of the service, as ip shows them.
      try host.succeed(
        "stack", "exec", "-T", "idle", "sh", "-c", "ping -c 3 -i 0.1 busy >/dev/null 2>&1 || curl -s busy || :")
      let table = try host.succeed("stack", "stats", "--no-stream")
      #expect(
        table.hasPrefix("SERVICE") && table.contains("MEM USAGE / LIMIT") && table.contains("64.0MiB"), "\(table)")
      let top = try host.succeed("stack", "top", "idle")
      #expect(top.contains("sleep infinity") && top.contains("stack-init"), "\(top)")
    }
  }

  @Test func aPausedServiceStandsStillAndCanBeStopped() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.services, named: "x")
      try host.succeed("stack", "pause", "busy")
      #expect(try host.field("State", of: "busy") == "paused")
      #expect(try host.succeed("stack", "ps").contains("paused"))
      #expect(try #require(try stats(host)["busy"]?["Processors"] as? Double) == 0)
      let refused = try host.run("stack", "exec", "busy", "true")
      #expect(refused.status == 1 && refused.errors.contains("stack unpause x/busy"))
      try host.succeed("stack", "unpause", "busy")
      #expect(try host.field("State", of: "busy") == "running")
      #expect(try #require(try stats(host)["busy"]?["Processors"] as? Double) > 0.05)
      // Paused, and another that somebody else has frozen: both end by their stop signal.
      try host.succeed("stack", "pause", "busy")
      try host.succeed(
        "sh", "-c", "for f in $(find /sys/fs/cgroup -path '*stack/x/idle/cgroup.freeze'); do echo 1 > $f; done")
      let stopped = try host.run("stack", "stop", "-t", "20")
      #expect(stopped.status == 0 && stopped.duration < .seconds(15), "\(stopped)")
      try host.succeed("stack", "down", "x")
      try host.expectUnchanged(since: before)
    }
  }

  /// Fault case 28.
  @Test func runningOutOfMemoryIsSaid() throws {
    try ThrowawayHost.with { host in
      let eater = "dd if=/dev/zero of=/dev/null bs=200M count=1; sleep 0.1; exit 9"
      try host.up(
        "name: x\nservices: {a: {command: [sh, -c, \"sleep 1; \(eater)\"], mem_limit: 32m, memswap_limit: 32m}}\n",
        named: "x")
      #expect(try host.eventually { try host.succeed("stack", "ps", "-a").contains("out of memory") })
      let line = try host.succeed("stack", "ps", "-a", "--format", "json")
      #expect(line.contains("\"OOMKilled\":true"), "\(line)")
      #expect(try host.succeed("stack", "inspect", "a").contains("\"ranOutOfMemory\" : true"))
      try host.succeed("stack", "down", "x")
      // Before it was ready, it is why `up` fails.
      try host.write(
        "name: x\nservices: {a: {command: [sh, -c, \"\(eater)\"], expose: [\"80\"], mem_limit: 32m, memswap_limit: 32m}}\n",
        to: "x.stack")
      let failed = try host.run("stack", "up", "x.stack")
      #expect(failed.status == 1)
      #expect(failed.errors.contains("ran out of memory of 32.0MiB before it was ready"), "\(failed)")
      #expect(failed.errors.contains("raise its mem_limit"))
    }
  }
}
