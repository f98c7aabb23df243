import Testing
@testable import Addresses
@testable import Intent
@testable import StackFiles
@testable import Vocabulary

@Suite struct RuleReadingTests {
  private func rule(_ text: String) throws -> PolicyRule {
    let file = """
      services: {web: {command: a, networks: [front]}, db: {command: b, networks: [front]}}
      networks: {front: {}}
      policies: [{allow: '\(text)'}]
      """
    let stack = try #require(load(file).stack, "\(diagnose(file))")
    return try #require(stack.policies.first).desired
  }

  /// A rule without ports is about all of them, so those of one before it cover none of it.
  @Test(arguments: [
    ("web -> db:5432", "web -> db", false), ("web -> db", "web -> db:5432", true),
    ("web -> db:80-90", "web -> db:85,90", true), ("web -> db:80-90", "web -> db:85,91", false),
    ("web -> db:80,81", "web -> db:81", true), ("web -> db:80/udp", "web -> db:80", false),
  ])
  func aRuleIsCoveredByOneAboutAllOfIt(_ first: String, _ second: String, _ isCovered: Bool) {
    let outcome = load(
      """
      services: {web: {command: a}, db: {command: b}}
      policies: [{allow: '\(first)'}, {deny: '\(second)'}]
      """)
    #expect(outcome.diagnostics.map(\.code) == (isCovered ? [.shadowedRule] : []))
  }

  @Test(arguments: [
    ("web -> db", [PolicyPeer.service("web")], [PolicyPeer.service("db")], []),
    ("web->db", [.service("web")], [.service("db")], []),
    ("w?b, d* -> any", [.pattern("w?b"), .pattern("d*")], [.any], []),
    ("host -> db:5432", [.host], [.service("db")], [PortSelector(5432...5432, .tcp)]),
    (
      "network:front -> internet:53/udp , 53/tcp", [.network("front")], [.internet],
      [PortSelector(53...53, .udp), PortSelector(53...53, .tcp)]
    ),
    ("any -> network:front:80-90", [.any], [.network("front")], [PortSelector(80...90, .tcp)]),
    (
      "any -> db,label:tier=back:icmp,udp", [.any], [.service("db"), .label(key: "tier", value: "back")],
      [PortSelector(.icmp), PortSelector(.udp)]
    ),
    (
      "203.0.113.7 -> web:80", [.range(.v4(IPv4Prefix("203.0.113.7/32") ?? .any))], [.service("web")],
      [PortSelector(80...80, .tcp)]
    ),
    (
      "any -> fd00:1::/64:80", [.any], [.range(.v6(IPv6Prefix("fd00:1::/64") ?? .any))],
      [PortSelector(80...80, .tcp)]
    ),
    ("any -> [fd00:1::5]:tcp", [.any], [.range(.v6(IPv6Prefix("fd00:1::5/128") ?? .any))], [PortSelector(.tcp)]),
    ("any -> fd00:1::5", [.any], [.range(.v6(IPv6Prefix("fd00:1::5/128") ?? .any))], []),
    (
      "any -> 10.0.0.0/8, db:1", [.any], [.range(.v4(IPv4Prefix("10.0.0.0/8") ?? .any)), .service("db")],
      [PortSelector(1...1, .tcp)]
    ),
  ])
  func readsEveryKindOfPeerAndPort(
    _ text: String, _ sources: [PolicyPeer], _ destinations: [PolicyPeer], _ ports: [PortSelector]
  ) throws {
    let rule = try rule(text)
    #expect(rule.action == .allow)
    #expect(rule.sources == sources)
    #expect(rule.destinations == destinations)
    #expect(rule.ports == ports)
    #expect(rule.text == text)
    #expect(rule.declaredAt?.description == "web.stack:3")
  }

  @Test func standsUnderExtrasToo() throws {
    let stack = try resolve(
      """
      services: {web: {command: a, networks: [front, back]}}
      networks:
        front: {x-stack: {default: deny}}
        back: {default: allow}
      x-stack:
        policies:
          - deny: any -> web:22
          - allow: web -> internet
        expect:
          - deny: host -> web:22
      """)
    #expect(stack.policy.rules.map(\.line) == ["deny: any -> web:22", "allow: web -> internet"])
    #expect(stack.policy.expectations.map(\.line) == ["deny: host -> web:22"])
    #expect(stack.policy.closedNetworks == ["front"])
  }

  @Test func isWrittenOutAsItIsRead() throws {
    let text = """
      services: {web: {command: a}}
      networks: {default: {default: deny}}
      policies: [allow: "any -> web:80"]
      expect: [allow: "host -> web:80"]
      """
    let stack = try #require(load(text).stack)
    #expect(try #require(load(stack.output.prettyJSON).stack) == stack)
  }

  /// A moved line changes nothing. Changed rules change no network and no service.
  @Test func changesTheFirewallAlone() throws {
    let before = try resolve("services: {web: {command: a}}\npolicies: [deny: any -> web]")
    let same = try resolve("services: {web: {command: a}}\n\npolicies: [deny: any -> web]", previous: before)
    #expect(before == same)
    let after = try resolve(
      "services: {web: {command: a}}\nnetworks: {default: {default: deny}}\npolicies: [allow: any -> web]",
      previous: before)
    #expect(before != after)
    #expect(before.networks == after.networks)
    #expect(before.services == after.services)
  }

  @Test(arguments: [
    ("web*", "web", true), ("web*", "web12", true), ("web?", "web", false), ("*b*b", "bbb", true),
    ("*", "", true), ("a*b?c", "axxbyc", true), ("a*b?c", "axxbc", false), ("", "a", false),
    ("*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
  ])
  func patternsMatch(_ pattern: String, _ name: String, _ matches: Bool) {
    #expect(NamePattern(pattern).matches(name) == matches)
  }
}
