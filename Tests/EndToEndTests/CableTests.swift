import Foundation
import Testing

/// Cables between services that behave like cables: carrier, link-local addresses, changes while daemons run. Seen with ip(8)
/// and ping.
@Suite struct CableTests {
  private static let sleeper = "command: [sleep, infinity], network_mode: none"

  /// The states that the kernel reports of a service's interfaces but the loopback: `eth0 UP`, a line each.
  private func states(_ host: ThrowawayHost, _ service: String) throws -> String {
    try host.succeed(
      "sh", "-c",
      "ip -n t.\(service) -j link | jq -r '.[] | select(.ifname != \"lo\") | \"\\(.ifname) \\(.operstate)\"'")
  }

  /// The same interface numbers at both ends are what the kernel settles late.
  @Test func allEndsHaveACarrierWhenUpReturns() throws {
    try ThrowawayHost.with { host in
      let names = (1...6).map { "s\($0)" }
      let services = names.map { "  \($0): {\(Self.sleeper)}\n" }.joined()
      let cables = (0..<6).map { "  - endpoints: [\"\(names[$0]):a\", \"\(names[($0 + 1) % 6]):b\"]\n" }.joined()
      try host.up("name: t\nservices:\n\(services)links:\n\(cables)", named: "t")
      for name in names {
        #expect(try states(host, name).split(separator: "\n").sorted() == ["a UP", "b UP"], "\(name)")
        let numbers = try host.succeed(
          "sh", "-c",
          "ip -n t.\(name) -j link | jq -r '.[] | select(.ifname != \"lo\" and .ifindex == .link_index).ifname'")
        #expect(numbers.isEmpty, "\(name): \(numbers)")
      }
    }
  }

  @Test func aCutCableHasNoCarrierAndComesBackWhole() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(
        """
        name: t
        services:
          r1: {\(Self.sleeper), forward: true, routes: ["10.9.0.0/24 via r2", "fd00:9::/64 via r2"]}
          r2: {\(Self.sleeper), forward: true, routes: ["10.8.0.0/24 via r1", "fd00:8::/64 via r1"]}
        links:
          - ends: {r1: [10.0.12.1/30, "fd00:12::1/64"], r2: [10.0.12.2/30, "fd00:12::2/64"]}
            ipv6: link-local
        """, named: "t")
      func state(_ service: String) throws -> [String] {
        try ["addr", "-4 route", "-6 route", "neigh show nud permanent"].map {
          try host.succeed("sh", "-c", "ip -n t.\(service) \($0) | sed 's/ state [A-Z]*//; s/valid_lft.*//' | sort")
        }
      }
      let whole = try (state("r1"), state("r2"))
      #expect(whole.0[0].contains("inet6 fe80:"), "\(whole.0[0])")
      try host.succeed("stack", "link", "r1:r2", "--down")
      #expect(try states(host, "r1") == "eth0 DOWN")
      #expect(try states(host, "r2") == "eth0 DOWN")
      #expect(try host.succeed("ip", "-n", "t.r2", "link").contains("NO-CARRIER"))
      #expect(try host.run("ip", "netns", "exec", "t.r1", "ping", "-c1", "-W1", "10.0.12.2").status != 0)
      // It stays cut through an `up`.
      try host.succeed("stack", "up", "t.stack")
      #expect(try states(host, "r1") == "eth0 DOWN")
      try host.succeed("stack", "link", "r1:r2", "--up")
      #expect(try states(host, "r1") == "eth0 UP" && states(host, "r2") == "eth0 UP")
      #expect(try state("r1") == whole.0)
      #expect(try state("r2") == whole.1)
      for address in ["10.0.12.2", "fd00:12::2"] {
        #expect(try host.run("ip", "netns", "exec", "t.r1", "ping", "-c1", "-W2", address).status == 0, "\(address)")
      }
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func cablesComeAndGoUnderRunningServices() throws {
    try ThrowawayHost.with { host in
      func file(_ links: String) -> String {
        """
        name: t
        services:
          a: {command: [sleep, infinity], networks: [one]}
          b: {command: [sleep, infinity], networks: [two], forward: true}
          c: {command: [sleep, infinity], network_mode: none}
        networks: {one: {}, two: {}}
        links: [\(links)]
        """
      }
      try host.up(file(""), named: "t")
      let pids = try ["a", "b", "c"].map { try host.field("PID", of: $0, as: Int.self) }
      func ping(_ address: String) throws -> Bool {
        try host.run("ip", "netns", "exec", "t.a", "ping", "-c1", "-W2", address).status == 0
      }
      let cables = [
        "{ends: {a: \"fd00:12::1/64\", b: \"fd00:12::2/64\"}}", "{ends: {a: 10.0.13.1/30, c: 10.0.13.2/30}}",
        "{endpoints: [\"b:x\", \"c:x\"]}",
      ]
      try host.up(file(cables.joined(separator: ", ")), named: "t")
      #expect(try ping("fd00:12::2") && ping("fd00:12::1") && ping("10.0.13.2"))
      let own = try host.inside("c", "ip -6 -j addr show x | jq -r '.[0].addr_info[0].local'")
      #expect(own.hasPrefix("fe80:"), "without an address it has a link-local one: \(own)")
      #expect(try host.run("ip", "netns", "exec", "t.b", "ping", "-c1", "-W2", "\(own)%x").status == 0)
      #expect(try host.inside("b", "cat /proc/sys/net/ipv6/conf/x/accept_ra") == "0")
      try host.up(file(cables[1]), named: "t")
      #expect(try ping("10.0.13.2"))
      #expect(try host.inside("b", "ip -j link | jq -r '.[].ifname' | tr '\\n' ' '") == "lo eth0")
      try host.up(file(""), named: "t")
      #expect(try pids == ["a", "b", "c"].map { try host.field("PID", of: $0, as: Int.self) })
    }
  }

  @Test func oneEndAloneMayHaveIPv6() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: t
        services: {a: {\(Self.sleeper)}, b: {\(Self.sleeper)}}
        links: [{ends: {a: [10.0.12.1/30, "fd00:12::1/64"], b: 10.0.12.2/30}}]
        """, named: "t")
      #expect(try host.inside("a", "ip -6 -j addr show eth0 | jq -r '.[0].addr_info[].local'") == "fd00:12::1")
      #expect(try host.inside("b", "cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6") == "1")
      #expect(try host.run("ip", "netns", "exec", "t.a", "ping", "-c1", "-W2", "10.0.12.2").status == 0)
    }
  }
}
