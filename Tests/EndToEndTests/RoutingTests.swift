import Foundation
import Testing

/// Services that route for others, links between two, and networks that are shared, seen with ping, ip(8) and curl.
@Suite struct RoutingTests {
  private static let sleeper = "command: [sleep, infinity]"

  /// Case 17 of the network cases.
  @Test func aRouterJoinsTwoNetworks() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      func file(_ routeOfA: String) -> String {
        """
        name: t
        services:
          a: {\(Self.sleeper), networks: [one], routes: [\(routeOfA)]}
          b: {\(Self.sleeper), networks: [two], routes: ["one via r"]}
          r: {\(Self.sleeper), networks: [one, two], forward: true}
        networks: {one: {}, two: {}}
        """
      }
      try host.up(file("blackhole 10.99.0.0/16"), named: "t")
      let b = try host.ipAddress(of: "b")
      #expect(try host.run("stack", "exec", "a", "ping", "-c1", "-W1", b).status != 0, "a static route is missing")
      let pid: Int = try host.field("PID", of: "a")

      try host.up(file("two via r"), named: "t")
      #expect(try host.field("PID", of: "a") == pid, "the route is added to a running service")
      let answer = try host.succeed("stack", "exec", "a", "ping", "-c1", "-W2", b)
      #expect(answer.contains("ttl=63"), "one router on the way: \(answer)")
      #expect(try host.inside("b", "ping -c1 -W2 \(host.ipAddress(of: "a"))").contains("ttl=63"))
      #expect(!(try host.inside("a", "ip route").contains("blackhole")), "the former route is gone")
      #expect(try host.inside("r", "cat /proc/sys/net/ipv4/ip_forward") == "1")
      #expect(try host.inside("a", "cat /proc/sys/net/ipv4/ip_forward") == "0")
      // The service's own command sees its routes from its first moment on, after a restart too.
      try host.succeed("stack", "restart", "a")
      #expect(try host.run("stack", "exec", "a", "ping", "-c1", "-W2", b).status == 0)
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }

  private static func ring(_ environment: String = "0") -> String {
    """
    name: t
    services:
      r1: {\(sleeper), network_mode: none, forward: true, routes: ["10.0.23.0/30 via r2"]}
      r2: {\(sleeper), network_mode: none, forward: true, environment: {N: "\(environment)"}}
      r3: {\(sleeper), network_mode: none, forward: true, routes: ["10.0.12.0/30 via r2"]}
    links:
      - {ends: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}, mtu: 9000}
      - {ends: {r2: 10.0.23.1/30, r3: {address: 10.0.23.2/30, interface_name: lan}}, mtu: 9000}
    """
  }

  /// Case 18 of the network cases.
  @Test func aLinkIsTwoEndsAndNothingElse() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      try host.up(Self.ring(), named: "t")
      let links = try host.succeed("sh", "-c", "ip -j link | jq -r '.[].ifname' | sort | tr '\\n' ' '")
      #expect(links == "lo uplink", "the host has none of it")
      #expect(try host.inside("r1", "ip -j link | jq -r '.[].ifname' | tr '\\n' ' '") == "lo eth0")
      #expect(try host.inside("r3", "ip -j addr show lan | jq -r '.[0].addr_info[0].local'") == "10.0.23.2")
      let ping = ["stack", "exec", "r1", "ping", "-c1", "-W2", "-M", "do", "-s", "8972"]
      #expect(try host.start(ping + ["10.0.23.2"]).wait(limit: .seconds(60)).output.contains("ttl=63"))
      #expect(try host.run("stack", "exec", "r1", "ping", "-c1", "-W2", "-M", "do", "-s", "8973", "r2").status != 0)
      // A frame of r1's shows up at r2 alone: it has nowhere else to go.
      #expect(try host.inside("r3", "ip -j neigh | jq -r '.[].dst'") == "10.0.23.1")

      // What one end loses with its namespace, the other gets back, routes over it included.
      let pid: Int = try host.field("PID", of: "r1")
      try host.up(Self.ring("1"), named: "t")
      #expect(try host.field("PID", of: "r1") == pid)
      #expect(try host.start(ping + ["10.0.23.2"]).wait(limit: .seconds(60)).output.contains("ttl=63"))
      try host.succeed("stack", "restart", "r2")
      #expect(try host.start(ping + ["10.0.23.2"]).wait(limit: .seconds(60)).output.contains("ttl=63"))

      try host.killSupervisors()
      try host.succeed("rm", "-r", "/run/stack/t/stack.json")
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }

  /// Two networks with IPv6, each behind a router, and a link of IPv6 between these: a route to a network is of both families.
  @Test func routesAndLinksAreOfIPv6Too() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      func file(_ routeOfR1: String) -> String {
        """
        name: t
        services:
          h1: {command: [busybox, httpd, -f, -p, "[::]:80"], networks: [one], expose: ["80"], routes: ["two via r1"]}
          h2: {command: [busybox, httpd, -f, -p, "[::]:80"], networks: [two], expose: ["80"], routes: ["one via r2"]}
          r1: {\(Self.sleeper), networks: [one], forward: true, routes: [\(routeOfR1)]}
          r2: {\(Self.sleeper), networks: [two], forward: true, routes: ["one via r1"]}
          far1: {\(Self.sleeper), network_mode: none, routes: ["::/0 via far2", "blackhole fd00:99::/64"]}
          far2: {\(Self.sleeper), network_mode: none}
        networks: {one: {enable_ipv6: true, internal: true}, two: {enable_ipv6: true, internal: true}}
        links:
          - ends: {r1: [10.0.12.1/30, "fd00:12::1/64"], r2: [10.0.12.2/30, "fd00:12::2/64"]}
          - ends: {far1: "fd00:34::1/64", far2: "fd00:34::2/64"}
        """
      }
      try host.up(file("two via r2"), named: "t")
      // At once: it waits less than the kernel does before it asks for a neighbour a second time.
      let verified = try host.run("stack", "verify", "t")
      #expect(verified.status == 0, "\(verified)")
      let addresses = try host.addresses(of: "h2")
      for address in addresses {
        let answer = try host.run("stack", "exec", "h1", "ping", "-c1", "-W2", address)
        #expect(answer.output.contains("ttl=62"), "two routers on the way: \(answer)")
      }
      let six = try #require(addresses.first { $0.contains(":") })
      #expect(
        try host.run("stack", "exec", "h1", "curl", "-s", "-m2", "-o", "/dev/null", "http://[\(six)]/").status == 0)
      #expect(try host.run("stack", "exec", "far1", "ping", "-c1", "-W2", "far2").status == 0, "by name, over the link")
      let routes = try host.inside(
        "far1", "ip -6 -j route show proto 115 | jq -r '.[] | \"\\(.type) \\(.dst)\"' | sort")
      #expect(routes == "blackhole fd00:99::/64\nnull default", "\(routes)")
      let links = try host.inside("far1", "ip -6 -j addr show eth0 | jq -r '.[0].addr_info[].local'")
      #expect(links == "fd00:34::1", "and no link-local address")

      // One family less on the way, while it runs.
      let pid: Int = try host.field("PID", of: "r1")
      let subnet = try host.succeed(
        "sh", "-c",
        "ip netns exec t.h2 ip -j -4 route show dev eth0 | jq -r '.[] | select(.protocol == \"kernel\").dst'")
      try host.up(file("\(subnet) via 10.0.12.2"), named: "t")
      #expect(try host.field("PID", of: "r1") == pid)
      #expect(try host.run("stack", "exec", "h1", "ping", "-c1", "-W1", addresses[0]).status == 0)
      #expect(try host.run("stack", "exec", "h1", "ping", "-c1", "-W1", six).status != 0)
      #expect(try host.run("stack", "verify", "t").status == 0)
      try host.up(file("two via r2"), named: "t")
      #expect(try host.run("stack", "exec", "h1", "ping", "-c1", "-W2", six).status == 0)

      // A link that lost an end has its addresses and routes again.
      try host.succeed("stack", "restart", "r2")
      #expect(try host.run("stack", "exec", "h1", "ping", "-c1", "-W2", six).status == 0)
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aServiceSharesTheNetworkOfAnother() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      func file(_ number: Int) -> String {
        ThrowawayHost.servers(
          stack: "t", ["web"], extra: ["web": ["environment: {N: \"\(number)\"}", "ports: [\"8080:80\"]"]])
          + "  side: {\(Self.sleeper), network_mode: \"service:web\"}\n  other: {\(Self.sleeper)}\n"
      }
      try host.up(file(0), named: "t")
      func namespaces() throws -> [String] {
        try ["web", "side"].map { try host.succeed("stack", "exec", $0, "readlink", "/proc/self/ns/net") }
      }
      let first = try namespaces()
      #expect(first[0] == first[1])
      #expect(try host.get("127.0.0.1", inside: "side") == "t web", "over the loopback that they share")
      #expect(try host.get("127.0.0.1:8080") == "t web")
      #expect(try host.run("stack", "exec", "side", "getent", "hosts", "other").status == 0)
      try host.succeed("stack", "restart", "web")
      #expect(try namespaces() == first, "a restart keeps what is shared")
      try host.up(file(1), named: "t")
      let second = try namespaces()
      #expect(second[0] == second[1])
      #expect(try host.get("127.0.0.1", inside: "side") == "t web")
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }

  @Test func aServiceIsOnTheHostsNetworkOrOnNone() throws {
    try ThrowawayHost.with { host in
      let before = try HostState(of: host)
      let text =
        ThrowawayHost.servers(stack: "t", ["top", "web"], extra: ["top": ["network_mode: host"]])
        + "  alone: {\(Self.sleeper), network_mode: none}\n"
      try host.up(text, named: "t")
      #expect(
        try host.succeed("stack", "exec", "top", "readlink", "/proc/self/ns/net")
          == host.succeed("readlink", "/proc/self/ns/net"))
      #expect(try host.get("127.0.0.1") == "t top")
      #expect(try host.get("web", inside: "top") == "t web")
      #expect(try host.succeed("stack", "exec", "alone", "ip", "-j", "link", "show").contains("\"ifname\":\"lo\""))
      #expect(!(try host.succeed("stack", "exec", "alone", "ip", "-j", "link", "show").contains("eth0")))
      try host.succeed("stack", "down", "t")
      try host.expectUnchanged(since: before)
    }
  }
}
