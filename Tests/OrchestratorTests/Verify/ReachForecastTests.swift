import Testing
@testable import Intent
@testable import Resolve
@testable import Verify

/// The predicted paths of packets over routes, links and routers, without rules.
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
    let checks = ReachMatrix(try resolve(text), nextHop: hop, tracking: tracking).checks()
    let check = checks.first { $0.name == name }
    return try #require(check?.probes.first?.forecast, "\(name) is none of \(checks.map(\.name))")
  }

  @Test func throughTwoRoutersAndBack() throws {
    let forecast = try forecast("client -> server:80", Self.routed)
    #expect(forecast.isAllowed && forecast.because == "allowed by way of r1, r2")
    #expect(try self.forecast("server -> client:80", Self.routed).isAllowed)
  }

  @Test(arguments: [
    ("routes: [\"left via r1\"]", "", "no answer comes back: r2 has no route to 10.208.0.2"),
    ("networks: [left], routes: [\"right via r1\"]", "networks: [left]", "client has no route to 10.208.1.3"),
    ("networks: [right], forward: true", "networks: [right]", "r2 does not forward"),
    ("\"right via r2\"", "\"blackhole 10.208.1.0/24\"", "r1 drops what goes there (web.stack:3)"),
    ("\"right via r2\"", "\"right via client\"", "it goes round in circles: client, r1, client"),
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

  @Test(arguments: [
    ("client:", "2", "denied since the TTL ends at r2"), ("client:", "3", "allowed by way of r1, r2"),
    ("server:", "1", "denied since no answer comes back: the TTL ends at r2"),
  ])
  func theTimeToLiveIsTheSenders(_ name: String, _ hops: String, _ because: String) throws {
    let text = Self.routed.replacing(
      "\(name) {command: [x],", with: "\(name) {command: [x], sysctls: {net.ipv4.ip_default_ttl: \"\(hops)\"},")
    #expect(try forecast("client -> server:80", text).because == because)
  }

  /// Every router passes packets on to the next: more of them than the time to live that a namespace begins with.
  @Test func aLongWayEndsWithTheTimeToLive() throws {
    let count = 70
    var lines = ["services:"]
    for number in 0..<count {
      let (next, last) = ("10.1.\(number).2", "10.1.\(count - 2).0/24")
      let routes = number < count - 2 ? ", routes: [\"\(last) via \(next)\"]" : ""
      lines.append("  r\(number): {command: [x], network_mode: none, forward: true\(routes)}")
    }
    lines.append("links:")
    for number in 0..<count - 1 {
      lines.append("  - ends: {r\(number): 10.1.\(number).1/24, r\(number + 1): 10.1.\(number).2/24}")
    }
    let stack = try resolve(lines.joined(separator: "\n"))
    let matrix = ReachMatrix(stack, nextHop: nil)
    let check = try #require(matrix.checks().first { $0.name == "r0 -> r\(count - 1) icmp" })
    #expect(check.probes.first?.forecast.because == "denied since the TTL ends at r64")
  }

  @Test func theOwnerOfANetworkDecidesThere() throws {
    let owner = try resolve(
      """
      name: o
      services: {s: {command: [x], networks: [f], expose: ["80"]}}
      networks: {f: {subnet: 10.99.0.0/24, default: deny}}
      policies: [{allow: "10.99.0.50 -> s:80"}]
      """)
    var guest = try resolve(
      """
      name: g
      services:
        x: {command: [x], networks: {f: {ipv4_address: 10.99.0.50}}}
        y: {command: [x], networks: {f: {ipv4_address: 10.99.0.51}}, expose: ["80"]}
      networks: {f: {subnet: 10.99.0.0/24}}
      """)
    guest.networks = owner.networks.map { network in
      var joined = network
      joined.owner = "o"
      return joined
    }
    let checks = ReachMatrix(guest, nextHop: nil, owners: [owner]).checks()
    for name in ["x -> y:80", "host -> y:80"] {
      let forecast = try #require(checks.first { $0.name == name }?.probes.first?.forecast)
      #expect(
        !forecast.isAllowed && forecast.because == "denied by default in network f (web.stack:3) of stack o",
        "\(forecast)")
    }
  }

  @Test func aRangeIsOfOneFamily() throws {
    let text = """
      services:
        a: {command: [x], networks: {n: {ipv4_address: 10.7.0.3}}}
        b: {command: [x], networks: [n], expose: ["80"]}
      networks: {n: {enable_ipv6: true, subnet: 10.7.0.0/24, default: deny}}
      policies: [{allow: "10.7.0.3 -> b:80"}]
      """
    let check = try #require(
      ReachMatrix(try resolve(text), nextHop: nil).checks().first { $0.name == "a -> b:80" })
    #expect(check.probes.map(\.forecast.isAllowed) == [true, false])
    let finding = ReachFinding(
      check: check, answers: [.answered(ReachAnswer.Arrival(witness: .service)), .refused(.path)])
    #expect(!finding.isWrong)
    #expect(finding.verdicts.map(\.isObserved) == [true, false])
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

  @Test func answersThatNoFirewallExpectsAreLost() throws {
    let text = """
      services:
        leaf: {command: [x], network_mode: none, routes: ["10.9.0.0/30 via r1"]}
        r1: {command: [x], networks: [n], forward: true}
        r2: {command: [x], networks: [n], forward: true, routes: ["10.9.1.0/30 via r1"]}
      networks: {n: {}}
      links:
        - ends: {r1: 10.9.0.1/30, r2: 10.9.0.2/30}
        - ends: {r1: 10.9.1.1/30, leaf: 10.9.1.2/30}
      expect: [{allow: "leaf -> r2:53/udp"}, {allow: "leaf -> r2:icmp"}]
      """
    // The question goes over cables alone, the answer over the network.
    #expect(try forecast("leaf -> r2@r1 icmp", text).isAllowed)
    #expect(try forecast("leaf -> r2@r1 icmp", text, tracking: BridgeTracking(ipv4: true)).isAllowed)
    // Without rules, no packet is asked which connection it belongs to.
    let ruled = text + "\npolicies: [{deny: r1 -> host}]"
    #expect(try forecast("leaf -> r2@r1 icmp", ruled).isAllowed)
    let tracked = try forecast("leaf -> r2@r1 icmp", ruled, tracking: BridgeTracking(ipv4: true))
    #expect(
      !tracked.isAllowed
        && tracked.because == "denied since the answer crosses network n, whose firewall has not seen the question")
    // A datagram is a question of its own.
    #expect(try forecast("leaf -> r2@r1:53/udp", ruled, tracking: BridgeTracking(ipv4: true)).isAllowed)
    let closed = text.replacing("networks: {n: {}}", with: "networks: {n: {default: deny}}")
    for name in ["leaf -> r2@r1 icmp", "leaf -> r2@r1:53/udp"] { #expect(try !forecast(name, closed).isAllowed) }
  }

  @Test func aRouterSendsNothingBackIntoTheSendersNetwork() throws {
    let text = """
      services:
        a: {command: [x], networks: [n], routes: ["10.9.0.0/30 via r1"]}
        r1: {command: [x], networks: [n], forward: true, routes: ["10.9.0.0/30 via r2"]}
        r2: {command: [x], networks: [n], forward: true}
        b: {command: [x], network_mode: none, routes: ["10.7.0.0/24 via r2"]}
      networks: {n: {subnet: 10.7.0.0/24}}
      links: [{ends: {r2: 10.9.0.1/30, b: 10.9.0.2/30}}]
      """
    let forecast = try forecast("a -> b icmp", text)
    #expect(
      !forecast.isAllowed
        && forecast.because
          == "denied since r1 sends it back into network n, which takes packets of 10.7.0.2 from its own port alone"
    )
    #expect(try self.forecast("a -> b icmp", text.replacing("via r1", with: "via r2")).isAllowed)
  }

  /// The sender is on the network too, and sends from an address that it has elsewhere.
  @Test func aRouterBringsOnlyPacketsOfThoseBehindIt() throws {
    let text = """
      services:
        a: {command: [x], networks: [n], ports: []}
        b: {command: [x], networks: {n: {}, m: {ipv4_address: 10.8.0.9}}, routes: ["10.9.0.0/30 via r1"]}
        r1: {command: [x], networks: [n], forward: true, routes: ["10.9.0.0/30 via r2"]}
        r2: {command: [x], networks: [n, m], forward: true}
        c: {command: [x], network_mode: none, routes: ["10.8.0.0/24 via r2", "10.7.0.0/24 via r2"]}
      networks: {n: {subnet: 10.7.0.0/24}, m: {subnet: 10.8.0.0/24}}
      links: [{ends: {r2: 10.9.0.1/30, c: 10.9.0.2/30}}]
      """
    let forecast = try forecast("c -> b@m icmp", text)
    #expect(
      forecast.because
        == "denied since no answer comes back: r1 sends it into network n, which takes from it only packets of those "
        + "behind it, and 10.8.0.9 is not")
    #expect(try self.forecast("c -> b@m icmp", text.replacing("via r1", with: "via r2")).isAllowed)
  }

  @Test func aHandshakeNeedsBothWaysSeen() throws {
    let text = """
      services:
        leaf: {command: [x], network_mode: none, routes: ["10.7.0.0/24 via r1"]}
        r1: {command: [x], networks: [n], forward: true}
        r2: {command: [x], networks: [n], forward: true, routes: ["10.9.1.0/30 via 10.9.0.1"], expose: ["80", "53/udp"]}
      networks: {n: {subnet: 10.7.0.0/24}}
      links:
        - ends: {r1: 10.9.0.1/30, r2: 10.9.0.2/30}
        - ends: {r1: 10.9.1.1/30, leaf: 10.9.1.2/30}
      """
    let tracking = BridgeTracking(ipv4: true)
    #expect(try forecast("leaf -> r2@n:80", text, tracking: tracking).isAllowed)
    let ruled = text + "\npolicies: [{deny: r1 -> host}]"
    let forecast = try forecast("leaf -> r2@n:80", ruled, tracking: tracking)
    #expect(
      !forecast.isAllowed && forecast.because == "denied since the firewall of network n does not see the answers")
    #expect(try self.forecast("leaf -> r2@n:53/udp", ruled, tracking: tracking).isAllowed)
    #expect(try self.forecast("leaf -> r2@n:80", ruled).isAllowed)
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
    ("plain -> d30:80", false, "denied since plain asks for 10.1.0.2 on network lab, where nobody has it"),
    ("d30 -> plain:80", false, "denied since d30 asks for 10.1.0.3 on VLAN 30 of network lab, where nobody has it"),
    ("d30 -> a10:80", false, "denied since d30 has no route to 10.1.10.2"),
    ("plain -> a10:80", false, "denied since host has no route to 10.1.10.2"),
    ("host -> a10:80", false, "denied since host has no route to 10.1.10.2"),
    ("host -> d30:80", false, "denied since host asks for 10.1.0.2 on network lab, where nobody has it"),
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
