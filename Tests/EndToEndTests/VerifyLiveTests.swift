import Foundation
import Testing

/// `stack verify` where the network is not what the file alone makes of it.
@Suite struct VerifyLiveTests {
  /// Three routers in a row on cables, without a route.
  private static let row = """
    name: v
    services:
      r1: {command: [sleep, infinity], network_mode: none, forward: true}
      r2: {command: [sleep, infinity], network_mode: none, forward: true}
      r3: {command: [sleep, infinity], network_mode: none, forward: true}
    links:
      - ends: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}
      - ends: {r2: 10.0.23.1/30, r3: 10.0.23.2/30}
    """

  @Test func whatADaemonRoutesIsPredictedFromWhatIsThere() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.row, named: "v")
      for line in [
        "ip -n v.r1 route add 10.0.23.0/30 via 10.0.12.2 proto ospf",
        "ip -n v.r3 route add 10.0.12.0/30 via 10.0.23.1 proto ospf",
      ] { try host.succeed("sh", "-c", line) }
      let plain = try host.run("stack", "verify", "v")
      #expect(
        plain.status == 1 && plain.output.contains("predicted no: denied since r1 has no route to 10.0.23.2"),
        "\(plain)")
      let live = try host.run("stack", "verify", "v", "--live")
      #expect(live.status == 0, "\(live)")
      #expect(
        live.output.contains("note: r1 has routes that the file has not: 10.0.23.0/30 via 10.0.12.2 (ospf)\n"),
        "\(live)")
      let reach = try host.run("stack", "reach", "r1", "v/r3")
      #expect(
        reach.output.contains("    1 r1: 10.0.23.0/30 via 10.0.12.2 (ospf), on a link to 10.0.12.2\n"), "\(reach)")
    }
  }

  @Test func whatTranslatesInsideIsObservedOnly() throws {
    try ThrowawayHost.with { host in
      try host.up(Self.row, named: "v")
      try host.succeed(
        "sh", "-c",
        """
        ip -n v.r1 route add default via 10.0.12.2
        ip netns exec v.r2 nft add table ip nat
        ip netns exec v.r2 nft add chain ip nat post "{ type nat hook postrouting priority 100; }"
        ip netns exec v.r2 nft add rule ip nat post masquerade
        """)
      let live = try host.run("stack", "verify", "v", "--live")
      #expect(live.status == 0 && live.output.contains("~yes"), "\(live)")
    }
  }

  @Test func bridgesInsideAreWires() throws {
    try ThrowawayHost.with { host in
      let text = """
        name: v
        services:
          a: {command: [sleep, infinity], network_mode: none}
          s: {command: [sleep, infinity], network_mode: none}
          b: {command: [sleep, infinity], network_mode: none}
        links:
          - ends: {a: 10.1.0.1/24, s: {}}
          - ends: {s: {}, b: 10.1.0.2/24}
        """
      try host.up(text, named: "v")
      try host.succeed(
        "sh", "-c",
        """
        ip -n v.s link add br0 type bridge && ip -n v.s link set br0 up
        ip -n v.s link set eth0 master br0 && ip -n v.s link set eth1 master br0
        """)
      let live = try host.run("stack", "verify", "v", "--live")
      #expect(live.status == 0 && live.output.contains("note: s bridges: br0 (eth0, eth1)\n"), "\(live)")
    }
  }

  @Test func theOwnerOfANetworkDecides() throws {
    try ThrowawayHost.with { host in
      try host.up(
        """
        name: o
        services:
          s: {command: [busybox, httpd, -f, -p, "80"], networks: [f], expose: ["80"]}
        networks: {f: {default: deny}}
        """, named: "o")
      try host.up(
        """
        name: g
        services:
          x: {command: [busybox, httpd, -f, -p, "80"], networks: [f], expose: ["80"]}
          y: {command: [busybox, httpd, -f, -p, "80"], networks: [f], expose: ["80"]}
        networks: {f: {external: true, name: o/f}}
        """, named: "g")
      let outcome = try host.run("stack", "verify", "g")
      #expect(outcome.status == 0, "\(outcome)")
      let reach = try host.run("stack", "reach", "x", "y:80")
      #expect(reach.status == 2 && reach.errors.contains("more than one stack of this folder is up"), "\(reach)")
      let named = try host.run("stack", "reach", "g/x", "y:80")
      #expect(named.status == 0 && named.output.contains("of stack o"), "\(named)")
    }
  }

  @Test func servicesKnowEachOtherFromTheStart() throws {
    try ThrowawayHost.with { host in
      try host.up(ThrowawayHost.servers(stack: "v", ["a", "b", "c"]), named: "v")
      let known = try host.succeed("ip", "-n", "v.a", "neigh", "show", "nud", "permanent")
      #expect(known.split(separator: "\n").count == 3, "\(known)")
      let before = try host.succeed("ip", "-n", "v.a", "neigh")
      #expect(try host.run("stack", "verify", "v").status == 0)
      #expect(try host.succeed("ip", "-n", "v.a", "neigh") == before)
    }
  }
}
