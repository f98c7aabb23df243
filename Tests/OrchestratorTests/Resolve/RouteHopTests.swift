import Testing
@testable import Addresses
@testable import Intent
@testable import Planning
@testable import Resolve
@testable import StackFiles
@testable import Verify
@testable import Vocabulary

/// Routes by way of several routers, and by way of link-local addresses.
@Suite struct RouteHopTests {
  private static func file(_ routes: String, cable: String = "") -> String {
    """
    services:
      a: {command: [x], networks: [lan], routes: [\(routes)]}
      r1: {command: [x], networks: [lan, far], forward: true}
      r2: {command: [x], networks: [lan, far], forward: true}
      b: {command: [x], networks: [far], routes: ["lan via r1"]}
    networks:
      lan: {internal: true, enable_ipv6: true, ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}}
      far: {internal: true, enable_ipv6: true, ipam: {config: [{subnet: 10.2.0.0/24}, {subnet: "fd00:2::/64"}]}}
    links: [\(cable)]
    """
  }

  private static func routes(_ text: String) throws -> [String] {
    try #require(try resolve(text).service(named: "a")).routes.map(\.text)
  }

  @Test func severalRoutersAreEquallyGood() throws {
    let both = [
      "10.2.0.0/24 nexthop via 10.1.0.3 nexthop via 10.1.0.4",
      "fd00:2::/64 nexthop via fd00:1::3 nexthop via fd00:1::4",
    ]
    #expect(try Self.routes(Self.file("{to: far, via: [r1, r2]}")) == both)
    #expect(try Self.routes(Self.file("far via r1 via r2")) == both)
    #expect(
      try Self.routes(Self.file("10.9.0.0/16 nexthop via 10.1.0.3 nexthop via r2")) == [
        "10.9.0.0/16 nexthop via 10.1.0.3 nexthop via 10.1.0.4"
      ])
    #expect(
      try Self.routes(Self.file("default via r1 via r2")) == [
        "0.0.0.0/0 nexthop via 10.1.0.3 nexthop via 10.1.0.4", "::/0 nexthop via fd00:1::3 nexthop via fd00:1::4",
      ])
  }

  @Test func aLinkLocalRouterIsOnAnInterface() throws {
    for text in [
      "fd00:9::/64 via fe80::1 dev eth0", "{to: \"fd00:9::/64\", via: \"fe80::1\", dev: eth0}",
      "{to: \"fd00:9::/64\", via: \"fe80::1%eth0\"}",
    ] {
      #expect(
        try Self.routes(Self.file(text.hasPrefix("{") ? text : "\"\(text)\"")) == ["fd00:9::/64 via fe80::1 dev eth0"])
    }
  }

  @Test func byNameALinkLocalRouterIsFoundOnACable() throws {
    let text = """
      services:
        a: {command: [x], network_mode: none, routes: ["fd00:9::/64 via r"]}
        r: {command: [x], network_mode: none, forward: true}
      links: [{endpoints: ["a:e1", "r:e1"]}]
      """
    let stack = try resolve(text)
    let mac = stack.links[0].second.mac
    #expect(stack.services[0].routes.map(\.text) == ["fd00:9::/64 via \(mac.linkLocalAddress) dev e1"])
    // `default` means the families that there are addresses of.
    #expect(
      obstacles(text.replacing("fd00:9::/64 via r", with: "default via r"), on: .using()).map(\.message).count == 1)
  }

  @Test(arguments: [
    ("\"fd00:9::/64 via fe80::1\"", "needs the interface that the router is on"),
    ("10.9.0.0/16 via r1 dev eth0", "\"dev eth0\" follows a router's address"),
    ("10.9.0.0/16 via r1 via r1", "the same router twice"), ("{to: far, via: []}", "a route leads nowhere"),
    ("10.9.0.0/16 via 10.1.0.3 via", "a route leads nowhere"), ("10.9.0.0/16 nexthop 10.1.0.3", "leads nowhere"),
    ("{to: far, via: [r1, r2], dev: eth0}", "\"dev\" is for a route by way of one router"),
    ("{to: 10.9.0.0/16, via: [r1, \"fd00:1::4\"]}", "cannot go by way of an IPv6 address"),
  ])
  func whatCannotBeIsSaid(_ route: String, _ problem: String) {
    let shown = diagnose(Self.file(route))
    #expect(shown.contains(problem), "\(shown)")
  }

  @Test func anInterfaceThatIsNotThereIsSaid() {
    let file = Self.file("\"fd00:9::/64 via fe80::1 dev eth7\"")
    #expect(
      obstacles(file, on: .using()).map(\.message) == [
        "the route fd00:9::/64 via fe80::1 dev eth7 cannot be: there is no interface eth7: eth0"
      ])
  }

  @Test func bothWaysArePredicted() throws {
    let text = Self.file("{to: far, via: [r1, r2]}")
    func forecast(_ text: String) throws -> ReachForecast {
      let check = ReachMatrix(try resolve(text), nextHop: nil).checks().first { $0.name == "a -> b icmp" }
      return try #require(check?.probes.first?.forecast)
    }
    #expect(try forecast(text).isAllowed)
    let half = text.replacing(
      "r2: {command: [x], networks: [lan, far], forward: true}", with: "r2: {command: [x], networks: [lan, far]}")
    #expect(try !forecast(half).isAllowed || !forecast(half).isDecided, "half of the flows are lost")
  }

  @Test func aRecordOfAnEarlierReleaseIsRead() throws {
    let route = try resolve(Self.file("10.9.0.0/16 via 10.1.0.3")).service(named: "a")?.routes.first
    let own = try #require(route)
    let gateway = try #require(IPAddress("10.1.0.3"))
    #expect(own.hops == [DesiredRoute.Hop(gateway: gateway)])
  }

  // MARK: Addresses of a link alone

  @Test func scopesAndNarrowSubnetsOfCables() throws {
    let text = """
      services:
        a: {command: [x], network_mode: none, loopback: [10.255.0.1], routes: ["10.255.0.2/32 via 169.254.0.2"]}
        b: {command: [x], network_mode: none, loopback: [10.255.0.2], routes: ["10.255.0.1/32 via 169.254.0.1"]}
        c: {command: [x], network_mode: none}
      links:
        - {ends: {a: 169.254.0.1/31, b: 169.254.0.2/31}}
        - {ends: {a: [10.0.13.0/31, "fd00:13::/127", "fe80::1/64"], c: [10.0.13.1/31, "fd00:13::1/127", "fe80::2/64"]}}
        - {ends: {b: [10.0.23.1/30 scope link, "fe80::1/64"], c: [10.0.23.2/30 scope link, "fe80::2/64"]}}
      """.replacing("169.254.0.2/31", with: "169.254.0.0/31").replacing("via 169.254.0.2", with: "via 169.254.0.0")
    let stack = try resolve(text)
    #expect(stack.links[0].ends.flatMap(\.addresses).allSatisfy { $0.isLinkScoped })
    #expect(stack.links[2].first.addresses.map(\.isLinkScoped) == [true, false])
    let commands = Planner.up(stack, recorded: nil, observed: [:]).steps.flatMap {
      $0.commands(folders: StateFolders())
    }
    #expect(commands.contains("ip -n web.b addr add 10.0.23.1/30 dev eth1 scope link"), "\(commands)")
    #expect(commands.contains("ip -n web.a addr add fe80::1/64 dev eth1 nodad"), "\(commands)")
    // Packets that go beyond the link are sent from another address.
    let routing = PacketRouting(stack)
    let target = try #require(IPAddress("10.255.0.2"))
    let way = try #require(routing.ways(from: .service("a"), to: target).first)
    #expect(way.source == IPAddress("10.255.0.1"))
    #expect(way.end == .arrived)
  }

  @Test(arguments: [
    ("fd00::1/64 scope link", "the scope of an IPv6 address follows"),
    ("10.0.1.1/30 scope host", "cannot follow an address"),
    ("10.0.1.1/30 link", "cannot follow an address"),
  ])
  func scopesThatCannotBeAreSaid(_ address: String, _ problem: String) {
    let shown = diagnose(
      """
      services: {a: {command: [x], network_mode: none}, b: {command: [x], network_mode: none}}
      links: [{ends: {a: "\(address)", b: null}}]
      """)
    #expect(shown.contains(problem), "\(shown)")
  }
}
