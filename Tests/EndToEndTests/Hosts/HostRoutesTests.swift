import Foundation
import Testing

/// Hosts whose routes, links and settings are other than those of a fresh one.
@Suite struct HostRoutesTests {
  private static let one = "name: one\nservices:\n  a: {command: [sleep, infinity]}\n"
  private static let dual = one + "networks: {default: {enable_ipv6: true}}\n"

  /// A host with a link over which these routes lead.
  private static func with(routes: [String], _ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.succeed(
        "sh", "-c",
        """
        ip link add vpn0 type veth peer name vpn1 && ip link set vpn0 up && ip link set vpn1 up &&
        ip addr add 192.0.2.9/32 dev vpn0
        """)
      #expect(try host.eventually { try host.succeed("ip", "-o", "link", "show", "vpn0").contains("LOWER_UP") })
      for route in routes {
        try host.succeed("ip", route.contains(":") ? "-6" : "-4", "route", "add", route, "dev", "vpn0")
      }
      try body(host)
    }
  }

  @Test(arguments: [["0.0.0.0/1", "128.0.0.0/1"], ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"]])
  func aDefaultRouteInPartsIsNoUseOfAddresses(routes: [String]) throws {
    try Self.with(routes: routes) { host in
      try host.up(Self.one, named: "one")
      #expect(try host.ipAddress(of: "a") == "10.208.0.2")
      #expect(try host.run("ping", "-c1", "-W1", "-q", "10.208.0.2").status == 0)
    }
  }

  @Test func aCompanysRoutesLeaveTheNextPoolAndThenAnErrorThatNamesThem() throws {
    try Self.with(routes: ["10.0.0.0/8", "172.16.0.0/12"]) { host in
      try host.up(Self.one, named: "one")
      #expect(try host.ipAddress(of: "a") == "192.168.0.2")
      try host.succeed("stack", "down", "one")
      for route in ["192.168.0.0/16", "100.64.0.0/10"] { try host.succeed("ip", "route", "add", route, "dev", "vpn0") }
      let refused = try host.run("stack", "up", "one.stack")
      #expect(refused.status == 1)
      #expect(refused.errors.contains("100.64.0.0/10 (100.64.0.0/10 is a route of the host over vpn0)"), "\(refused)")
    }
  }

  @Test(arguments: [["::/3", "2000::/4", "3000::/4", "fc00::/7"], ["fd00::/8"], ["::/1", "8000::/1"]])
  func aVPNForIPv6LeavesASubnet(routes: [String]) throws {
    try Self.with(routes: routes) { host in
      try host.up(Self.dual, named: "one")
      let addresses = try host.inNamespaces(of: "a", "ip", "-6", "-o", "addr", "show", "dev", "eth0")
      #expect(addresses.contains("inet6 fd"))
    }
  }

  @Test func aNetworkWithoutIPv6MayHaveASmallMTU() throws {
    try ThrowawayHost.with { host in
      let services =
        "a: {command: [sleep, infinity]}, b: {command: [sleep, infinity], ports: [\"8081:80\"], expose: []}"
      for mtu in [576, 1200, 1279] {
        try host.up(
          "name: small\nservices: {\(services.replacingOccurrences(of: ", ports: [\"8081:80\"], expose: []", with: ""))}\n"
            + "networks: {default: {mtu: \(mtu)}}\n", named: "small")
        #expect(try host.inNamespaces(of: "a", "cat", "/sys/class/net/eth0/mtu") == "\(mtu)")
        #expect(
          try host.run(
            "stack", "exec", "small/a", "ping", "-c1", "-W1", "-q", "-s", "\(mtu - 28)", "-M", "do", "b"
          ).status == 0)
        try host.succeed("stack", "down", "small")
      }
    }
  }

  // MARK: What others take away

  @Test func whatTheHostLosesIsPutBackAndSaid() throws {
    try ThrowawayHost.with { host in
      let text =
        ThrowawayHost.servers(stack: "web", ["a", "b"], extra: ["b": ["ports: [\"8081:80\"]"]])
        + "networks: {default: {enable_ipv6: true}}\n"
      try host.up(text, named: "web")
      let bridge = "web-default"
      func state() throws -> [String] {
        [
          try host.succeed("sh", "-c", "ip -o addr show dev \(bridge) | awk '{print $3, $4}' | sort"),
          try host.succeed("sh", "-c", "ip route show dev \(bridge); ip -6 route show dev \(bridge)"),
          try host.succeed("cat", "/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"),
        ]
      }
      let before = try state()
      let losses = [
        ["ip", "addr", "flush", "dev", bridge], ["ip", "-6", "addr", "flush", "dev", bridge],
        ["ip", "route", "flush", "dev", bridge], ["ip", "link", "set", bridge, "down"],
        ["sh", "-c", "echo 0 >/proc/sys/net/ipv4/ip_forward"],
        ["sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/all/forwarding"],
      ]
      for loss in losses {
        _ = try host.start(loss).wait(limit: .seconds(60))
        #expect(try host.eventually { try state() == before }, "after \(loss)")
      }
      #expect(try host.get("\(ThrowawayHost.address):8081", from: .outside) == "web b")
      let log = try host.succeed("cat", "/run/stack/web/supervisor.log")
      #expect(log.contains("bridge web-default has no address 10.208.0.1/24, by another program: put back"), "\(log)")
      #expect(log.contains("net.ipv4.ip_forward is 0, by another program: put back"), "\(log)")

      // Without a supervisor it is said, and the next `up` puts it back.
      try host.killSupervisors()
      _ = try host.start(losses[0]).wait(limit: .seconds(60))
      let listed = try host.run("stack", "ps", "web")
      #expect(listed.errors.contains("web: bridge web-default has no address 10.208.0.1/24"), "\(listed)")
      #expect(try host.run("stack", "doctor").output.contains("bridge web-default has no address 10.208.0.1/24"))
      let pid: Int = try host.field("PID", of: "a")
      try host.succeed("stack", "up", "web.stack")
      #expect(try host.eventually { try state() == before })
      #expect(try host.field("PID", of: "a") == pid)
      #expect(try host.run("stack", "ps", "web").errors.isEmpty)
    }
  }

  @Test func whatAServiceLosesInsideIsPutBackByUpAlone() throws {
    try ThrowawayHost.with { host in
      let text = ThrowawayHost.servers(stack: "web", ["a", "b"]) + "networks: {default: {enable_ipv6: true}}\n"
      try host.up(text, named: "web")
      func state() throws -> String {
        try host.inNamespaces(of: "a", "sh", "-c", "ip -o addr show dev eth0; ip route; ip -6 route")
      }
      let before = try state()
      let pid: Int = try host.field("PID", of: "a")
      for (loss, said) in [
        ("ip addr flush dev eth0", "no address 10.208.0.2 on eth0"),
        ("ip route del default", "no default route by 10.208.0.1"),
        ("ip link set eth0 down", "eth0 was set down"),
      ] {
        try host.inNamespaces(of: "a", "sh", "-c", loss)
        #expect(try state() != before)
        let up = try host.run("stack", "up", "web.stack")
        #expect(up.status == 0 && up.errors.contains("web/a: put back: ") && up.errors.contains(said), "\(up)")
        #expect(try host.get("b", inside: "a") == "web b")
        #expect(try state().contains("default via 10.208.0.1") && state().contains("10.208.0.2/24"))
      }
      #expect(try host.field("PID", of: "a") == pid)
      #expect(try !host.run("stack", "up", "web.stack").errors.contains("put back"))
    }
  }
}
