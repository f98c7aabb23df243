import Testing
@testable import Addresses
@testable import Intent
@testable import Rules

@Suite struct PolicyEvaluatorTests {
  private func evaluator(_ policies: [String], front: String = "", back: String = "") throws -> PolicyEvaluator {
    let rules = policies.map { "  - \($0)\n" }.joined()
    return PolicyEvaluator(
      try resolve(
        """
        services:
          web: {command: a, networks: [front], scale: 2, labels: {tier: web}}
          api: {command: a, networks: [front, back], ports: ["8080:80"]}
          db: {command: a, networks: [back]}
          lone: {command: a, networks: [inside]}
        networks:
          front: {subnet: 10.1.0.0/24, \(front)}
          back: {subnet: 10.2.0.0/24, \(back)}
          inside: {internal: true}
        policies:
        \(rules)
        """))
  }

  private let outside = PolicyEndpoint.outside(IPAddress("203.0.113.9") ?? .v4(.any))

  @Test func isOpenWithinANetworkAndClosedBetweenThem() throws {
    let policy = try evaluator([])
    #expect(
      policy.decision(from: .service("web-1"), to: .service("api"), .tcp(80)).description
        == "allowed by default in network front")
    #expect(policy.decision(from: .service("web-1"), to: .service("db"), .tcp(80)).reason == .isolation)
    #expect(policy.decision(from: .service("web-1"), to: .service("db"), .tcp(80)).isAllowed == false)
    #expect(policy.decision(from: .service("web-1"), to: .service("api", network: "back"), .icmp).reason == .isolation)
    #expect(policy.decision(from: .service("web-1"), to: .service("web-1"), .tcp(1)).reason == .itself)
    #expect(policy.decision(from: .service("lone"), to: .service("db"), .tcp(1)).reason == .noRoute)
    #expect(policy.decision(from: .service("lone"), to: outside, .tcp(1)).reason == .noRoute)
    #expect(policy.decision(from: .service("web-1"), to: outside, .udp(53)).isAllowed)
    #expect(policy.decision(from: outside, to: .service("api"), .tcp(80)).reason == .isolation)
    #expect(policy.decision(from: outside, to: .service("api"), .tcp(80), isPublished: true).isAllowed)
    #expect(policy.decision(from: .service("db"), to: .service("api"), .tcp(80), isPublished: true).isAllowed)
    #expect(policy.decision(from: .host(), to: .service("db"), .tcp(80)).isAllowed)
    #expect(policy.decision(from: .service("db"), to: .host(), .tcp(22)).isAllowed)
    #expect(
      policy.decision(from: .service("db"), to: .host(IPAddress("10.1.0.1")), .tcp(22)).reason == .isolation)
  }

  @Test func theFirstRuleDecides() throws {
    let policy = try evaluator(
      ["allow: web-2 -> api:80", "deny: web -> api:80-90,icmp", "allow: web -> api:85", "deny: any -> api:443/udp"])
    func decision(_ source: String, _ packet: PolicyPacket) -> PolicyDecision {
      policy.decision(from: .service(source), to: .service("api"), packet)
    }
    #expect(decision("web-2", .tcp(80)).description == "allowed by web.stack:11, allow: web-2 -> api:80")
    #expect(decision("web-1", .tcp(80)).description == "denied by web.stack:12, deny: web -> api:80-90,icmp")
    #expect(decision("web-1", .tcp(85)).reason == .rule(1))
    #expect(decision("web-1", .icmp).reason == .rule(1))
    #expect(decision("web-1", .udp(80)).reason == .networkDefault("front"))
    #expect(decision("db", .udp(443)).reason == .rule(3))
    #expect(decision("db", .other(132)).reason == .networkDefault("back"))
  }

  @Test func aRuleOpensTheWayBetweenNetworks() throws {
    let policy = try evaluator(["allow: web* -> db:5432", "allow: lone -> db"])
    #expect(policy.decision(from: .service("web-1"), to: .service("db"), .tcp(5432)).reason == .rule(0))
    #expect(policy.decision(from: .service("web-1"), to: .service("db"), .tcp(5433)).reason == .isolation)
    #expect(policy.decision(from: .service("db"), to: .service("web-1"), .tcp(5432)).reason == .isolation)
    #expect(policy.decision(from: .service("lone"), to: .service("db"), .tcp(1)).reason == .noRoute)
  }

  @Test func aClosedNetworkLetsNothingInOrOutThatNoRuleAllows() throws {
    let policy = try evaluator(
      ["allow: network:front -> api:80", "allow: any -> internet:53/udp", "allow: 203.0.113.0/24 -> api"],
      front: "default: deny")
    #expect(policy.decision(from: .service("web-1"), to: .service("api"), .tcp(80)).isAllowed)
    #expect(policy.decision(from: .service("web-1"), to: .service("api"), .tcp(81)).reason == .networkDefault("front"))
    #expect(policy.decision(from: .service("web-1"), to: outside, .udp(53)).reason == .rule(1))
    #expect(policy.decision(from: .service("web-1"), to: outside, .tcp(80)).isAllowed == false)
    #expect(policy.decision(from: .service("db"), to: outside, .tcp(80)).reason == .networkDefault("back"))
    #expect(policy.decision(from: outside, to: .service("api"), .tcp(80), isPublished: true).reason == .rule(2))
    #expect(policy.decision(from: outside, to: .service("api"), .tcp(80)).reason == .isolation)
    let other = PolicyEndpoint.outside(IPAddress("198.51.100.1") ?? .v4(.any))
    #expect(policy.decision(from: other, to: .service("api"), .tcp(80), isPublished: true).isAllowed == false)
    #expect(policy.decision(from: .host(), to: .service("web-1"), .icmp).isAllowed == false)
    #expect(policy.decision(from: .service("web-1"), to: .host(), .tcp(22)).isAllowed == false)
    #expect(policy.decision(from: .service("web-1"), to: .host(), .udp(53)).reason == .names)
  }

  @Test func onlyARuleThatNamesALinkLocalAddressLeadsThere() throws {
    let metadata = PolicyEndpoint.outside(IPAddress("169.254.169.254") ?? .v4(.any))
    let own = PolicyEndpoint.host(IPAddress("169.254.170.2"))
    func reasons(_ rules: [String]) throws -> [PolicyDecision.Reason] {
      let policy = try evaluator(rules)
      return [metadata, own].map { policy.decision(from: .service("web-1"), to: $0, .tcp(80)).reason }
    }
    #expect(try reasons([]) == [.linkLocal, .linkLocal])
    #expect(
      try reasons(["allow: web -> internet,host", "allow: any -> any", "allow: web -> 169.0.0.0/8"])
        == [.linkLocal, .linkLocal])
    #expect(try reasons(["allow: web -> 169.254.169.254:80"]) == [.rule(0), .linkLocal])
    #expect(try reasons(["allow: web -> 169.254.169.254:443"]) == [.linkLocal, .linkLocal])
    #expect(try reasons(["allow: web -> 169.254.0.0/16"]) == [.rule(0), .rule(0)])
    #expect(try reasons(["deny: web -> internet", "allow: web -> 169.254.0.0/16"]) == [.rule(0), .rule(1)])
    #expect(try reasons(["deny: web -> host", "allow: web -> 169.254.0.0/16"]) == [.rule(1), .rule(0)])
    let denied = try evaluator([]).decision(from: .service("web-1"), to: metadata, .tcp(80))
    #expect(denied.description == "denied since the destination is link-local, and no rule names it")
  }

  @Test func peersAreServicesByNameLabelNetworkAndRange() throws {
    let policy = try evaluator([
      "deny: label:tier=web -> api:1", "deny: network:back -> api:2", "deny: 10.1.0.2 -> api:3",
      "deny: host -> api:4",
    ])
    func denied(_ source: PolicyEndpoint, _ port: UInt16, network: String? = nil) -> Bool {
      !policy.decision(from: source, to: .service("api", network: network), .tcp(port)).isAllowed
    }
    #expect(denied(.service("web-2"), 1))
    #expect(!denied(.service("db"), 1))
    #expect(denied(.service("db"), 2))
    #expect(!denied(.service("web-1"), 2))
    #expect(denied(.service("web-1"), 3) != denied(.service("web-2"), 3))
    #expect(denied(.host(), 4))
    #expect(!denied(.service("web-1"), 4))
  }

  /// A rule may name one of the host's addresses. Without another, the host has the one in the service's network.
  @Test func theHostIsJudgedByTheAddressThatItHas() throws {
    let policy = try evaluator([
      "deny: 10.1.0.1 -> web:1", "deny: 10.2.0.1 -> web:2", "deny: web -> 10.1.0.1:3", "deny: web -> 192.0.2.5:4",
    ])
    let (back, other) = (try #require(IPAddress("10.2.0.1")), try #require(IPAddress("192.0.2.5")))
    func denied(from address: IPAddress?) -> [UInt16] {
      (1...4).filter { !policy.decision(from: .host(address), to: .service("web-1"), .tcp($0)).isAllowed }
    }
    func denied(to address: IPAddress?) -> [UInt16] {
      (1...4).filter { !policy.decision(from: .service("web-1"), to: .host(address), .tcp($0)).isAllowed }
    }
    #expect(denied(from: nil) == [1])
    #expect(denied(from: back) == [2])
    #expect(denied(from: other) == [])
    #expect(denied(to: nil) == [3])
    #expect(denied(to: other) == [4])
  }

  @Test func decidesByAddressToo() throws {
    let stack = try resolve(
      """
      services: {web: {command: a}, db: {command: b}}
      networks: {default: {subnet: 10.1.0.0/24}}
      policies: [deny: "web -> db:5432", deny: "host -> db:22"]
      """)
    let policy = PolicyEvaluator(stack)
    func decision(_ source: String, _ destination: String, _ packet: PolicyPacket) -> PolicyDecision.Reason? {
      guard let source = IPAddress(source), let destination = IPAddress(destination) else { return nil }
      return policy.decision(
        from: source, to: destination, packet, isPublished: false,
        hostAddresses: [IPAddress("192.0.2.5") ?? .v4(.any)])?.reason
    }
    #expect(decision("10.1.0.2", "10.1.0.3", .tcp(5432)) == .rule(0))
    #expect(decision("10.1.0.3", "10.1.0.2", .tcp(5432)) == .networkDefault("default"))
    #expect(decision("10.1.0.1", "10.1.0.3", .tcp(22)) == .rule(1))
    #expect(decision("192.0.2.5", "10.1.0.3", .tcp(22)) == .rule(1))
    #expect(decision("127.0.0.1", "10.1.0.3", .tcp(22)) == .rule(1))
    #expect(decision("192.0.2.6", "10.1.0.3", .tcp(22)) == .isolation)
    #expect(decision("192.0.2.6", "192.0.2.7", .tcp(22)) == nil)
  }
}
