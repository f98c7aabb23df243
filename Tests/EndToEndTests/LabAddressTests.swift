import Foundation
import Testing

/// Addresses and routes as labs have them, seen with ip(8), ping and verify.
@Suite struct LabAddressTests {
  private static let sleeper = "command: [sleep, infinity]"

  private static func file(_ ofA: String, _ ofB: String, loopback: String) -> String {
    """
    name: t
    services:
      a: {\(sleeper), networks: {lan: {addresses: [\(ofA)]}}, routes: ["10.255.0.2/32 via b", "fd00:ff::2/128 via b"]}
      b: {\(sleeper), networks: {lan: {addresses: [\(ofB)]}}, loopback: [\(loopback)]}
      c: {\(sleeper), networks: {lan: {addresses: ["10.9.0.3/24", "fd00:9::3/64"]}}}
    networks:
      lan: {internal: true, enable_ipv6: true, ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}}
    """
  }

  private func pings(_ host: ThrowawayHost, _ service: String, _ address: String, from source: String? = nil) throws
    -> Bool
  {
    let arguments = ["ip", "netns", "exec", "t.\(service)", "ping", "-c1", "-W2"] + (source.map { ["-I", $0] } ?? [])
    return try host.start(arguments + [address]).wait(limit: .seconds(60)).status == 0
  }

  @Test func furtherAddressesWorkAndMove() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      let loopback = "10.255.0.2, \"fd00:ff::2\""
      try host.up(Self.file("", "10.1.0.50/24, 10.9.0.2/24, \"fd00:9::2/64\"", loopback: loopback), named: "t")
      let pids = try ["a", "b", "c"].map { try host.field("PID", of: $0, as: Int.self) }
      for address in ["10.1.0.50", "10.255.0.2", "fd00:ff::2"] {
        #expect(try pings(host, "a", address), "a to \(address)")
      }
      for (address, source) in [("10.9.0.2", "10.9.0.3"), ("fd00:9::2", "fd00:9::3")] {
        #expect(try pings(host, "c", address, from: source), "c to \(address)")
      }
      // The neighbours are known, so nobody asks.
      let known = try host.inside("a", "ip neigh show nud permanent | cut -d' ' -f1 | sort | tr '\\n' ' '")
      #expect(known.contains("10.1.0.50 ") && known.contains("10.9.0.2 ") && known.contains("fd00:9::2"), "\(known)")
      let verdict = try host.run("stack", "verify", "t")
      #expect(verdict.status == 0, "\(verdict.output)")

      // They move while all run, and their neighbours know it.
      try host.up(Self.file("10.1.0.50/24", "10.9.0.2/24", loopback: "10.255.0.2"), named: "t")
      #expect(try pids == ["a", "b", "c"].map { try host.field("PID", of: $0, as: Int.self) })
      let own = try host.inside("a", "cat /sys/class/net/eth0/address")
      #expect(try host.inside("c", "ip neigh show 10.1.0.50 | cut -d' ' -f5") == own)
      #expect(try pings(host, "c", "10.1.0.50") && pings(host, "b", "10.1.0.50"))
      #expect(
        try host.inside("b", "ip -j addr show eth0 | jq -r '.[0].addr_info[].local' | tr '\\n' ' '").hasPrefix("10."))
      #expect(!(try host.inside("b", "ip addr").contains("fd00:9::2")))
      #expect(!(try host.inside("b", "ip addr show lo").contains("fd00:ff::2")))

      // `up` puts back addresses that somebody takes away inside.
      try host.succeed("ip", "-n", "t.b", "addr", "del", "10.255.0.2/32", "dev", "lo")
      try host.succeed("ip", "-n", "t.b", "addr", "del", "10.9.0.2/24", "dev", "eth0")
      let again = try host.run("stack", "up", "t.stack")
      #expect(
        again.status == 0 && again.errors.contains("no address 10.255.0.2 on lo")
          && again.errors.contains("no address 10.9.0.2 on eth0"), "\(again)")
      #expect(try pings(host, "a", "10.255.0.2"))
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }

  /// A port lets a service send from its own further addresses, and from nobody else's.
  @Test func othersCannotSendFromThem() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.file("", "10.9.0.2/24", loopback: "10.255.0.2"), named: "t")
      try host.succeed("ip", "-n", "t.a", "addr", "add", "10.9.0.2/24", "dev", "eth0")
      #expect(try !pings(host, "a", "10.9.0.3", from: "10.9.0.2"))
      #expect(try pings(host, "b", "10.9.0.3", from: "10.9.0.2"))
    }
  }

  /// Of many flows, some go by each of the routers; where one is not there any more, the route by the other stays.
  @Test func aRouteGoesByWayOfSeveralRouters() throws {
    func file(_ via: String) -> String {
      """
      name: t
      services:
        a: {\(Self.sleeper), networks: [lan], routes: ["far \(via)"]}
        r1: {\(Self.sleeper), networks: [lan, far], forward: true}
        r2: {\(Self.sleeper), networks: [lan, far], forward: true}
        b: {\(Self.sleeper), networks: [far], routes: ["lan via r1 via r2"]}
      networks:
        lan: {internal: true, enable_ipv6: true, ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}}
        far: {internal: true, enable_ipv6: true, ipam: {config: [{subnet: 10.2.0.0/24}, {subnet: "fd00:2::/64"}]}}
      """
    }
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(file("via r1 via r2"), named: "t")
      let pid: Int = try host.field("PID", of: "a")
      for family in ["-4", "-6"] {
        let hops = try host.inside(
          "a", "ip \(family) -j route | jq -r '.[] | select(.nexthops) | .nexthops[].gateway' | sort | tr '\\n' ' '")
        #expect(hops == (family == "-4" ? "10.1.0.3 10.1.0.4" : "fd00:1::3 fd00:1::4"), "\(hops)")
      }
      #expect(try pings(host, "a", "10.2.0.4") && pings(host, "a", "fd00:2::4"))
      let verdict = try host.run("stack", "verify", "t")
      #expect(verdict.status == 0, "\(verdict.output)")
      let live = try host.run("stack", "verify", "t", "--live")
      #expect(
        live.status == 0 && !live.output.contains("lacks") && !live.output.contains("the file has not"),
        "\(live.output)")
      // Nothing to do the second time; then one router, then both again, in the running service.
      #expect(try host.succeed("stack", "up", "t.stack").contains("a: ") == false)
      try host.up(file("via r2"), named: "t")
      #expect(try host.inside("a", "ip route show 10.2.0.0/24").contains("via 10.1.0.4"))
      #expect(!(try host.inside("a", "ip -6 route").contains("fd00:1::3")))
      try host.up(file("via r2 via r1"), named: "t")
      #expect(try host.inside("a", "ip -6 -j route | jq '[.[] | select(.nexthops)] | length'") == "1")
      #expect(try host.field("PID", of: "a") == pid)
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aRouteGoesByWayOfALinkLocalRouter() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: t
        services:
          a: {\(Self.sleeper), network_mode: none, loopback: ["fd00:ff::1"], routes: ["fd00:ff::2/128 via fe80::2 dev e1"]}
          b: {\(Self.sleeper), network_mode: none, loopback: ["fd00:ff::2", 10.255.0.2], forward: true, routes: ["fd00:ff::1/128 via a", "10.255.0.1/32 via 169.254.1.0"]}
          c: {\(Self.sleeper), network_mode: none, loopback: [10.255.0.1], routes: ["10.255.0.2/32 via b"]}
        links:
          - {ends: {a: {address: "fe80::1/64", interface_name: e1}, b: "fe80::2/64"}}
          - {ends: {c: 169.254.1.0/31, b: 169.254.1.1/31}}
        """, named: "t")
      #expect(try pings(host, "a", "fd00:ff::2"))
      #expect(try pings(host, "c", "10.255.0.2"))
      // The kernel's own choice of a source: none that is good on the link alone.
      #expect(try host.inside("c", "ip -j route get 10.255.0.2 | jq -r '.[0].prefsrc'") == "10.255.0.1")
      #expect(try host.inside("c", "ip -j addr show eth0 | jq -r '.[0].addr_info[0].scope'") == "link")
      for arguments in [["stack", "verify", "t"], ["stack", "verify", "t", "--live"]] {
        let verdict = try host.start(arguments).wait(limit: .seconds(120))
        #expect(verdict.status == 0 && !verdict.output.contains("lacks"), "\(verdict.output)")
      }
      #expect(try host.succeed("stack", "up", "t.stack").contains("a: ") == false)
    }
  }
}
