import Foundation
import Testing

/// The resource usage of services, paused services, and services that run out of memory.
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

  private func processors(_ host: ThrowawayHost, _ service: String) throws -> Double {
    try #require(try stats(host)[service]?["Processors"] as? Double)
  }

  @Test func statsAndTop() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.services, named: "x")
      // How much of its half it gets is for the other work of the machine to decide.
      #expect(try host.eventually { try processors(host, "busy") > 0 })
      #expect(try host.eventually { try processors(host, "idle") == 0 })
      let stats = try stats(host)
      #expect(stats["idle"]?["MemoryLimitBytes"] as? Int == 64 << 20)
      #expect(try #require(stats["idle"]?["MemoryBytes"] as? Int) > 0)
      #expect(stats["idle"]?["PIDs"] as? String == "2")
      // Refused, but it was sent; and counted as the interface itself says.
      _ = try host.run("stack", "exec", "-T", "idle", "curl", "-s", "-m", "2", "busy")
      let counter = ["stack", "exec", "-T", "idle", "cat", "/sys/class/net/eth0/statistics/tx_bytes"]
      let sent = try #require(Int(try host.start(counter).wait(limit: .seconds(60)).output))
      #expect(try sent > 0 && self.stats(host)["idle"]?["SentBytes"] as? Int == sent)
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
      #expect(try processors(host, "busy") == 0)
      let refused = try host.run("stack", "exec", "busy", "true")
      #expect(refused.status == 1 && refused.errors.contains("stack unpause x/busy"))
      try host.succeed("stack", "unpause", "busy")
      #expect(try host.field("State", of: "busy") == "running")
      #expect(try host.eventually { try processors(host, "busy") > 0 })
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
        "name: x\nservices: {a: {command: [sh, -c, \"until [ -e /go ]; do sleep 0.05; done; \(eater)\"], mem_limit: 32m, memswap_limit: 32m}}\n",
        named: "x")
      try host.succeed("stack", "exec", "a", "touch", "/go")
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
