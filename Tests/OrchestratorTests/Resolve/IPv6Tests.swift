import Testing
@testable import Addresses
@testable import Intent
@testable import Netfilter
@testable import Orchestrator
@testable import Resolve
@testable import Rules
@testable import Vocabulary

/// The subnets and addresses chosen for networks with IPv6.
@Suite struct IPv6Tests {
  private static func text(_ name: String, _ services: String = "a: {command: [x]}", _ network: String = "") -> String {
    "name: \(name)\nservices: {\(services)}\nnetworks: {default: {enable_ipv6: true\(network)}}\n"
  }

  private func subnet(_ stack: DesiredStack) throws -> IPv6Prefix {
    try #require(stack.networks.first?.ipv6?.subnet)
  }

  @Test func theSubnetIsUniqueLocalAndFollowsFromTheNames() throws {
    let first = try resolve(Self.text("one"))
    let ipv6 = try #require(first.networks[0].ipv6)
    #expect(ipv6.subnet.isUniqueLocal && ipv6.subnet.length == 64)
    #expect("\(ipv6.gateway)" == "\(ipv6.subnet.network)1")
    #expect(try subnet(resolve(Self.text("one"))) == ipv6.subnet)
    #expect(try subnet(resolve(Self.text("two"))) != ipv6.subnet)
    let two = try resolve(
      "name: one\nservices: {a: {command: [x], networks: [default, other]}}\n"
        + "networks: {default: {enable_ipv6: true}, other: {enable_ipv6: true}}")
    let subnets = two.networks.compactMap(\.ipv6?.subnet)
    #expect(subnets.count == 2 && subnets[0] == ipv6.subnet)
    // Networks of one stack share the global identifier (RFC 4193, 3.1).
    #expect(subnets[0].network.high >> 16 == subnets[1].network.high >> 16 && subnets[0] != subnets[1])
  }

  @Test func aSubnetThatIsTakenIsPassedOverAndOneThatIsHeldIsKept() throws {
    let free = try subnet(resolve(Self.text("one")))
    let busy = HostFacts.using(["\(free)"])
    let moved = try resolve(Self.text("one"), on: busy)
    #expect(try subnet(moved) != free)
    #expect(try subnet(resolve(Self.text("one"), previous: moved)) == subnet(moved))
    let fixed = Self.text("one", "a: {command: [x]}", ", subnet: \"\(free)\"")
    #expect(
      obstacles(fixed, on: busy).map(\.message) == ["subnet \(free) overlaps \(free), a route of the host over eth0"])
    #expect(try subnet(resolve(fixed)) == free)
  }

  /// The search has an end, and says who is in the way.
  @Test func aHostThatHasAllUniqueLocalAddressesIsTold() throws {
    let taken = HostFacts.using(["fc00::/7"])
    #expect(
      obstacles(Self.text("one"), on: taken).map(\.message) == [
        "none of 1024 subnets in fd00::/8 is free: fc00::/7 is a route of the host over eth0"
      ])
    #expect(obstacles(Self.text("one", "a: {command: [x]}", ", subnet: \"2001:db8::/64\""), on: taken).isEmpty)
  }

  @Test func addressesEndInTheSameNumberInBothFamilies() throws {
    let services =
      "a: {command: [x]}, b: {command: [x], networks: {default: {ipv6_address: \"fd00:1::2\"}}}, c: {command: [x]}"
    let stack = try resolve(Self.text("one", services, ", subnet: \"fd00:1::/64\""))
    // The second address is fixed for b, so a has one beyond all that an IPv4 subnet could have.
    #expect(
      stack.services.map { "\($0.attachments[0].addresses)" } == [
        "[10.208.0.2, fd00:1::1:0:0]", "[10.208.0.3, fd00:1::2]", "[10.208.0.4, fd00:1::4]",
      ])
  }

  @Test func theDefaultRouteOfIPv6IsOnANetworkThatHasIt() throws {
    let stack = try resolve(
      "services: {a: {command: [x], networks: {old: {gw_priority: 9}, new: {}, in: {gw_priority: 10}}}}\n"
        + "networks: {old: {}, new: {enable_ipv6: true}, in: {enable_ipv6: true, internal: true}}")
    let attachments = stack.services[0].attachments
    #expect(attachments.filter(\.isDefaultRoute).map(\.network) == ["old"])
    #expect(attachments.filter { $0.ipv6?.isDefaultRoute ?? false }.map(\.network) == ["new"])
    #expect(stack.neededForwarding == [.ipv4, .ipv6])
  }

  @Test func aKernelWithoutIPv6IsSaid() {
    var facts = HostFacts.using()
    facts.hasIPv6 = false
    #expect(obstacles(Self.text("one"), on: facts).map(\.message) == ["IPv6 is not to be had: this kernel has none"])
    #expect(obstacles("services: {a: {command: [x]}}", on: facts).isEmpty)
  }

  @Test func whatIsNotNeededIsNotForwarded() throws {
    #expect(try resolve("services: {a: {command: [x]}}").neededForwarding == .ipv4)
    let inside = "services: {a: {command: [x]}}\nnetworks: {default: {enable_ipv6: true, internal: true}}"
    #expect(try resolve(inside).neededForwarding == [])
  }

  @Test func theTableOfAStackWithoutIPv6HasNothingOfIt() throws {
    let ports = "a: {command: [x], ports: ['80:80']}"
    let plain = Firewall(try resolve("services: {\(ports)}")).table.rendered
    #expect(!plain.contains("ip6") && !plain.replacing("meta nfproto ipv6 drop", with: "").contains("ipv6"))
    let rendered = Firewall(try resolve(Self.text("one", ports))).table.rendered
    #expect(rendered.contains("map published6 ") && rendered.contains("map loopback6 "))
    #expect(!rendered.contains("_from"))
    #expect(rendered.contains("iifname . ip6 daddr . meta l4proto . th dport @names6 notrack"), "\(rendered)")
    #expect(rendered.contains("iifname . ip6 daddr . meta l4proto . th dport @names6 accept"))
    #expect(rendered.contains("oifname . ip6 saddr . meta l4proto . th sport @names6 notrack"))
  }

  @Test func doctorSaysWhatForwardingChanges() {
    let finding = HostExamination.judge(forwardsIPv6: false, listening: ["eth0"])
    #expect(finding.text.contains("accept_ra of eth0 is 2 meanwhile"))
    #expect(!HostExamination.judge(forwardsIPv6: false, listening: []).text.contains("accept_ra"))
    #expect(HostExamination.judge(forwardsIPv6: true, listening: ["eth0"]).text.contains("stay so"))
  }
}
