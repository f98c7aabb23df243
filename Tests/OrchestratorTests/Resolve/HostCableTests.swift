import Testing

@testable import Addresses
@testable import Intent
@testable import Planning
@testable import Resolve
@testable import Rules
@testable import Verify
@testable import Vocabulary

/// Cables that end at a link of the host.
@Suite struct HostCableTests {
  private static let text = """
    services:
      r1: {command: [x], network_mode: none}
    links:
      - ends: {host: {link: eth1}, r1: 10.0.9.1/24}
    """

  private static func facts(use: String? = nil) -> HostFacts {
    var facts = HostFacts.using()
    facts.hostLinks["eth1"] = HostFacts.FoundLink(
      HostLink(name: "eth1", wasUp: false, usedARP: true), mac: MACAddress("52:54:00:00:00:01"), use: use)
    return facts
  }

  @Test func theServiceHasTheLinksHardwareAddress() throws {
    let stack = try resolve(Self.text, on: Self.facts())
    let link = try #require(stack.links.first)
    #expect(link.first.service == "r1" && "\(link.first.mac)" == "52:54:00:00:00:01")
    #expect(link.serviceEnds == [link.first])
    let endpoints = Self.text.replacing(
      "ends: {host: {link: eth1}, r1: 10.0.9.1/24}", with: "endpoints: [r1:lab, host:eth1]")
    let other = try #require(try resolve(endpoints, on: Self.facts()).links.first)
    #expect(other.first.interface == "lab" && other.hostLink == link.hostLink)
  }

  @Test func itsFlagsAreThoseFromBeforeTheStack() throws {
    let before = try resolve(Self.text, on: Self.facts())
    var facts = Self.facts()
    facts.hostLinks["eth1"]?.link.wasUp = true
    let after = try resolve(Self.text, on: facts, previous: before)
    #expect(after.links.first?.hostLink?.wasUp == false)
    #expect(
      Planner.up(after, recorded: before, observed: before.all(.running)).short.allSatisfy { !$0.hasPrefix("link") })
  }

  @Test func downGivesTheLinkBackBeforeTheNamespaceGoes() throws {
    let stack = try resolve(Self.text, on: Self.facts())
    let commands = Planner.down(stack, removeVolumes: false).steps.flatMap { $0.commands(folders: StateFolders()) }
    let released = try #require(commands.firstIndex(of: "ip link set eth1 arp on down"))
    let setting = "net/ipv6/conf/eth1/keep_addr_on_down"
    #expect(
      commands[..<released].suffix(3) == [
        "ip -n web.r1 link del eth0", "kept=$(cat /proc/sys/\(setting) 2>/dev/null || true)", "set_sysctl \(setting)=1",
      ])
    #expect(commands[released + 1] == "set_sysctl \(setting)=\"$kept\"")
    #expect(try #require(commands.firstIndex { $0.contains("netns") }) > released, "\(commands)")
    #expect(Firewall(stack).table.rendered.contains("elements = { \"eth1\" }"), "the host takes nothing from it")
  }

  @Test func whatCannotBeIsSaid() {
    #expect(
      obstacles(Self.text, on: .using()).map(\.message) == ["the host has no link eth1"])
    #expect(
      obstacles(Self.text, on: Self.facts(use: "belongs to br0")).map(\.message) == [
        "its link cannot end at the host's eth1: it belongs to br0"
      ])
    for (change, words) in [
      ("r1: 10.0.9.1/24}", "r1: 10.0.9.1/24}\n    delay: 3ms"),
      ("r1: 10.0.9.1/24", "r1: {mac_address: 02:00:00:00:00:01}"),
      ("links:", "links: [{endpoints: [\"r1:a\", \"host:eth1\"]}, {endpoints: [\"r1:b\", \"host:eth1\"]}]\nx-links:"),
    ] {
      let shown = diagnose(Self.text.replacing(change, with: words))
      #expect(shown.contains("E0553") && shown.contains("the host's eth1"), "\(shown)")
    }
    let bare = diagnose(Self.text.replacing("host: {link: eth1}", with: "host: null"))
    #expect(bare.contains("a link of the host is an end so: host: {link: eth1}"), "\(bare)")
  }

  @Test func nothingIsPredictedBeyondIt() throws {
    let text = Self.text.replacing("network_mode: none", with: "network_mode: none, routes: [\"default via 10.0.9.2\"]")
    let stack = try resolve(text, on: Self.facts())
    let checks = ReachMatrix(stack, nextHop: IPAddress("198.51.100.1")).checks()
    let internet = try #require(checks.first { $0.name == "r1 -> internet icmp" })
    #expect(!internet.probes[0].forecast.isDecided, "\(internet)")
    #expect(internet.probes[0].forecast.because.contains("what is beyond the host's eth1 is not the stack's"))
  }
}
