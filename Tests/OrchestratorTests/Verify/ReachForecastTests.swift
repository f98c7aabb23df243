import Testing
@testable import Resolve
@testable import Verify

/// What routes, links and routers make of packets, before any rule.
@Suite struct ReachForecastTests {
  private static let routed = """
    services:
      client: {command: [x], networks: [left], routes: ["right via r1"], expose: ["80"]}
      r1: {command: [x], networks: [left], forward: true, routes: ["right via r2"]}
      r2: {command: [x], networks: [right], forward: true, routes: ["left via r1"]}
      server: {command: [x], networks: [right], routes: ["left via r2"], expose: ["80"]}
    networks: {left: {internal: true}, right: {internal: true}}
    links: [{ends: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}}]
    """

  private func forecast(
    _ name: String, _ text: String, tracking: BridgeTracking = BridgeTracking()
  ) throws -> ReachForecast {
    let check = ReachMatrix(try resolve(text), nextHop: hop, tracking: tracking).checks().first { $0.name == name }
    return try #require(check?.probes.first?.forecast, "\(name)")
  }

  @Test func throughTwoRoutersAndBack() throws {
    let forecast = try forecast("client -> server:80", Self.routed)
    #expect(forecast.isAllowed && forecast.because == "allowed by way of r1, r2")
    #expect(try self.forecast("server -> client:80", Self.routed).isAllowed)
  }

  @Test(arguments: [
    ("routes: [\"left via r1\"]", "", "no answer comes back: r2 has no route there"),
    ("networks: [left], routes: [\"right via r1\"]", "networks: [left]", "client has no route there"),
    ("networks: [right], forward: true", "networks: [right]", "r2 does not forward"),
    ("\"right via r2\"", "\"blackhole 10.208.1.0/24\"", "r1 drops what goes there (web.stack:3)"),
    ("\"right via r2\"", "\"right via client\"", "it goes round in circles: r1, client, r1, client"),
  ])
  func whatIsMissingIsNamed(_ part: String, _ other: String, _ because: String) throws {
    var text = Self.routed
    let range = try #require(text.firstRange(of: part))
    text.replaceSubrange(range, with: other.isEmpty ? "labels: {}" : other)
    if because.contains("circles") {
      text = String(text.map { $0 }).split(separator: "\n").map { line in
        line.contains("client:") ? line.replacing("networks: [left],", with: "networks: [left], forward: true,") : line
      }.joined(separator: "\n")
    }
    let forecast = try forecast("client -> server:80", text)
    #expect(!forecast.isAllowed)
    #expect(forecast.because == "denied since \(because)")
  }

  @Test func answersThatTakeTheHostsWayAreLost() throws {
    let text = """
      services:
        client: {command: [x], networks: [front], routes: ["back via r"]}
        r: {command: [x], networks: [front, back], forward: true}
        server: {command: [x], networks: [back], expose: ["80"]}
      networks: {front: {}, back: {}}
      """
    let forecast = try forecast("client -> server:80", text)
    #expect(!forecast.isAllowed && forecast.because.contains("which has not seen the question"), "\(forecast)")
    // It has where bridges show it what they pass on: all of them, or one that rules are about.
    let tracked = try self.forecast("client -> server:80", text, tracking: BridgeTracking(ipv4: true))
    #expect(tracked.isAllowed && tracked.because == "allowed by way of r", "\(tracked)")
    #expect(try !self.forecast("client -> server:80", text, tracking: BridgeTracking(ipv6: true)).isAllowed)
    let ruled = text + "\npolicies: [{deny: server -> r}]"
    #expect(try self.forecast("client -> server:80", ruled).isAllowed)
  }

  @Test func anAnswerMayTakeAnotherWayThanTheLink() throws {
    let text = """
      services:
        a: {command: [x], networks: [front], routes: ["10.9.0.2/32 via r"], expose: ["80"]}
        r: {command: [x], networks: [front], forward: true}
        b: {command: [x], networks: [back]}
      networks: {front: {}, back: {}}
      links: [{ends: {r: 10.9.0.1/30, b: 10.9.0.2/30}}]
      """
    #expect(try !forecast("a -> b@r icmp", text).isAllowed)
    #expect(try forecast("a -> b@r icmp", text, tracking: BridgeTracking(ipv4: true)).isAllowed)
  }

  @Test func rulesHoldOnTheWayToo() throws {
    let denied = Self.routed + "\npolicies: [{deny: client -> server}]"
    #expect(try !forecast("client -> server:80", denied).isAllowed)
    let closed = Self.routed.replacing("right: {internal: true}", with: "right: {internal: true, default: deny}")
    #expect(
      try forecast("client -> server:80", closed).because
        == "denied by default in network right (web.stack:6), by way of r1, r2")
    let opened = closed + "\npolicies: [{allow: client -> server:80}]"
    #expect(try forecast("client -> server:80", opened).isAllowed)
  }

  private static let trunk = """
    services:
      a10: {command: [x], networks: {lab: {vlan: 10}}, expose: ["80"]}
      b10: {command: [x], networks: {lab: {vlan: 10}}, expose: ["80"]}
      c20: {command: [x], networks: {lab: {vlan: 20}}, expose: ["80"]}
      d30: {command: [x], networks: {lab: {vlan: 30}}, expose: ["80"]}
      plain: {command: [x], networks: [lab], expose: ["80"]}
      r: {command: [x], networks: {lab: {vlan: {trunk: {10: 10.1.10.1, 20: 10.1.20.1}}}}, forward: true}
    networks:
      lab:
        subnet: 10.1.0.0/24
        vlans: {10: {subnet: 10.1.10.0/24, gateway: 10.1.10.1}, 20: {subnet: 10.1.20.0/24, gateway: 10.1.20.1}, 30: null}
    """

  @Test(arguments: [
    ("a10 -> b10:80", true, "allowed within VLAN 10 of network lab"),
    ("a10 -> c20:80", true, "allowed by way of r"),
    ("r -> c20:80", true, "allowed within VLAN 20 of network lab"),
    ("a10 -> r@lab.10 icmp", true, "allowed within VLAN 10 of network lab"),
    ("a10 -> r@lab.20 icmp", true, "allowed within VLAN 10 of network lab"),
    ("plain -> r@lab icmp", true, "allowed by default in network lab (web.stack:9)"),
    // In one subnet and not in one VLAN.
    ("plain -> d30:80", false, "denied since plain has no route there"),
    ("d30 -> plain:80", false, "denied since d30 has no route there"),
    ("d30 -> a10:80", false, "denied since d30 has no route there"),
    ("plain -> a10:80", false, "denied since host has no route there"),
    ("host -> a10:80", false, "denied since host has no route there"),
    ("host -> d30:80", false, "denied since host has no route there"),
  ])
  func vlansAreApartAndRoutedByWhoHasATrunk(_ name: String, _ isAllowed: Bool, _ because: String) throws {
    let forecast = try forecast(name, Self.trunk)
    #expect(forecast.isAllowed == isAllowed && forecast.because == because, "\(forecast)")
  }

  @Test func withoutForwardingVLANsStayApart() throws {
    let text = Self.trunk.replacing("forward: true", with: "forward: false")
    #expect(try forecast("a10 -> c20:80", text).because == "denied since r does not forward")
    #expect(try forecast("a10 -> b10:80", text).isAllowed)
  }

  @Test func whoIsInAVLANIsNearWhomeverElseIs() throws {
    let stack = try resolve(Self.trunk)
    let checks = ReachMatrix(stack, nextHop: nil).checks()
    let near = checks.filter { $0.isNear(in: stack) }.map(\.name)
    #expect(
      near.contains("a10 -> b10:80") && near.contains("a10 -> r@lab.10 icmp") && near.contains("plain -> r@lab icmp"))
    #expect(!near.contains("a10 -> c20:80") && !near.contains("a10 -> r@lab icmp") && !near.contains("d30 -> plain:80"))
  }

  @Test func linksAreColumnsOfTheirOwn() throws {
    let matrix = ReachMatrix(try resolve(Self.routed), nextHop: nil)
    #expect(matrix.columns.map(\.label).contains("r1@r2 icmp"))
    #expect(try forecast("r2 -> r1@r2 icmp", Self.routed).because == "allowed since links have no rules")
    #expect(!matrix.checks().contains { $0.source == .host && $0.column.label == "r1@r2 icmp" })
  }

  private static let macvlan = """
    services:
      a: {command: [x], networks: [lan], expose: ["80"]}
      b: {command: [x], networks: [lan]}
      c: {command: [x], ports: ["8080:80", "198.51.100.2:8081:81"]}
    networks:
      lan: {driver: macvlan, parent: uplink, subnet: 198.51.100.0/24, gateway: 198.51.100.1, ip_range: 198.51.100.48/28}
    """

  private static let apart =
    "denied since network lan is macvlan: the host and its own services there do not reach each other"

  @Test(arguments: [
    ("a -> b icmp", true, "allowed by default in network lan (web.stack:6)"),
    ("b -> internet icmp", true, "allowed by default in network lan (web.stack:6)"),
    ("c -> internet icmp", true, "allowed by default in network default (web.stack:4)"),
    ("host -> a:80", false, apart),
    ("c -> a:80", false, apart),
    ("a -> host:198.51.100.2:8081", false, apart),
    ("a -> c:80", false, "denied since no rule leads from one to the other"),
  ])
  func theHostIsNotOnItsMacvlanNetworks(_ name: String, _ isAllowed: Bool, _ because: String) throws {
    var facts = HostFacts.using()
    facts.parents = ["uplink": []]
    let matrix = ReachMatrix(try resolve(Self.macvlan, on: facts), nextHop: hop)
    let forecast = try #require(matrix.checks().first { $0.name == name }?.probes.first?.forecast)
    #expect(forecast.isAllowed == isAllowed && forecast.because == because, "\(forecast)")
    // The gateway there is not the host.
    #expect(!matrix.columns.contains { $0.target == .host(network: "lan") })
    #expect(!matrix.checks().contains { $0.name == "a -> host:8080" })
  }

  @Test func whoSharesANamespaceIsTheOtherOne() throws {
    let text = """
      services:
        web: {command: [x]}
        side: {command: [x], network_mode: "service:web", expose: ["9000"]}
        other: {command: [x]}
        bare: {command: [x], network_mode: none}
      """
    let matrix = ReachMatrix(try resolve(text), nextHop: nil)
    #expect(matrix.rows == [.service("web"), .service("other"), .service("bare"), .host])
    #expect(matrix.columns.map(\.label) == ["web:9000", "other icmp", "host icmp"])
    #expect(try !forecast("bare -> other icmp", text).isAllowed)
  }
}
