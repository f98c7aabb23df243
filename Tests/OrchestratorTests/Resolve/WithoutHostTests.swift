import Testing
@testable import Addresses
@testable import DNS
@testable import Intent
@testable import Names
@testable import Planning
@testable import Resolve
@testable import Rules
@testable import Verify
@testable import Vocabulary

/// Networks that the host has no address in.
@Suite struct WithoutHostTests {
  private static let text = """
    services:
      r: {command: [x], networks: {lab: {ipv4_address: 192.168.1.1}}, forward: true}
      a: {command: [x], networks: [lab]}
      both: {command: [x], networks: [lab, front], ports: ["8080:80"]}
    networks:
      lab: {subnet: 192.168.1.0/24, gateway: 192.168.1.1, host: false}
      front: {}
    """

  @Test func itsSubnetMayBeAnothers() throws {
    let facts = HostFacts.using(["192.168.1.0/24"])
    let stack = try resolve(Self.text, on: facts)
    #expect(stack.services.map { "\($0.attachments[0].address)" } == ["192.168.1.1", "192.168.1.2", "192.168.1.3"])
    // With the host, it would be in the way.
    #expect(obstacles(Self.text.replacing(", host: false", with: ""), on: facts).count == 1)
    // Without a gateway in the file, the first address is a service's like any other.
    let plain = try resolve(
      "services: {a: {command: [x], networks: [n]}}\nnetworks: {n: {subnet: 192.168.1.0/24, host: false}}", on: facts)
    #expect("\(plain.services[0].attachments[0].address)" == "192.168.1.1")
    #expect(!plain.services[0].attachments[0].isDefaultRoute)
  }

  @Test func theDefaultRouteIsByTheRouterThatTheFileNames() throws {
    let stack = try resolve(Self.text)
    #expect(stack.services.map { $0.attachments[0].isDefaultRoute } == [false, true, true])
    #expect(stack.neededForwarding == [.ipv4], "front needs it")
    let commands = Planner.up(stack, recorded: nil, observed: [:]).steps.flatMap {
      $0.commands(folders: StateFolders())
    }
    #expect(commands.contains("ip -n web.a route add default via 192.168.1.1 proto static"), "\(commands)")
    #expect(!commands.contains { $0.hasPrefix("ip addr add 192.168.1.") }, "the host has no address there")
    #expect(!commands.contains { $0.contains("web-lab/route_localnet") })
    #expect(commands.contains("set_sysctl net/ipv4/conf/web-lab/arp_ignore=8"))
  }

  @Test func theHostGuardsItsBridgeAndNotItsAddresses() throws {
    let stack = try resolve(Self.text)
    let table = Firewall(stack).table.rendered
    let sets = table.split(separator: "set ").filter { $0.contains("192.168.1.") }
    // Packets that come in by the other network from the router's side are known to come from there.
    #expect(sets.allSatisfy { $0.hasPrefix("living") }, "\(sets)")
    #expect(table.contains("set segments") && table.contains("\"web-lab\" . \"web-lab\""))
    #expect(!stack.subnets.contains { "\($0)".hasPrefix("192.168") }, "connections there are not the stack's")
    let ports = stack.guardedPorts()
    #expect(ports.count == 4, "its ports are guarded like any")
  }

  @Test func namesAreInHostsFiles() throws {
    let stack = try resolve(Self.text)
    let files = ResolverFiles(stack, host: "").files
    func resolver(_ name: String) -> String? {
      stack.service(named: name).flatMap { service in files.first { $0.name == service.resolverFile }?.text }
    }
    #expect(resolver("a") == "options ndots:0\n")
    #expect(resolver("both") == "nameserver 10.208.0.1\noptions ndots:0\n")
    let a = try #require(stack.service(named: "a"))
    #expect(NameViews(stack).hostsFile(for: a).text.contains("192.168.1.1\tr\n"))
  }

  @Test func nothingIsLedThere() throws {
    let way = try #require(Firewall(try resolve(Self.text)).publications(.ip).first)
    #expect("\(way.address)" == "10.208.0.2", "by the network that the host is on")
    let shown = diagnose(Self.text.replacing("[lab, front]", with: "[lab]"))
    #expect(shown.contains("E0562") && shown.contains("the host is on none of its networks"), "\(shown)")
    let asking = diagnose(
      Self.text.replacing("networks: [lab]}", with: "networks: [lab], extra_hosts: [\"h=host-gateway\"]}"))
    #expect(asking.contains("E0562"), "\(asking)")
  }

  @Test func whatCannotBeIsSaid() {
    #expect(
      diagnose(Self.text.replacing("host: false", with: "host: false, driver: macvlan, parent: e")).contains("E0562"))
    #expect(diagnose(Self.text.replacing("ipv4_address: 192.168.1.1", with: "")).contains("W0560"))
    let ruled = Self.text + "\npolicies: [{deny: a -> r}]"
    #expect(
      obstacles(ruled, on: .using()).map(\.message).contains { $0.hasSuffix("whose firewall sees none of its frames") })
    #expect(
      diagnose(Self.text.replacing("192.168.1.0/24", with: "192.168.1.0/31").replacing(", host: false", with: ""))
        .contains("E0301"))
  }

  /// The firewall sees the packets of networks that the host is on.
  @Test func rulesHoldOnTheOtherNetworks() throws {
    let text = Self.text.replacing("  both:", with: "  web: {command: [x], networks: [front]}\n  both:")
    for rule in ["deny: web -> both", "allow: both -> web", "deny: web -> internet"] {
      #expect(obstacles(text + "\npolicies: [{\(rule)}]", on: .using()).isEmpty, "\(rule)")
    }
    #expect(obstacles(text.replacing("front: {}", with: "front: {default: deny}"), on: .using()).isEmpty)
    for rule in ["deny: any -> both", "deny: a -> both", "allow: any -> any"] {
      #expect(obstacles(text + "\npolicies: [{\(rule)}]", on: .using()).count == 1, "\(rule)")
    }
    #expect(obstacles(text.replacing("host: false", with: "host: false, default: deny"), on: .using()).count == 1)
  }

  @Test func narrowSubnetsHoldTwoServices() throws {
    let stack = try resolve(
      """
      services: {a: {command: [x], networks: [n]}, b: {command: [x], networks: [n]}}
      networks:
        n: {host: false, enable_ipv6: true, ipam: {config: [{subnet: 10.9.0.0/31}, {subnet: "fd00:9::/127"}]}}
      """)
    #expect(stack.services.map { "\($0.attachments[0].address)" } == ["10.9.0.0", "10.9.0.1"])
    #expect(stack.services.compactMap { $0.attachments[0].ipv6.map { "\($0.address)" } } == ["fd00:9::", "fd00:9::1"])
  }

  @Test func predictionsKnowThatTheHostIsNotThere() throws {
    let checks = ReachMatrix(try resolve(Self.text), nextHop: nil).checks()
    func isAllowed(_ name: String) -> Bool? { checks.first { $0.name == name }?.probes.first?.forecast.isAllowed }
    #expect(isAllowed("a -> r icmp") == true)
    #expect(isAllowed("host -> r icmp") == false)
    #expect(!checks.contains { $0.name.contains("host@lab") })
  }

  // MARK: Names of the whole stack

  private static let ring = """
    names: stack
    services:
      h1: {command: [x], networks: [lan1]}
      h2: {command: [x], networks: {lan2: {aliases: [www]}}}
      r1: {command: [x], networks: [lan1], forward: true, loopback: [10.255.0.1]}
      r2: {command: [x], networks: [lan2], forward: true}
      r3: {command: [x], network_mode: none, forward: true}
    networks: {lan1: {}, lan2: {}}
    links: [{ends: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}}, {ends: {r2: 10.0.23.1/30, r3: 10.0.23.2/30}}]
    """

  private static func lines(_ text: String, of name: String) throws -> [String] {
    let stack = try resolve(text)
    let service = try #require(stack.service(named: name))
    return NameViews(stack).hostsFile(for: service).text.split(separator: "\n").map(String.init).dropFirst(2).map { $0 }
  }

  @Test func namesCrossRouters() throws {
    #expect(
      try Self.lines(Self.ring, of: "h1").sorted() == [
        "10.0.23.2\tr3", "10.208.0.2\th1", "10.208.0.3\tr1", "10.208.1.2\th2", "10.208.1.3\tr2",
      ])
    // By the cable that it is at the other end of, and by its loopback elsewhere.
    #expect(try Self.lines(Self.ring, of: "r2").contains("10.0.12.1\tr1"))
    #expect(try !Self.lines(Self.ring, of: "r2").contains("10.255.0.1\tr1"))
    #expect(try Self.lines(Self.ring, of: "h2").contains("10.255.0.1\tr1"))
    #expect(try Self.lines(Self.ring.replacing("names: stack", with: ""), of: "h1").count == 2)
  }

  @Test func theNameServerKnowsThemToo() throws {
    func ask(_ name: String, _ text: String) throws -> [String] {
      let stack = try resolve(text)
      let zone = NameZone(stack)
      let h1 = try #require(stack.service(named: "h1")?.attachments.first)
      let asker = try #require(zone.asker(at: .v4(h1.address), on: 0))
      var found: [IPAddress] = []
      let wire = DNSMessages.wire(name)
      _ = zone.look(up: wire.span, type: RecordType.a, for: asker, into: &found) { _ in false }
      return found.map(\.description)
    }
    #expect(try ask("h2", Self.ring) == ["10.208.1.2"] && ask("h2.lan2.web.stack", Self.ring) == ["10.208.1.2"])
    #expect(try ask("r1", Self.ring) == ["10.208.0.3"], "near by first")
    #expect(try ask("r3", Self.ring) == ["10.0.23.2"])
    #expect(try ask("h2", Self.ring.replacing("names: stack", with: "")).isEmpty)
  }

  @Test func aChangeOfNamesRestartsNobody() throws {
    let before = try resolve(Self.ring.replacing("names: stack", with: ""))
    let after = try resolve(Self.ring, previous: before)
    let plan = Planner.up(after, recorded: before, observed: before.all(.running))
    #expect(plan.short == ["record", "folders", "host root", "prepare", "firewall"])
  }
}
