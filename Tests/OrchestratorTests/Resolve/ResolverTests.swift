import Testing
@testable import Addresses
@testable import Intent
@testable import Resolve
@testable import Vocabulary

@Suite struct ResolverTests {
  private static let two = """
    services:
      a: {command: [x]}
      b: {command: [x]}
    """

  @Test func whatAFileLeavesOpenIsChosen() throws {
    let stack = try resolve("name: lab\n" + Self.two)
    let network = try #require(stack.networks.first)
    #expect(stack.networks.count == 1 && network.name == "default" && network.bridge == "lab-default")
    #expect("\(network.subnet)" == "10.208.0.0/24" && "\(network.gateway)" == "10.208.0.1")
    #expect("\(network.mac)" == "02:73:0a:d0:00:01")
    #expect(stack.places == ["a": ["default 10.208.0.2"], "b": ["default 10.208.0.3"]])
    let a = try #require(stack.service(named: "a")?.attachments.first)
    #expect(a.interface == "eth0" && a.isDefaultRoute && "\(a.mac)" == "02:73:0a:d0:00:02")
    #expect(stack.linkGroup != 0)
    #expect(stack.file == "web.stack" || stack.file == "/lab/web.stack")
  }

  @Test func theSameFileOnTheSameHostGivesTheSameStack() throws {
    let first = try resolve(Self.two)
    #expect(try resolve(Self.two) == first)
    #expect(try resolve(Self.two, previous: first) == first)
  }

  // MARK: Instances

  @Test func replicasAreNumberedAndOneAloneIsNot() throws {
    let stack = try resolve(
      "services: {web: {command: [x], scale: 3}, db: {command: [x]}, off: {command: [x], scale: 0}}")
    #expect(stack.services.map(\.name) == ["web-1", "web-2", "web-3", "db"])
    #expect(stack.services.map(\.service) == ["web", "web", "web", "db"])
    #expect(stack.services.map(\.index) == [1, 2, 3, 1])
    #expect(stack.services.map(\.hostname) == ["web-1", "web-2", "web-3", "db"])
    #expect(Set(stack.services.map { $0.attachments.first?.address }).count == 4)
    #expect(Set(stack.services.map { $0.attachments.first?.link }).count == 4)
  }

  @Test func servicesStandAfterWhatTheyDependOn() throws {
    let stack = try resolve(
      """
      services:
        client: {command: [x], depends_on: [server, cache]}
        server: {command: [x], depends_on: [db]}
        cache: {command: [x]}
        db: {command: [x]}
      """)
    #expect(stack.services.map(\.name) == ["db", "server", "cache", "client"])
  }

  @Test func aDependencyThatIsNotActiveIsLeftOut() throws {
    let text = """
      services:
        web: {command: [x], depends_on: {tool: {condition: service_started, required: false}}}
        tool: {command: [x], profiles: [debug]}
      """
    #expect(try resolve(text).services.map(\.name) == ["web"])
    #expect(try resolve(text, profiles: ["debug"]).services.map(\.name) == ["tool", "web"])
  }

  // MARK: Subnets

  private static func network(_ keys: String) -> String {
    "name: lab\nservices: {a: {command: [x], networks: [front]}}\nnetworks: {front: {\(keys)}}"
  }

  @Test func aFixedSubnetThatIsInUseIsRefusedByTheNameOfItsUser() throws {
    var facts = HostFacts.using(["10.9.0.0/16"])
    facts.ranges.append(
      HostFacts.UsedRange(prefix: try #require(IPPrefix("10.8.0.0/24")), user: "network front of stack web"))
    let errors = obstacles(Self.network("subnet: 10.9.1.0/24"), on: facts)
    #expect(errors.map(\.subject) == ["lab/front"])
    #expect(errors.map(\.message) == ["subnet 10.9.1.0/24 overlaps 10.9.0.0/16, a route of the host over eth0"])
    #expect(errors.first?.remedy?.contains("web.stack:3") == true)
    #expect(
      obstacles(Self.network("subnet: 10.8.0.0/16"), on: facts).map(\.message)
        == ["subnet 10.8.0.0/16 overlaps 10.8.0.0/24, network front of stack web"])
    #expect(obstacles(Self.network("subnet: 10.7.0.0/16"), on: facts).isEmpty)
  }

  @Test func chosenSubnetsAvoidTheHostsAndTheFilesOwn() throws {
    let stack = try resolve(
      """
      services: {a: {command: [x], networks: [one, two, three]}}
      networks: {one: {}, two: {subnet: 10.208.1.0/24}, three: {}}
      """, on: .using(["10.208.0.0/24", "10.208.2.0/23"]))
    #expect(stack.networks.map { "\($0.subnet)" } == ["10.208.4.0/24", "10.208.1.0/24", "10.208.5.0/24"])
  }

  @Test func aSubnetIsKeptWhileItServes() throws {
    let before = try resolve(Self.two, on: .using(["10.208.0.0/22"]))
    #expect("\(before.networks[0].subnet)" == "10.208.4.0/24")
    // What stood in the way is gone, and still nothing moves.
    #expect(try resolve(Self.two, previous: before) == before)
    // Now somebody else has it.
    let moved = try resolve(Self.two, on: .using(["10.208.4.0/24"]), previous: before)
    #expect("\(moved.networks[0].subnet)" == "10.208.0.0/24")
    // More services than fit.
    let wide = try resolve("services: {a: {command: [x], scale: 300}}", previous: before)
    #expect(wide.networks[0].subnet.length == 23)
    // Another pool.
    let other = try resolve(Self.two, on: .using(pool: "192.168.0.0/16"), previous: before)
    #expect("\(other.networks[0].subnet)" == "192.168.0.0/24")
  }

  @Test func aUsedUpPoolIsSaid() {
    let errors = obstacles(Self.network(""), on: .using(["10.208.0.0/12"]))
    #expect(
      errors.map(\.message) == [
        "no free subnet for 1 services is left in 10.208.0.0/12 (10.208.0.0/12 is a route of the host over eth0)"
      ])
    #expect(errors.first?.remedy?.contains("STACK_POOL") == true)
  }

  /// A company's VPN routes all private ranges. The error names each pool with the route that covers it.
  @Test func aHostThatHasAllPrivateRangesIsTold() {
    var facts = HostFacts.using(["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"])
    facts.pools = AddressAllocator.defaultPools
    #expect(
      obstacles(Self.network(""), on: facts).map(\.message) == [
        "no free subnet for 1 services is left in 10.208.0.0/12 (10.0.0.0/8 is a route of the host over eth0), "
          + "172.16.0.0/12 (172.16.0.0/12 is a route of the host over eth0), "
          + "192.168.0.0/16 (192.168.0.0/16 is a route of the host over eth0), "
          + "100.64.0.0/10 (100.64.0.0/10 is a route of the host over eth0)"
      ])
    facts.ranges.removeLast()
    #expect(obstacles(Self.network(""), on: facts).isEmpty)
  }

  @Test func aVPNThatComesLaterMovesNobody() throws {
    let before = try resolve(Self.two)
    var facts = HostFacts.using(["10.0.0.0/8"])
    facts.ranges[0].link = "vpn0"
    #expect(try resolve(Self.two, on: facts, previous: before) == before)
  }

  /// A default route in parts says nothing about who is where.
  @Test(arguments: [
    ("0.0.0.0/0", true), ("0.0.0.0/1", true), ("128.0.0.0/1", true), ("64.0.0.0/2", true), ("8.0.0.0/7", true),
    ("10.0.0.0/8", false), ("100.64.0.0/10", false), ("::/0", true), ("::/1", true), ("::/3", true), ("2000::/3", true),
    ("fc00::/7", true), ("fd00::/8", true), ("fd00::/16", true), ("2001:db8::/32", false),
    ("fd12:3456:789a::/48", false),
  ])
  func wideRoutesAreWaysOut(prefix: String, isWayOut: Bool) throws {
    #expect(HostFacts.UsedRange.isWayOut(try #require(IPPrefix(prefix))) == isWayOut)
  }

  @Test func aFullSubnetIsSaidOnceForEachThatGetsNoAddress() {
    let text = """
      services: {a: {command: [x], networks: [n], scale: 7}}
      networks: {n: {subnet: 10.5.0.0/29}}
      """
    let errors = obstacles(text, on: .using())
    #expect(
      errors.map(\.message) == [
        "no address is left in 10.5.0.0/29 of network n", "no address is left in 10.5.0.0/29 of network n",
      ])
    #expect(errors.map(\.subject) == ["web/a-6", "web/a-7"])
  }

  @Test func declaredNetworksExistAlsoWithoutServicesAndTheImplicitOneDoesNot() throws {
    let stack = try resolve("services: {a: {command: [x], networks: [n]}}\nnetworks: {n: {}, spare: {}}")
    #expect(stack.networks.map(\.name) == ["n", "spare"])
  }

  // MARK: Addresses

  @Test func aNewServiceTakesNobodysAddress() throws {
    let before = try resolve("services: {b: {command: [x]}, c: {command: [x]}}")
    let after = try resolve("services: {a: {command: [x]}, b: {command: [x]}, c: {command: [x]}}", previous: before)
    #expect(
      after.places
        == ["a": ["default 10.208.0.4"], "b": ["default 10.208.0.2"], "c": ["default 10.208.0.3"]])
  }

  @Test func aFixedAddressComesBeforeAKeptOne() throws {
    let before = try resolve("services: {a: {command: [x], networks: [n]}}\nnetworks: {n: {subnet: 10.5.0.0/24}}")
    let after = try resolve(
      """
      services: {a: {command: [x], networks: [n]}, b: {command: [x], networks: {n: {ipv4_address: 10.5.0.2}}}}
      networks: {n: {subnet: 10.5.0.0/24}}
      """, previous: before)
    #expect(after.places == ["a": ["n 10.5.0.3"], "b": ["n 10.5.0.2"]])
  }

  @Test func addressesComeFromTheRangeAndAroundTheGateway() throws {
    let stack = try resolve(
      """
      services: {a: {command: [x], networks: [n]}, b: {command: [x], networks: [n]}}
      networks: {n: {ipam: {config: [{subnet: 10.5.0.0/24, gateway: 10.5.0.129, ip_range: 10.5.0.128/25}]}}}
      """)
    #expect("\(stack.networks[0].gateway)" == "10.5.0.129")
    #expect(stack.places == ["a": ["n 10.5.0.128"], "b": ["n 10.5.0.130"]])
  }

  // MARK: Default routes

  private static func route(_ attachments: String, _ networks: String = "one: {}, two: {}, in: {internal: true}") throws
    -> String?
  {
    let stack = try resolve(
      "services: {a: {command: [x], networks: {\(attachments)}}}\nnetworks: {\(networks)}")
    let chosen = stack.services[0].attachments.filter(\.isDefaultRoute)
    #expect(chosen.count <= 1)
    return chosen.first?.network
  }

  @Test func theDefaultRouteGoesThroughTheFirstNetworkOfHighestPriorityThatLeadsOut() throws {
    #expect(try Self.route("one: {}, two: {}") == "one")
    #expect(try Self.route("one: {}, two: {gw_priority: 1}") == "two")
    #expect(try Self.route("one: {gw_priority: -1}, two: {}") == "two")
    #expect(try Self.route("in: {gw_priority: 9}, one: {}") == "one")
    #expect(try Self.route("in: {}") == nil)
  }

  // MARK: Links, groups, tables

  @Test func aLinkNameThatIsTakenIsNotUsed() throws {
    let free = try resolve("name: lab\n" + Self.two)
    var facts = HostFacts.using()
    facts.links = ["lab-default", free.services[0].attachments[0].link]
    let stack = try resolve("name: lab\n" + Self.two, on: facts)
    #expect(stack.networks[0].bridge != "lab-default" && stack.networks[0].bridge.hasPrefix("lab-defa-"))
    #expect(!facts.links.contains(stack.services[0].attachments[0].link))
    #expect(stack.services[1].attachments[0].link == free.services[1].attachments[0].link)
    // Once chosen, it stays, also when the other link has gone.
    #expect(try resolve("name: lab\n" + Self.two, previous: stack) == stack)
  }

  @Test func manyLinksHaveNamesOfTheirOwn() throws {
    let stack = try resolve("services: {worker: {command: [x], scale: 3000}}")
    let links = stack.services.flatMap(\.attachments).map(\.link)
    #expect(Set(links).count == 3000)
    #expect(links.allSatisfy { $0.utf8.count <= InterfaceName.limit })
  }

  @Test func aDeviceGroupInUseIsNotTaken() throws {
    let free = try resolve(Self.two)
    var facts = HostFacts.using()
    facts.linkGroups = [free.linkGroup]
    let other = try resolve(Self.two, on: facts)
    #expect(other.linkGroup != free.linkGroup && other.linkGroup != 0)
    // Its own links are in it, of course.
    #expect(try resolve(Self.two, on: facts, previous: free).linkGroup == free.linkGroup)
  }

  @Test func aTableOfThatNameIsAnObstacle() {
    var facts = HostFacts.using()
    facts.tables = ["stack-web"]
    #expect(
      obstacles(Self.two, on: facts).map(\.message)
        == ["an nftables table named stack-web exists already and is not a stack's"])
  }
}

/// Folders of the host that a service can write to.
@Suite struct SharedFolderChoiceTests {
  @Test func whatLiesBelowABindIsMarked() throws {
    let stack = try resolve(
      """
      services:
        a: {command: [x], volumes: ["/srv/data:/data", "/srv/data/cache:/cache", "/srv/read:/read:ro"]}
        b: {command: [x], rootfs: /srv/data/root, volumes: ["/srv/data2:/other", "/srv/read/x:/x"]}
        c: {command: [x], volumes: ["/srv/data/cache/deep:/deep"]}
      """)
    let folders = stack.services.map { $0.mounts.map(\.sharedFolder) }
    #expect(folders == [[nil, "/srv/data", nil], [nil, nil], ["/srv/data"]])
    #expect(stack.services.map(\.sharedFolderOfRoot) == [nil, "/srv/data", nil])
  }

  /// Somebody else's mount is no reason to make a service anew.
  @Test func anotherServicesBindRecreatesNobody() throws {
    let text = "services: {a: {command: [x], volumes: [\"/srv/data/cache:/cache\"]}, b: {command: [x]BIND}}"
    let before = try resolve(text.replacingOccurrences(of: "BIND", with: ""))
    let after = try resolve(text.replacingOccurrences(of: "BIND", with: ", volumes: [\"/srv/data:/data\"]"))
    let (old, new) = (try #require(before.service(named: "a")), try #require(after.service(named: "a")))
    #expect(new.mounts.first?.sharedFolder == "/srv/data")
    #expect(new.difference(from: old, old: before, new: after) == nil)
  }
}
