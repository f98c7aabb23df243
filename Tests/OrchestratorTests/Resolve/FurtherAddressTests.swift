import Testing
@testable import Addresses
@testable import Intent
@testable import Planning
@testable import Resolve
@testable import Rules
@testable import StackFiles
@testable import Verify
@testable import Vocabulary

/// Addresses of a service beside those of its networks and links: who must know them, and how they come and go.
@Suite struct FurtherAddressTests {
  private static func file(_ addresses: String, loopback: String = "", of name: String = "r") -> String {
    let further = [name == "r" ? addresses : "", name == "a" ? addresses : ""]
    return """
      services:
        a: {command: [x], networks: {lan: {addresses: [\(further[1])]}}, expose: ["80"]}
        b: {command: [x], networks: {lan: {}}}
        r:
          command: [x]
          networks: {lan: {addresses: [\(further[0])]}}
          loopback: [\(loopback)]
          forward: true
      networks: {lan: {enable_ipv6: true, ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}}}
      """
  }

  @Test func nobodyElseIsGivenThem() throws {
    let stack = try resolve(Self.file("10.1.0.2, \"fd00:1::3\""))
    #expect(stack.services.map { "\($0.attachments[0].address)" } == ["10.1.0.3", "10.1.0.4", "10.1.0.5"])
    let used = stack.services.compactMap { $0.attachments[0].ipv6?.address }
    #expect(!used.contains { "\($0)" == "fd00:1::3" })
    let other = try resolve(Self.file("10.208.0.9/24", loopback: "10.208.1.1"))
    #expect(
      other.service(named: "r")?.furtherAddresses.map(\.text) == ["10.208.0.9/24 on eth0", "10.208.1.1/32 on lo"])
    // A subnet that is chosen is none of theirs either.
    let chosen = try resolve(
      """
      services: {r: {command: [x], networks: {lan: {addresses: [10.208.0.9/24]}}, loopback: [10.208.1.1]}}
      networks: {lan: {}}
      """)
    #expect("\(chosen.networks[0].subnet)" == "10.208.2.0/24")
  }

  @Test func neighboursKnowTheirHardwareAddress() throws {
    let stack = try resolve(Self.file("10.1.0.9, 10.9.0.1/24, \"fd00:9::1/64\""))
    let b = try #require(stack.service(named: "b")?.attachments.first)
    let r = try #require(stack.service(named: "r")?.attachments.first)
    let known = stack.knownNeighbours(of: b).filter { $0.mac == r.mac }.map { "\($0.address)" }
    #expect(known == ["10.1.0.4", "fd00:1::4", "10.1.0.9", "10.9.0.1", "fd00:9::1"])
  }

  @Test func itsPortMaySendFromThemAndNoOther() throws {
    let stack = try resolve(Self.file("10.9.0.1/24", loopback: "10.255.0.1, \"fd00:ff::1\""))
    let ports = stack.guardedPorts()
    let own = try #require(ports.first { $0.hardware == [stack.services[2].attachments[0].mac] })
    for text in ["10.9.0.1", "10.255.0.1", "fd00:ff::1"] {
      let address = try #require(IPAddress(text))
      #expect(own.addresses.contains(address))
      #expect(!ports.filter { $0.link != own.link }.contains { $0.addresses.contains(address) })
    }
  }

  @Test func whatIsBehindARouterHasThemToo() throws {
    let stack = try resolve(
      """
      services:
        r1: {command: [x], networks: [lan], forward: true}
        r2: {command: [x], network_mode: none, forward: true, loopback: [10.255.0.2]}
        h: {command: [x], network_mode: none, loopback: [10.255.0.3]}
      networks: {lan: {internal: true}}
      links: [{ends: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}}, {ends: {r2: 10.0.23.1/30, h: 10.0.23.2/30}}]
      """)
    let r1 = try #require(stack.service(named: "r1"))
    let behind = RoutedAddresses(stack).behind(r1, towards: "lan")[.v4] ?? []
    for text in ["10.255.0.2", "10.255.0.3"] {
      let address = try #require(IPAddress(text))
      #expect(behind.contains { $0.meets(AddressRange(address)) }, "\(text)")
    }
  }

  @Test func packetsFindThem() throws {
    let stack = try resolve(
      """
      services:
        a: {command: [x], networks: [lan], routes: ["10.255.0.1/32 via r", "10.9.0.0/24 via 10.1.0.9"]}
        r: {command: [x], networks: {lan: {addresses: [10.1.0.9, 10.9.0.1/24]}}, loopback: [10.255.0.1]}
      networks: {lan: {subnet: 10.1.0.0/24, internal: true}}
      """)
    let matrix = ReachMatrix(stack, nextHop: nil)
    let checks = Dictionary(matrix.checks().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let own = try #require(checks["a -> r@lan icmp"])
    #expect(own.probes.map { "\($0.question.destination)" } == ["10.1.0.3", "10.1.0.9", "10.9.0.1"])
    #expect(own.probes.allSatisfy { $0.forecast.isAllowed })
    let (near, host) = (checks["a -> r@lo icmp"]?.probes ?? [], checks["host -> r@lo icmp"]?.probes ?? [])
    #expect(near.map { $0.forecast.isAllowed } == [true] && host.map { $0.forecast.isAllowed } == [false])
  }

  // MARK: Changes

  private static func change(_ old: String, to new: String) throws -> Plan {
    let before = try resolve(old)
    let after = try resolve(new, previous: before)
    return Planner.up(after, recorded: before, observed: before.all(.running))
  }

  @Test func aChangeMakesNobodyAnew() throws {
    let plan = try Self.change(Self.file("10.1.0.9", loopback: "10.255.0.1"), to: Self.file("10.9.0.1/24"))
    #expect(
      plan.short == [
        "unsettle", "no addresses r 10.1.0.9/32 on eth0+10.255.0.1/32 on lo", "record", "folders", "host root",
        "prepare",
        "firewall", "addresses r",
      ])
    #expect(plan.why == ["r: other addresses"])
    // One that moves is taken away before it is given.
    let moved = try Self.change(Self.file("10.1.0.9"), to: Self.file("10.1.0.9", of: "a"))
    #expect(moved.short.filter { $0.contains("address") } == ["no addresses r 10.1.0.9/32 on eth0", "addresses a"])
  }

  @Test func anUpThatFailedPutsThemBack() throws {
    let before = try resolve(Self.file("10.1.0.9", loopback: "10.255.0.1"))
    let after = try resolve(Self.file("10.9.0.1/24", loopback: "10.255.0.1"), previous: before)
    let up = Planner.up(after, recorded: before, observed: before.all(.running))
    let undo = Planner.undo(up.steps, of: after, to: before)
    #expect(
      undo.short.filter { $0.contains("address") } == ["no addresses r 10.9.0.1/24 on eth0", "addresses r"])
  }

  @Test(arguments: [
    (before: "10.1.0.9, 10.9.0.1/24", after: "10.1.0.9", undo: ["addresses r"]),
    (before: "", after: "10.1.0.9", undo: ["no addresses r 10.1.0.9/32 on eth0"]),
  ])
  func anUpThatFailedTakesAwayWhatItGaveAlone(_ change: (before: String, after: String, undo: [String])) throws {
    let before = try resolve(Self.file(change.before))
    let after = try resolve(Self.file(change.after), previous: before)
    let up = Planner.up(after, recorded: before, observed: before.all(.running))
    let undo = Planner.undo(up.steps, of: after, to: before)
    #expect(undo.short.filter { $0.contains("address") } == change.undo)
  }

  @Test(arguments: [
    ("10.1.0.1", "10.1.0.1 is the gateway"), ("10.1.0.255", "is the broadcast address"),
    ("127.0.0.5", "no single host's address"), ("10.9.0.1/33", "is not an address with its length"),
    ("10.1.0.9, 10.1.0.9", "is given to \"r\" twice"),
  ])
  func whatCannotBeIsSaid(_ addresses: String, _ problem: String) {
    #expect(diagnose(Self.file(addresses)).contains(problem), "\(diagnose(Self.file(addresses)))")
  }

  @Test func aLoopbackHasSingleAddresses() {
    #expect(diagnose(Self.file("", loopback: "10.255.0.1/24")).contains("10.255.0.1/24 is no single address"))
    #expect(diagnose(Self.file("10.255.0.1", loopback: "10.255.0.1")).contains("has the address 10.255.0.1 twice"))
    var facts = HostFacts.using()
    facts.hasIPv6 = false
    let text = "services: {r: {command: [x], network_mode: none, loopback: [\"fd00:ff::1\"]}}"
    #expect(
      obstacles(text, on: facts).map(\.message) == ["the loopback cannot have fd00:ff::1/128: this kernel has no IPv6"])
  }
}
