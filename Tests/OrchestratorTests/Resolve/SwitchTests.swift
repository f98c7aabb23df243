import Testing
@testable import Addresses
@testable import Intent
@testable import Planning
@testable import Resolve
@testable import Rules
@testable import Verify
@testable import Vocabulary

/// Services that join their cables by a bridge.
@Suite struct SwitchTests {
  private static let text = """
    services:
      s1: {switch: true}
      s2: {switch: {interface_name: sw}}
      a: {command: [x], network_mode: none, routes: ["10.9.0.0/16 via r", "10.8.0.0/16 via 10.0.0.3"]}
      b: {command: [x], network_mode: none, loopback: [10.255.0.2]}
      r: {command: [x], network_mode: none, forward: true}
    links:
      - {ends: {a: 10.0.0.1/24, s1: null}}
      - {ends: {b: 10.0.0.2/24, s2: null}}
      - {endpoints: ["s1:trunk", "s2:trunk"]}
      - {ends: {r: [10.0.0.3/24, "fd00::3/64"], s2: null}}
    """

  @Test func cablesOfASwitchAreOneWire() throws {
    let stack = try resolve(Self.text)
    let domains = stack.cableDomains
    #expect((0..<4).allSatisfy { domains[$0] == 0 })
    #expect(stack.service(named: "a")?.routes.map(\.text) == ["10.9.0.0/16 via 10.0.0.3", "10.8.0.0/16 via 10.0.0.3"])
    #expect(
      stack.links[2].ends.map(\.bridge) == ["br0", "sw"]
        && !stack.links[2].ends.contains { stack.links[2].hasIPv6(at: $0) })
    #expect(
      stack.service(named: "a")?.extraHosts.map { "\($0.name)=\($0.address)" }.sorted() == [
        "b=10.0.0.2", "r=10.0.0.3", "r=fd00::3",
      ])
    let checks = ReachMatrix(stack, nextHop: nil).checks()
    let forecast = checks.first { $0.name == "a -> b@s2 icmp" }?.probes.first?.forecast
    #expect(forecast?.isAllowed == true, "\(checks.map(\.name))")
    #expect(!checks.contains { $0.name.hasPrefix("s1 ->") || $0.name.contains("-> s1") }, "\(checks.map(\.name))")
    #expect(stack.services[0].process.arguments == ["sleep", "infinity"])
  }

  @Test func theBridgeIsMadeWithTheNamespace() throws {
    let commands = Planner.up(try resolve(Self.text), recorded: nil, observed: [:]).steps.flatMap {
      $0.commands(folders: StateFolders())
    }
    #expect(
      commands.contains { $0.hasPrefix("ip -n web.s1 link add br0 ") && $0.hasSuffix("stp_state 0 mcast_snooping 0") })
    #expect(
      commands.contains { $0.hasPrefix("ip -n web.s2 link set trunk ") && $0.hasSuffix(" master sw") }, "\(commands)")
  }

  @Test func aRuleThatCannotBeKeptAcrossASwitchIsRefused() {
    let errors = obstacles(Self.text + "\npolicies: [{deny: a -> b}]", on: .using()).map(\.message)
    #expect(errors.contains { $0.contains("a link joins a and b") }, "\(errors)")
  }

  @Test(arguments: [
    ("s1: {switch: true", "s1: {networks: [n], switch: true", "is on a network"),
    ("s1: {switch: true", "s1: {ports: [\"80:80\"], switch: true", "publishes a port"),
    ("s1: {switch: true", "s1: {routes: [\"blackhole 10.0.0.0/8\"], switch: true", "has a route"),
    ("s1: {switch: true", "s1: {network_mode: host, switch: true", "has no network of its own"),
    ("s1: null}", "s1: 10.0.0.9/24}", "has an address on a cable"),
    (
      "[\"s1:trunk\", \"s2:trunk\"]}", "[\"s1:trunk\", \"s2:trunk\"]}\n  - {endpoints: [\"s1:x\", \"s2:x\"]}",
      "in a circle"
    ),
    ("s2: {switch: {interface_name: sw}}", "s2: {switch: {interface_name: trunk}}", "two interfaces of service \"s2\""),
  ])
  func whatCannotBeIsSaid(_ part: String, _ other: String, _ problem: String) {
    let shown = diagnose(Self.text.replacing(part, with: other, maxReplacements: 1) + "\nnetworks: {n: {}}")
    #expect(shown.contains(problem), "\(shown)")
  }

  @Test func theSpanningTreeAllowsACircle() throws {
    let ring = Self.text.replacing(
      "[\"s1:trunk\", \"s2:trunk\"]}", with: "[\"s1:trunk\", \"s2:trunk\"]}\n  - {endpoints: [\"s1:x\", \"s2:x\"]}"
    )
    .replacing("{switch: true}", with: "{switch: {stp: true}}")
    .replacing("{interface_name: sw}", with: "{interface_name: sw, stp: true}")
    #expect(try resolve(ring).links.count == 5)
  }

  @Test func addressesBehindASwitchAreBehindItsRouter() throws {
    let stack = try resolve(
      """
      services:
        r: {command: [x], networks: [lan], forward: true}
        sw: {switch: true}
        h: {command: [x], network_mode: none, loopback: [10.255.0.3]}
      networks: {lan: {internal: true}}
      links: [{ends: {r: 10.0.0.1/24, sw: null}}, {ends: {h: 10.0.0.2/24, sw: null}}]
      """)
    let r = try #require(stack.service(named: "r"))
    let behind = RoutedAddresses(stack).behind(r, towards: "lan")[.v4] ?? []
    for text in ["10.0.0.2", "10.255.0.3"] {
      let address = try #require(IPAddress(text))
      #expect(behind.contains { $0.meets(AddressRange(address)) }, "\(text)")
    }
  }
}
