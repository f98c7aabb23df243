import Foundation
import Testing

/// Interfaces, hardware addresses, packet sizes and names as the file gives them, seen with ip(8) and others.
@Suite struct TopologyTests {
  @Test func interfacesCarryWhatTheFileGivesThem() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      let text = ThrowawayHost.servers(
        stack: "t", ["a", "b"],
        extra: [
          "a": [
            "mac_address: 02:00:00:00:00:77", "networks: {lab: {interface_name: lan}, big: {gw_priority: 5}}",
            "extra_hosts: [\"files:10.1.2.3\", \"host.docker.internal:host-gateway\"]",
          ], "b": ["networks: [big]"],
        ], tail: "networks:\n  lab: {}\n  big: {mtu: 9000}")
      try host.up(text, named: "t")
      #expect(
        try host.inside("a", "ip -j link show lan | jq -r '.[0] | \"\\(.address) \\(.mtu)\"'")
          == "02:00:00:00:00:77 1500")
      #expect(try host.inside("a", "ip -j link show eth0 | jq -r '.[0].mtu'") == "9000")
      #expect(try host.inside("a", "ip -j route show default | jq -r '.[0].dev'") == "eth0")
      // A packet of the full size passes unbroken, and one that is larger does not.
      let b = try host.ipAddress(of: "b")
      #expect(try host.run("stack", "exec", "a", "ping", "-c1", "-W2", "-M", "do", "-s", "8972", b).status == 0)
      #expect(try host.run("stack", "exec", "a", "ping", "-c1", "-W2", "-M", "do", "-s", "8973", b).status != 0)
      #expect(try host.run("stack", "exec", "a", "getent", "hosts", "files").output.hasPrefix("10.1.2.3"))
      let gateway = try host.inside("a", "ip -j route show default | jq -r '.[0].gateway'")
      #expect(try host.run("stack", "exec", "a", "getent", "hosts", "host.docker.internal").output.hasPrefix(gateway))
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func subnetsComeFromTheConfiguredPool() throws {
    try ThrowawayHost.with { host in
      let text = ThrowawayHost.servers(stack: "t", ["a"])
      try host.write(text, to: "t.stack")
      #expect(try host.run("stack", "up", "t.stack", environment: ["STACK_POOL": "10.77.0.0/16"]).status == 0)
      #expect(try host.ipAddress(of: "a") == "10.77.0.2")
      try host.succeed("stack", "down", "t")
      // A pool that somebody else has: it is said who.
      try host.succeed("ip", "link", "add", "lab0", "type", "veth", "peer", "name", "lab1")
      try host.succeed("ip", "addr", "add", "10.66.0.1/16", "dev", "lab0")
      try host.succeed("ip", "link", "set", "lab0", "up")
      let refused = try host.run("stack", "up", "t.stack", environment: ["STACK_POOL": "10.66.0.0/16"])
      #expect(refused.status == 1)
      #expect(refused.errors.contains("10.66.0.0/16 is a route of the host over lab0"), "\(refused)")
      let wrong = try host.run("stack", "up", "t.stack", environment: ["STACK_POOL": "10.66.0.1/16"])
      #expect(wrong.status == 1)
      #expect(wrong.errors.contains("STACK_POOL: \"10.66.0.1/16\" is no pool"), "\(wrong)")
    }
  }
}

extension ThrowawayHost {
  /// Runs a shell line in the network namespace of a service of the only stack, by ip(8)'s own way in.
  func inside(_ service: String, _ line: String, limit: Duration = .seconds(60)) throws -> String {
    let name = try succeed("sh", "-c", "ip netns list | cut -d' ' -f1 | grep '\\.\(service)$'")
    return try succeed("ip", "netns", "exec", name, "sh", "-c", line, limit: limit)
  }
}
