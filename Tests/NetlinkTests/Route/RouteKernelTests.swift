import Glibc
import Synchronization
import SystemPackage
import Testing
@testable import Addresses
@testable import Kernel
@testable import Netlink

/// A bridge at 5000 and a veth at 5001 in one namespace, its peer at 100 in another, with all that hangs on them.
private func join(_ host: borrowing ThrowawayNamespace, _ service: borrowing ThrowawayNamespace) throws {
  let gateway = try #require(IPAddress("10.9.0.1"))
  let own = try #require(IPAddress("10.9.0.2"))
  let mac = MACAddress(bits: 0x0273_0a00_0002)
  var bridge = Bridge("br-test")
  bridge.index = 5000
  bridge.mac = MACAddress(bits: 0x0273_0a00_0001)
  bridge.mtu = 1400
  bridge.group = 77
  bridge.ageing = 6000
  bridge.callsIPTables = false
  bridge.callsIP6Tables = false
  var pair = VethPair(near: .init("web1-host"), peer: .init("eth0"), in: service.descriptor.fileDescriptor)
  pair.near.index = 5001
  pair.near.group = 77
  pair.near.mtu = 1400
  pair.near.queueLength = 0
  pair.peer.index = 100
  pair.peer.mac = mac
  pair.peer.mtu = 1400
  pair.peer.queueLength = 500
  pair.master = 5000
  var port = LinkChange(.index(5001))
  port.isUp = true
  port.alias = "stack:test/web1/front"
  port.ipv6AddressGeneration = IPv6AddressGeneration.none
  port.bridgePort = BridgePort(
    floods: false, floodsMulticast: false, suppressesNeighbours: true, learns: false, isIsolated: true)
  var outside = RouteBatch()
  outside.create(bridge)
  outside.create(pair)
  outside.change(port)
  outside.add(InterfaceAddress(gateway, prefixLength: 24, on: 5000))
  outside.set(Neighbour(own, at: mac, on: 5000))
  outside.set(ForwardingEntry(mac, behind: 5001))

  var loopback = LinkChange(.index(1))
  loopback.isUp = true
  var eth0 = LinkChange(.index(100))
  eth0.isUp = true
  eth0.ipv6AddressGeneration = IPv6AddressGeneration.none
  var six = InterfaceAddress(try #require(IPAddress("fd00:9::2")), prefixLength: 64, on: 100)
  six.skipsDuplicateDetection = true
  var blackhole = Route(to: try #require(IPPrefix("192.0.2.0/24")))
  blackhole.kind = .blackhole
  blackhole.metric = 50
  var elsewhere = Route(to: try #require(IPPrefix("198.51.100.0/24")), on: 100)
  elsewhere.table = 1000
  var inside = RouteBatch()
  inside.change(loopback)
  inside.change(eth0)
  inside.add(InterfaceAddress(own, prefixLength: 24, on: 100))
  inside.add(six)
  inside.add(Route(to: .anyV4, via: gateway, on: 100))
  inside.add(Route(to: .anyV6, via: try #require(IPAddress("fd00:9::1")), on: 100))
  inside.add(blackhole)
  inside.add(elsewhere)

  var socket = try NetlinkSocket(.route, in: host.descriptor)
  try socket.apply(outside)
  var within = try NetlinkSocket(.route, in: service.descriptor)
  try within.apply(inside)
}

@Suite struct RouteKernelTests {
  @Test func ipSeesWhatWasAskedFor() throws {
    let host = try ThrowawayNamespace()
    let service = try ThrowawayNamespace()
    try join(host, service)

    let bridge = try #require(try host.json("ip -d -j link show dev br-test").first)
    #expect(bridge["ifindex"] as? Int == 5000)
    #expect(bridge["address"] as? String == "02:73:0a:00:00:01")
    #expect(bridge["mtu"] as? Int == 1400)
    #expect(bridge["group"] as? String == "77")
    let data = try #require((bridge["linkinfo"] as? [String: Any])?["info_data"] as? [String: Any])
    #expect(data["stp_state"] as? Int == 0)
    #expect(data["mcast_snooping"] as? Int == 0)
    #expect(data["ageing_time"] as? Int == 6000)
    #expect(data["nf_call_iptables"] as? Int == 0)
    #expect(data["nf_call_ip6tables"] as? Int == 0)

    let near = try #require(try host.json("ip -d -j link show dev web1-host").first)
    #expect(near["ifalias"] as? String == "stack:test/web1/front")
    #expect(near["master"] as? String == "br-test")
    #expect(near["operstate"] as? String == "UP")
    #expect(near["inet6_addr_gen_mode"] as? String == "none")
    let port = try #require((near["linkinfo"] as? [String: Any])?["info_slave_data"] as? [String: Any])
    for (name, value) in [
      "flood": false, "mcast_flood": false, "neigh_suppress": true, "learning": false, "isolated": true,
    ] {
      #expect(port[name] as? Bool == value, "\(name)")
    }

    let peer = try #require(try service.json("ip -d -j addr show dev eth0").first)
    #expect(peer["ifindex"] as? Int == 100)
    #expect(peer["address"] as? String == "02:73:0a:00:00:02")
    #expect(peer["txqlen"] as? Int == 500)
    let addresses = (peer["addr_info"] as? [[String: Any]] ?? []).compactMap { $0["local"] as? String }
    #expect(addresses == ["10.9.0.2", "fd00:9::2"])
    #expect(try service.run("ip route").contains("blackhole 192.0.2.0/24 proto static metric 50"))
    #expect(try service.run("ip route").contains("default via 10.9.0.1 dev eth0 proto static"))
    #expect(try service.run("ip -6 route").contains("default via fd00:9::1 dev eth0 proto static"))
    #expect(try service.run("ip route show table 1000").contains("198.51.100.0/24 dev eth0 proto static scope link"))
    #expect(try host.run("ip neigh").contains("10.9.0.2 dev br-test lladdr 02:73:0a:00:00:02 PERMANENT"))
    #expect(try host.run("bridge fdb").contains("02:73:0a:00:00:02 dev web1-host master br-test static"))

    let sockets = TestSockets()
    let answered = Mutex(false)
    host.within { sockets.bind(SOCK_STREAM, .v4(IPv4Address(bits: 0x0A09_0001)), 80) }
    service.within {
      let isAnswered = sockets.connect(SOCK_STREAM, .v4(IPv4Address(bits: 0x0A09_0001)), 80)
      answered.withLock { $0 = isAnswered }
    }
    #expect(answered.withLock { $0 })
  }

  @Test func listsAreWhatIpShows() throws {
    let host = try ThrowawayNamespace()
    let service = try ThrowawayNamespace()
    try join(host, service)
    var outside = try NetlinkSocket(.route, in: host.descriptor)
    var inside = try NetlinkSocket(.route, in: service.descriptor)

    #expect(
      Set(try outside.links().map(\.name)) == Set(try host.json("ip -j link").compactMap { $0["ifname"] as? String }))
    let near = try #require(try outside.links(LinkFilter(master: 5000)).first)
    #expect(near.index == 5001)
    #expect(near.kind == "veth")
    #expect(near.alias == "stack:test/web1/front")
    #expect(near.peer == 100)
    #expect(near.peerNamespaceID != nil)
    #expect(try outside.links(LinkFilter(kind: "bridge")).map(\.name) == ["br-test"])
    #expect(Set(try outside.links(LinkFilter(group: 77)).map(\.index)) == [5000, 5001])
    #expect(try outside.link(named: "br-test")?.mac == MACAddress(bits: 0x0273_0a00_0001))
    #expect(try outside.link(named: "absent") == nil)
    #expect(try inside.link(named: "eth0")?.isUp == true)

    #expect(try inside.addresses(on: 100).map(\.description) == ["10.9.0.2/24", "fd00:9::2/64"])
    #expect(try inside.addresses().contains { $0.description == "127.0.0.1/8" })
    let routes = try inside.routes()
    #expect(routes.contains { $0.destination == .anyV4 && $0.gateway == IPAddress("10.9.0.1") && $0.link == 100 })
    #expect(routes.contains { $0.destination == .anyV6 && $0.gateway == IPAddress("fd00:9::1") })
    #expect(routes.contains { $0.kind == .blackhole && $0.metric == 50 })
    #expect(try inside.routes(table: 1000).map(\.destination.description) == ["198.51.100.0/24"])
    #expect(try outside.neighbours(on: 5000).contains { $0.address == IPAddress("10.9.0.2") && $0.state == 0x80 })
  }

  @Test func everythingThatIsAddedCanBeDeleted() throws {
    let host = try ThrowawayNamespace()
    let service = try ThrowawayNamespace()
    try join(host, service)
    let own = try #require(IPAddress("10.9.0.2"))
    let mac = MACAddress(bits: 0x0273_0a00_0002)
    var within = RouteBatch()
    within.delete(Route(to: .anyV4))
    within.delete(Route(to: .anyV6))
    within.delete(InterfaceAddress(own, prefixLength: 24, on: 100))
    var inside = try NetlinkSocket(.route, in: service.descriptor)
    try inside.apply(within)
    // All are gone now, and say so.
    #expect(inside.attempt(within).map(\.index) == [0, 1, 2])
    #expect(try inside.addresses(on: 100).map(\.description) == ["fd00:9::2/64"])

    var without = RouteBatch()
    without.delete(Neighbour(own, at: mac, on: 5000))
    without.delete(ForwardingEntry(mac, behind: 5001))
    without.delete(group: 77)
    without.delete(.name("br-test"), tolerating: .gone)
    without.delete(.index(5001), tolerating: .gone)
    without.delete(group: 77, tolerating: .gone)
    var outside = try NetlinkSocket(.route, in: host.descriptor)
    try outside.apply(without)
    #expect(try outside.links().map(\.name) == ["lo"])
    // The peers of links deleted by group go with them.
    #expect(try inside.links().map(\.name) == ["lo"])
  }

  @Test func aLinkIsRenamedMovedAndFreed() throws {
    let host = try ThrowawayNamespace()
    let other = try ThrowawayNamespace()
    var socket = try NetlinkSocket(.route, in: host.descriptor)
    var batch = RouteBatch()
    var bridge = Bridge("br")
    bridge.index = 10
    batch.create(bridge)
    var pair = VethPair(near: .init("a"), peer: .init("b"))
    pair.near.index = 11
    pair.peer.index = 12
    pair.master = 10
    batch.create(pair)
    var change = LinkChange(.index(11))
    change.name = "renamed"
    change.master = 0
    change.mtu = 9000
    change.group = 3
    change.mac = MACAddress(bits: 0x0200_0000_0001)
    batch.change(change)
    var move = LinkChange(.name("b"))
    move.namespace = other.descriptor.fileDescriptor
    batch.change(move)
    try socket.apply(batch)
    let link = try #require(try host.json("ip -j link show dev renamed").first)
    #expect(link["master"] == nil)
    #expect(link["mtu"] as? Int == 9000)
    #expect(link["group"] as? String == "3")
    #expect(link["address"] as? String == "02:00:00:00:00:01")
    #expect(try other.run("ip link").contains("b@"))
  }

  @Test func aRefusalSaysWhatWasDoneToWhatAndWhy() throws {
    let host = try ThrowawayNamespace()
    var socket = try NetlinkSocket(.route, in: host.descriptor)
    var batch = RouteBatch()
    batch.create(Bridge("br-a"))
    batch.create(Bridge("br-a"))
    batch.create(Bridge("a-name-of-sixteen"))
    batch.create(Bridge("br-b"))
    let first = #expect(throws: KernelError.self) { try socket.apply(batch) }
    #expect(first?.action == "create bridge")
    #expect(first?.subject == "br-a")
    #expect(first?.errno == .fileExists)
    // The kernel went on: what stands behind the refusal is made.
    #expect(try socket.link(named: "br-b") != nil)

    var again = RouteBatch()
    again.create(Bridge("br-a"), tolerating: .existing)
    again.create(Bridge("a-name-of-sixteen"))
    again.create(Bridge("nul\0within"))
    var change = LinkChange(.name("absent"))
    change.isUp = true
    again.change(change)
    again.add(Route(to: .anyV4, via: .v4(.loopback), on: 1))
    let failures = socket.attempt(again)
    #expect(failures.map(\.index) == [1, 2, 3, 4])
    #expect(failures.map(\.error.subject) == ["a-name-of-sixteen", "nul\0within", "absent", "0.0.0.0/0"])
    #expect(failures.first?.error.detail == "Attribute failed policy validation")
    #expect(failures.last?.error.detail != nil)
    #expect(failures.allSatisfy { "\($0.error)".hasPrefix("cannot ") })
  }

  @Test func aThousandRequestsAreFewCalls() throws {
    let host = try ThrowawayNamespace()
    var socket = try NetlinkSocket(.route, in: host.descriptor)
    var loopback = LinkChange(.index(1))
    loopback.isUp = true
    var batch = RouteBatch()
    batch.reserveCapacity(5001)
    batch.change(loopback)
    for number in 0..<5000 {
      let address = IPv4Address(bits: 0x0A00_0000 + UInt32(number))
      batch.add(InterfaceAddress(.v4(address), prefixLength: 32, on: 1))
    }
    try socket.apply(batch)
    #expect(try socket.addresses().filter { $0.prefixLength == 32 }.count == 5000)
    // Each is refused this time, and each refusal arrives.
    #expect(socket.attempt(batch).count == 5000)
  }
}
