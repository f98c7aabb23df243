import Testing
@testable import Addresses
@testable import Intent
@testable import Names
@testable import Planning
@testable import Resolve
@testable import Vocabulary

/// Links and routes with every name in them replaced by what it stands for.
@Suite struct LinkTests {
  @Test func linksFollowNetworksInTheNamingOfInterfaces() throws {
    let stack = try resolve(
      """
      services:
        r1: {command: [x]}
        r2: {command: [x], network_mode: none}
        r3: {command: [x], network_mode: none}
      links:
        - {ends: {r1: 10.0.12.1/30, r2: 10.0.12.2/30}, mtu: 9000}
        - {ends: {r2: {address: 10.0.23.1/30, interface_name: eth0, mac_address: "02:00:00:00:00:01"}, r3: null}}
        - {endpoints: ["r3:lan", "r1:wan"]}
      """)
    #expect(
      stack.links.map { link in link.ends.map { "\($0.service) \($0.interface) \($0.addresses)" } } == [
        ["r1 eth1 [10.0.12.1/30]", "r2 eth1 [10.0.12.2/30]"], ["r2 eth0 [10.0.23.1/30]", "r3 eth0 []"],
        ["r3 lan []", "r1 wan []"],
      ])
    #expect(stack.links.map(\.mtu) == [9000, nil, nil])
    #expect("\(stack.links[0].first.mac)" == "02:73:0a:00:0c:01")
    #expect("\(stack.links[1].first.mac)" == "02:00:00:00:00:01")
    let chosen = [stack.links[1].second.mac, stack.links[2].first.mac, stack.links[2].second.mac]
    #expect(Set(chosen).count == 3 && chosen.allSatisfy { $0.bits >> 40 == 0x02 })
    #expect(stack.services.map { $0.attachments.count } == [1, 0, 0])
  }

  private static let both = """
    services:
      a: {command: [x], networks: [one], routes: ["two via r1", "default via r1", "fd00:9::/64 via r1"]}
      old: {command: [x], networks: [four], routes: ["one via r4", "default via r4"]}
      r1: {command: [x], networks: [one], forward: true, routes: ["two via r2"]}
      r2: {command: [x], networks: [two], forward: true, routes: ["one via fd00:12::1", "blackhole four"]}
      r4: {command: [x], networks: [four, one], forward: true}
    networks:
      one: {enable_ipv6: true, ipam: {config: [{subnet: 10.1.0.0/24}, {subnet: "fd00:1::/64"}]}}
      two: {enable_ipv6: true, ipam: {config: [{subnet: 10.2.0.0/24}, {subnet: "fd00:2::/64"}]}}
      four: {subnet: 10.4.0.0/24}
    links: [{ends: {r1: [10.0.12.1/30, "fd00:12::1/64"], r2: [10.0.12.2/30, "fd00:12::2/64"]}}]
    """

  @Test func aRouteToANetworkIsOfEachFamilyThatItAndTheRouterHave() throws {
    let stack = try resolve(Self.both)
    func routes(_ name: String) -> [String] { stack.service(named: name)?.routes.map(\.text) ?? [] }
    #expect(
      routes("a") == [
        "10.2.0.0/24 via 10.1.0.3", "fd00:2::/64 via fd00:1::3", "0.0.0.0/0 via 10.1.0.3", "::/0 via fd00:1::3",
        "fd00:9::/64 via fd00:1::3",
      ])
    #expect(routes("r1") == ["10.2.0.0/24 via 10.0.12.2", "fd00:2::/64 via fd00:12::2"])
    #expect(routes("r2") == ["fd00:1::/64 via fd00:12::1", "blackhole 10.4.0.0/24"])
    #expect(routes("old") == ["10.1.0.0/24 via 10.4.0.3", "0.0.0.0/0 via 10.4.0.3"], "it has no IPv6")
    let a = try #require(stack.service(named: "a")?.attachments.first)
    #expect(!a.isDefaultRoute && a.ipv6?.isDefaultRoute == false)
    #expect(stack.links[0].first.addresses.map(\.description) == ["10.0.12.1/30", "fd00:12::1/64"])
  }

  @Test func aLinkOfIPv6IsIPv6InBothServices() throws {
    let text = """
      services: {r1: {command: [x], network_mode: none}, r2: {command: [x], network_mode: none}, r3: {command: [x]}}
      links: [{ends: {r1: "fd00:12::1/64", r2: "fd00:12::2/64"}}]
      """
    let stack = try resolve(text)
    #expect(stack.services.map(\.speaksIPv6) == [true, true, false] && !stack.services.contains(where: \.hasIPv6))
    #expect(stack.neededForwarding == [.ipv4], "the host has nothing to do with it")
    let commands = Planner.up(stack, recorded: nil, observed: [:]).steps.flatMap {
      $0.commands(folders: StateFolders())
    }
    #expect(commands.contains("ip -n web.r1 addr add fd00:12::1/64 dev eth0 nodad"), "\(commands)")
    #expect(commands.filter { $0.contains("all/disable_ipv6=1") && $0.hasPrefix("nsenter --net=") }.count == 1)
    var facts = HostFacts.using()
    facts.hasIPv6 = false
    #expect(
      obstacles(text, on: facts).map(\.message) == [
        "the link between r1 and r2 cannot have IPv6: this kernel has none"
      ])
  }

  @Test(arguments: [
    ("fd00:9::/64 via r", "the router has no IPv6 address that a is beside"),
    ("blackhole fd00:9::/64", "a has no IPv6"),
    ("0.0.0.0/0 via r, default via r", "there is another one to 0.0.0.0/0"),
  ])
  func routesThatOneFamilyCannotHaveAreRefused(_ route: String, _ problem: String) {
    let network = route.hasPrefix("fd00") ? "enable_ipv6: true" : ""
    let other = route.hasPrefix("fd00") ? "{ends: {a: 10.9.0.1/30, r: 10.9.0.2/30}}" : ""
    let text = """
      services:
        a: {command: [x], networks: [n], routes: [\(route)]}
        r: {command: [x], networks: [\(other.isEmpty ? "n" : "m")]}
      networks: {n: {\(network)}, m: {}}
      links: [\(other)]
      """
    let errors = obstacles(text, on: .using()).map(\.message)
    #expect(errors.count == 1 && errors[0].hasSuffix(problem), "\(errors)")
  }

  @Test func aLinkOfAServiceThatDoesNotRunIsLeftOut() throws {
    let text = """
      services: {r1: {command: [x]}, r2: {command: [x], profiles: [more]}}
      links: [{ends: {r1: 10.0.0.1/30, r2: 10.0.0.2/30}}]
      """
    #expect(try resolve(text).links.isEmpty)
    #expect(try resolve(text, profiles: ["more"]).links.count == 1)
  }

  @Test func whoIsReachedByALinkAloneIsFoundByName() throws {
    let stack = try resolve(
      """
      services:
        r1: {command: [x], networks: [one]}
        r2: {command: [x], networks: [two]}
        r3: {command: [x], networks: [two]}
      networks: {one: {}, two: {}}
      links: [{ends: {r1: 10.0.0.1/30, r2: 10.0.0.2/30}}, {ends: {r2: 10.0.1.1/30, r3: 10.0.1.2/30}}]
      """)
    #expect(
      stack.services.map { $0.extraHosts.map { "\($0.name) \($0.address)" } } == [["r2 10.0.0.2"], ["r1 10.0.0.1"], []])
  }

  @Test func aChosenSubnetIsNoLinks() throws {
    let stack = try resolve(
      """
      services: {r1: {command: [x]}, r2: {command: [x]}}
      links: [{ends: {r1: 10.208.0.1/30, r2: 10.208.0.2/30}}]
      """)
    #expect("\(stack.networks[0].subnet)" == "10.208.1.0/24")
  }

  // MARK: Routes

  private static let routed = """
    services:
      a: {command: [x], networks: [one], routes: ["two via r", {to: 10.9.0.0/16, blackhole: true}]}
      b: {command: [x], networks: [two], routes: [{to: default, via: r}, "10.3.0.7 via 10.2.0.9"]}
      r: {command: [x], networks: [one, two], forward: true, routes: ["10.4.0.0/24 via far"]}
      far: {command: [x], network_mode: none, routes: ["default via r"]}
    networks: {one: {subnet: 10.1.0.0/24}, two: {subnet: 10.2.0.0/24}}
    links: [{ends: {r: 10.0.0.1/30, far: 10.0.0.2/30}}]
    """

  @Test func namesInRoutesStandForAddresses() throws {
    let stack = try resolve(Self.routed)
    #expect(
      Dictionary(stack.services.map { ($0.name, $0.routes.map(\.text)) }) { first, _ in first } == [
        "a": ["10.2.0.0/24 via 10.1.0.3", "blackhole 10.9.0.0/16"],
        "b": ["0.0.0.0/0 via 10.2.0.3", "10.3.0.7/32 via 10.2.0.9"],
        "r": ["10.4.0.0/24 via 10.0.0.2"], "far": ["0.0.0.0/0 via 10.0.0.1"],
      ])
    #expect(stack.services.map(\.forwards) == [false, false, true, false])
    // A default route of the file's takes the place of the network's.
    #expect(stack.service(named: "a")?.attachments.map(\.isDefaultRoute) == [true])
    #expect(stack.service(named: "b")?.attachments.map(\.isDefaultRoute) == [false])
  }

  @Test func aRouterThatNoNeighbourIsIsRefusedOnceSubnetsAreKnown() throws {
    let errors = obstacles(
      """
      services:
        a: {command: [x], networks: [n], routes: ["10.9.0.0/24 via 10.8.0.1", "10.208.0.0/24 via 10.208.0.9", "10.7.0.0/24 via 10.208.0.2"]}
      networks: {n: {}}
      """, on: .using())
    #expect(
      errors.map(\.message) == [
        "the route 10.9.0.0/24 via 10.8.0.1 cannot be: 10.8.0.1 is on none of the service's networks: network n 10.208.0.0/24",
        "the route 10.208.0.0/24 via 10.208.0.9 cannot be: 10.208.0.0/24 is network n, which the service is on",
        "the route 10.7.0.0/24 via 10.208.0.2 cannot be: 10.208.0.2 is the service's own address",
      ])
    #expect(errors.allSatisfy { $0.remedy?.contains("web.stack:2") == true })
  }

  // MARK: Namespaces

  @Test func aServiceInAnothersNetworkHasNoneOfItsOwn() throws {
    let stack = try resolve(
      """
      services:
        side: {command: [x], network_mode: "service:web"}
        deeper: {command: [x], network_mode: "service:side"}
        web: {command: [x], networks: [n]}
        top: {command: [x], network_mode: host, extra_hosts: ["up=host-gateway"]}
        alone: {command: [x], network_mode: none}
      networks: {n: {}}
      """)
    #expect(stack.services.map(\.name) == ["web", "side", "deeper", "top", "alone"])
    #expect(stack.services.map(\.namespace) == [.own, .service("web"), .service("web"), .host, .own])
    #expect(stack.services.map { $0.attachments.count } == [1, 0, 0, 0, 0])
    #expect(stack.service(named: "top")?.extraHosts.map { "\($0.address)" } == ["127.0.0.1"])
    let views = NameViews(stack)
    for (name, sees) in [("side", true), ("top", true), ("alone", false)] {
      let service = try #require(stack.service(named: name))
      #expect(views.hostsFile(for: service).text.contains("10.208.0.2\tweb") == sees, "\(name)")
    }
  }
}
