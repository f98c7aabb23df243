import Testing
@testable import Addresses
@testable import Host
@testable import Intent
@testable import Names
@testable import Netfilter
@testable import Planning
@testable import Resolve
@testable import Rules
@testable import Vocabulary

/// Networks that are another stack's, on a link of the host, joined to another host, cut into VLANs, or larger than a bridge.
@Suite struct NetworkKindTests {
  // MARK: Another stack's

  private static func owner(_ name: String = "web", givenName: String? = nil) throws -> DesiredStack {
    let given = givenName.map { "name: \($0)" } ?? ""
    return try resolve(
      """
      name: \(name)
      services: {www: {command: [x], networks: {front: {aliases: [pages]}}}}
      networks: {front: {subnet: 10.50.0.0/24, mtu: 1400, \(given)}}
      """)
  }

  private static func facts(_ stacks: DesiredStack..., for stack: String = "api") -> HostFacts {
    var facts = HostFacts.using()
    for other in stacks {
      facts.ranges += other.ownNetworks.map {
        HostFacts.UsedRange(prefix: .v4($0.subnet), user: "network \($0.name) of stack \(other.name)")
      }
      facts.addNetworks(of: other, for: stack, isJoining: true)
    }
    return facts
  }

  private static func joining(_ network: String, _ attachment: String = "{}") -> String {
    """
    name: api
    services: {a: {command: [x], networks: {n: \(attachment)}}}
    networks: {n: {external: true, \(network)}}
    """
  }

  @Test(arguments: ["name: web_front", "name: web/front", "name: shared"])
  func anotherStacksNetworkIsTakenAsThatStackHasIt(_ name: String) throws {
    let owner = try Self.owner(givenName: "shared")
    let stack = try resolve(Self.joining(name), on: Self.facts(owner))
    let network = try #require(stack.networks.first)
    #expect(network.name == "n" && network.owner == "web" && network.bridge == owner.networks[0].bridge)
    #expect(network.subnet == owner.networks[0].subnet && network.mtu == 1400)
    #expect(stack.ownNetworks.isEmpty)
    // Around whoever is on it, who is found by name.
    #expect(stack.places == ["a": ["n 10.50.0.3"]])
    let hosts = NameViews(stack).hostsFile(for: stack.services[0]).text
    #expect(hosts.contains("10.50.0.2\twww pages\n"))
    let plan = Planner.up(stack, recorded: nil, observed: [:])
    #expect(!plan.short.contains("bridge n"))
    #expect(!Planner.down(stack, removeVolumes: false).short.contains("no bridge n"))
    #expect(!Firewall(stack).table.rendered.contains(network.bridge), "its own stack guards it")
  }

  @Test func aNetworkThatNobodyHasIsSaidWithThoseThatThereAre() throws {
    let owner = try Self.owner()
    let errors = obstacles(Self.joining("name: web_back"), on: Self.facts(owner))
    #expect(errors.map(\.message) == ["there is no network web_back: no stack that is up has it"])
    #expect(errors.first?.remedy?.hasSuffix("there is web/front") == true)
    let two = try Self.facts(Self.owner(givenName: "same"), Self.owner("other", givenName: "same"))
    #expect(obstacles(Self.joining("name: same"), on: two).map(\.message) == ["network same is in more than one stack"])
  }

  @Test func aFixedAddressIsCheckedAgainstThoseOfTheOtherStack() throws {
    let facts = try Self.facts(Self.owner())
    let cases = [
      ("10.50.0.2", "is that of service www of stack web"), ("10.50.0.1", "is its gateway"),
      ("10.51.0.9", "is outside its subnet 10.50.0.0/24"),
    ]
    for (address, problem) in cases {
      let errors = obstacles(Self.joining("name: web_front", "{ipv4_address: \(address)}"), on: facts)
      #expect(errors.map(\.message) == ["address \(address) on network n \(problem)"])
    }
    #expect(obstacles(Self.joining("name: web_front", "{ipv4_address: 10.50.0.9}"), on: facts).isEmpty)
  }

  @Test func aNetworkThatOthersAreOnStaysAsItIs() throws {
    let owner = try Self.owner()
    let guest = try resolve(Self.joining("name: web_front"), on: Self.facts(owner))
    let facts = Self.facts(guest, for: "web")
    let more = "services: {www: {command: [x], networks: [front]}, w2: {command: [x], networks: [front]}}"
    let same = try resolve(
      "name: web\n\(more)\nnetworks: {front: {subnet: 10.50.0.0/24, mtu: 1400}}", on: facts, previous: owner)
    #expect(same.service(named: "w2")?.attachments.map { "\($0.address)" } == ["10.50.0.4"], "10.50.0.3 is the guest's")
    #expect(same.neighbours.map(\.names) == [["a"]])
    // A guest's name that is a service's here leads to that alone.
    let taken = try resolve(
      "name: web\nservices: {a: {command: [x], networks: [front]}}\nnetworks: {front: {subnet: 10.50.0.0/24, mtu: 1400}}",
      on: facts, previous: owner)
    #expect(taken.neighbours.isEmpty)
    let changed = obstacles("name: web\n\(more)\nnetworks: {front: {subnet: 10.50.0.0/24}}", on: facts, previous: owner)
    #expect(changed.map(\.message) == ["the network cannot be changed or removed: service a of stack api is on it"])
    #expect(changed.first?.remedy == "take that down first: stack down api")
  }

  // MARK: Macvlan and VXLAN

  @Test func aMacvlanIsOnALinkOfTheHost() throws {
    let text = """
      services: {a: {command: [x], networks: [lan]}}
      networks: {lan: {driver: macvlan, parent: uplink, subnet: 198.51.100.0/24, gateway: 198.51.100.1, ip_range: 198.51.100.0/29}}
      """
    var facts = HostFacts.using()
    facts.ranges = [
      HostFacts.UsedRange(
        prefix: .v4(try #require(IPv4Prefix("198.51.100.0/24"))), user: "a route of the host over uplink",
        link: "uplink")
    ]
    #expect(obstacles(text, on: facts).map(\.message) == ["the host has no link uplink"])
    facts.parents = ["uplink": [try #require(IPv4Address("198.51.100.2"))]]
    let stack = try resolve(text, on: facts)
    #expect(stack.networks[0].kind == .macvlan(parent: "uplink"))
    #expect(stack.places == ["a": ["lan 198.51.100.3"]], "not the gateway's, and not the host's own")
    #expect(!Firewall(stack).table.rendered.contains(stack.networks[0].bridge))
    let commands = Planner.up(stack, recorded: nil, observed: [:]).steps.flatMap {
      $0.commands(folders: StateFolders())
    }
    #expect(commands.contains { $0.contains("link uplink") && $0.hasSuffix("type macvlan mode bridge") })
    #expect(!commands.contains { $0.contains("type bridge") || $0.contains("type veth") })
    // Over another link the same subnet is somebody else's.
    facts.ranges[0].link = "other"
    #expect(obstacles(text, on: facts).count == 1)
  }

  @Test func aVXLANJoinsABridgeToAnotherHosts() throws {
    let stack = try resolve(
      """
      services: {a: {command: [x], networks: [far, farther]}}
      networks:
        far: {driver: vxlan, id: 42, remote: 192.0.2.7, subnet: 10.60.0.0/24}
        farther: {driver: vxlan, id: 43, remote: "2001:db8::7", local: "2001:db8::1", port: 8472, subnet: 10.61.0.0/24, mtu: 1200}
      """)
    let tunnels = stack.networks.compactMap(\.tunnel)
    #expect(tunnels.map(\.id) == [42, 43] && tunnels.map(\.port) == [4789, 8472])
    #expect(Set(tunnels.map(\.link)).count == 2)
    #expect(stack.networks.map(\.mtu) == [1450, 1200])
    let commands = Planner.up(stack, recorded: nil, observed: [:]).steps.flatMap {
      $0.commands(folders: StateFolders())
    }
    #expect(
      commands.contains {
        $0.hasSuffix("type vxlan id 43 remote 2001:db8::7 local 2001:db8::1 dstport 8472 nolearning")
      })
  }

  // MARK: VLANs

  @Test func vlansHaveSubnetsRoutersAndInterfacesOfTheirOwn() throws {
    let stack = try resolve(
      """
      services:
        a: {command: [x], networks: {lab: {vlan: 10}}, routes: ["10.1.20.0/24 via r"]}
        b: {command: [x], networks: {lab: {vlan: {access: 20}}}}
        c: {command: [x], networks: {lab: {vlan: 30}}}
        r: {command: [x], networks: {lab: {vlan: {trunk: {10: 10.1.10.1, 20: null}}}}, forward: true}
        plain: {command: [x], networks: [lab]}
      networks:
        lab:
          subnet: 10.1.0.0/24
          vlans: {10: {subnet: 10.1.10.0/24, gateway: 10.1.10.1}, 20: 10.1.20.0/24, 30: null}
      """)
    #expect(
      stack.places == [
        "a": ["lab 10.1.10.2"], "b": ["lab 10.1.20.1"], "c": ["lab 10.1.0.2"], "r": ["lab 10.1.0.3"],
        "plain": ["lab 10.1.0.4"],
      ])
    let router = try #require(stack.service(named: "r")?.attachments.first)
    #expect(
      router.subinterfaces.map { "\($0.interface) \($0.address.map { "\($0)" } ?? "-")/\($0.length)" } == [
        "eth0.10 10.1.10.1/24", "eth0.20 10.1.20.2/24",
      ])
    #expect(stack.service(named: "a")?.routes.map(\.text) == ["10.1.20.0/24 via 10.1.10.1"], "where the two meet")
    // The host is in no VLAN: a way out is a router's.
    #expect(stack.services.map { $0.attachments[0].isDefaultRoute } == [true, false, false, true, true])
    #expect(
      try resolve(
        "services: {a: {command: [x], networks: {n: {vlan: 7}}}}\nnetworks: {n: {}}"
      ).networks[0].vlans.map(\.id) == [7])
  }

  private static let divided = """
    services:
      a: {command: [x], networks: {lab: {vlan: 10}}}
      b: {command: [x], networks: {lab: {vlan: 20, rate: 1mbit}}}
      r: {command: [x], networks: {lab: {vlan: {trunk: {10: 10.1.10.1, 20: null}}}}, forward: true}
      plain: {command: [x], networks: [lab]}
    networks: {lab: {subnet: 10.1.0.0/24, vlans: {10: {subnet: 10.1.10.0/24, gateway: 10.1.10.1}, 20: 10.1.20.0/24}}}
    """

  private static var withoutVLANs: HostFacts {
    var facts = HostFacts.using()
    facts.tellsVLANsApart = false
    return facts
  }

  @Test func whereBridgesTellNoVLANsApartEachHasOneOfItsOwn() throws {
    let usual = try resolve(Self.divided)
    let stack = try resolve(Self.divided, on: Self.withoutVLANs)
    // What a service can see is the same: names of interfaces, addresses, hardware addresses, routes.
    var bare = stack
    for index in bare.networks[0].vlans.indices { bare.networks[0].vlans[index].bridge = nil }
    let router = try #require(bare.services.firstIndex { $0.name == "r" })
    bare.services[router].attachments[0].vlan = usual.services[router].attachments[0].vlan
    #expect(bare == usual)

    let bridges = stack.networks[0].bridges
    #expect(Set(bridges).count == 3 && bridges[1].hasPrefix("v10lab-") && bridges.allSatisfy { $0.utf8.count <= 15 })
    let pairs = stack.services[router].attachments[0].pairs
    #expect(pairs.map(\.interface) == ["eth0", "eth0.10", "eth0.20"] && Set(pairs.map(\.link)).count == 3)
    let commands = Planner.up(stack, recorded: nil, observed: [:]).steps.flatMap {
      $0.commands(folders: StateFolders())
    }
    #expect(commands.contains { $0.hasPrefix("ip link set \(pairs[2].link) master \(bridges[2]) addrgenmode none ") })
    let access = try #require(stack.service(named: "a")?.attachments.first)
    #expect(commands.contains { $0.hasPrefix("ip link set \(access.link) master \(bridges[1]) addrgenmode none ") })
    #expect(
      !commands.contains { $0.contains("vlan_filtering") || $0.contains("type vlan") || $0.hasPrefix("bridge vlan") })
    let removal = Planner.down(stack, removeVolumes: false).steps.flatMap { $0.commands(folders: StateFolders()) }
    #expect(bridges.allSatisfy { bridge in removal.contains { $0.hasSuffix("ip link del \(bridge)") } })
    #expect(MissingVLANs.note(of: stack)?.hasSuffix("each VLAN of lab has a bridge of its own") == true)
    #expect(MissingVLANs.note(of: usual) == nil)
    #expect(stack.bridges == bridges, "what another firewall is asked to let through")

    let table = Firewall(stack).table.rendered
    #expect(bridges.dropFirst().allSatisfy { table.contains("\"\($0)\" . \"\($0)\"") })
    #expect(table.contains("iifname @segments drop") && !Firewall(usual).table.rendered.contains("segments"))
    // The same again, and another when the kernel is another.
    #expect(try resolve(Self.divided, on: Self.withoutVLANs, previous: stack) == stack)
    #expect(try resolve(Self.divided, previous: stack) == usual)
  }

  @Test func whatBridgesOfTheirOwnCannotDoIsSaid() throws {
    let far =
      "services: {a: {command: [x], networks: {far: {vlan: 10}}}}\nnetworks: {far: {driver: vxlan, id: 1, remote: 192.0.2.7, subnet: 10.60.0.0/24}}"
    #expect(obstacles(far, on: .using()).isEmpty)
    let errors = obstacles(far, on: Self.withoutVLANs)
    #expect(errors.count == 1 && errors[0].message.hasSuffix("no VLAN reaches the other host"), "\(errors)")
    #expect(errors.first?.remedy?.hasSuffix("have a vxlan network for each VLAN in web.stack:2") == true, "\(errors)")
    let many = "services: {a: {command: [x], networks: {n: {vlan: 10}}, scale: 1001}}\nnetworks: {n: {}}"
    #expect(obstacles(many, on: .using()).isEmpty)
    #expect(
      obstacles(many, on: Self.withoutVLANs).map(\.message) == [
        "\(MissingVLANs.absence): VLAN 10 has 1001 services, and its bridge takes 1000"
      ])
  }

  // MARK: Large networks

  @Test func moreServicesThanABridgeTakesAreOnSeveral() throws {
    let stack = try resolve("services: {w: {command: [x], scale: 2100}}")
    let segments = stack.services.map { $0.attachments[0].segment ?? 0 }
    #expect(segments == (0..<2100).map { $0 / 1000 })
    #expect(stack.segments.map(\.number) == [1, 2])
    #expect(Set(stack.segments.flatMap { [$0.bridge, $0.nearEnd, $0.farEnd] }).count == 6)
    #expect(stack.segments.allSatisfy { $0.bridge.utf8.count <= InterfaceName.limit })
    let first = Planner.up(stack, recorded: nil, observed: [:])
    #expect(first.short.contains("segment default 1") && first.short.contains("segment default 2"))

    // Who is there stays where it is, whoever comes and goes.
    let fewer = try resolve("services: {w: {command: [x], scale: 1500}}", previous: stack)
    #expect(fewer.segments == [stack.segments[0]])
    #expect(fewer.services.map(\.attachments) == stack.services.prefix(1500).map(\.attachments))
    let shrinking = Planner.up(fewer, recorded: stack, observed: stack.all(.running))
    #expect(shrinking.short.contains("no segment default 2") && !shrinking.short.contains("no bridge default"))
    #expect(Planner.undo(shrinking.steps, of: fewer, to: stack).short.contains("segment default 2"))
    let more = try resolve("services: {w: {command: [x], scale: 2100}}", previous: fewer)
    let growing = Planner.up(more, recorded: fewer, observed: fewer.all(.running))
    #expect(growing.short.contains("segment default 2") && !growing.short.contains("segment default 1"))
    #expect(Planner.undo(growing.steps, of: more, to: fewer).short.contains("no segment default 2"))
  }

  @Test func theFurtherBridgesOfALargeNetworkOnlyPassFramesOn() throws {
    let stack = try resolve("services: {w: {command: [x], scale: 1001}}")
    let table = Firewall(stack).table.rendered
    #expect(table.contains("elements = { \"\(stack.segments[0].bridge)\" }"), "\(table)")
    #expect(table.contains("iifname @segments notrack"))
    #expect(!Firewall(try resolve("services: {w: {command: [x], scale: 1000}}")).table.rendered.contains("segments"))
  }

  // MARK: Rules

  @Test(arguments: [
    (
      "services: {a: {command: [x], networks: [n]}}", "n: {driver: macvlan, parent: uplink, subnet: 10.3.0.0/24}",
      "link of the host"
    ),
    ("services: {a: {command: [x], networks: {n: {vlan: 10}}}}", "n: {}", "VLANs"),
    ("services: {a: {command: [x], networks: [n], scale: 1001}}", "n: {}", "more services"),
  ])
  func rulesThatCouldNotBeKeptAreRefused(_ services: String, _ network: String, _ reason: String) throws {
    var facts = HostFacts.using()
    facts.parents = ["uplink": []]
    let text = "\(services)\nnetworks: {\(network)}\n"
    #expect(obstacles(text, on: facts).isEmpty)
    let errors = obstacles(text + "policies: [{deny: any -> a}]", on: facts)
    #expect(errors.count == 1 && errors[0].message.contains(reason), "\(errors)")
  }
}
