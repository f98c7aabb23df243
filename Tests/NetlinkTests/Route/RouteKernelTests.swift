import Kernel
import Netlink
import SystemPackage
import Testing

@Suite struct RouteKernelTests {
  @Test func aBridgeAVethAndAllThatHangsOnThem() throws {
    let host = try ThrowawayNamespace()
    let service = try ThrowawayNamespace()
    var outside = try NetlinkSocket(.route, in: host.descriptor)
    var inside = try NetlinkSocket(.route, in: service.descriptor)

    var bridge = Bridge("br-test")
    bridge.index = 5000
    bridge.mac = MACAddress("02:73:0a:00:00:01")
    bridge.mtu = 1400
    bridge.group = 77
    bridge.ageing = 6000
    bridge.callsIPTables = false
    bridge.callsIP6Tables = false
    var pair = VethPair(near: .init("web1-host"), peer: .init("eth0"), in: service.descriptor.fileDescriptor)
    pair.near.index = 5001
    pair.near.group = 77
    pair.near.queueLength = 0
    pair.peer.index = 100
    pair.peer.mac = MACAddress("02:73:0a:00:00:02")
    pair.peer.mtu = 1400
    pair.peer.queueLength = 500
    pair.master = 5000
    var port = LinkChange(.index(5001))
    port.isUp = true
    port.alias = "stack:test/web1/front"
    port.ipv6AddressGeneration = IPv6AddressGeneration.none
    port.bridgePort = BridgePort(
      floods: false, floodsMulticast: false, suppressesNeighbours: true, learns: false, isIsolated: true)
    var batch = RouteBatch()
    batch.create(bridge)
    batch.create(pair)
    batch.change(port)
    batch.add(InterfaceAddress(.v4(try #require(IPv4Address("10.9.0.1"))), prefixLength: 24, on: 5000))
    batch.set(Neighbour(try #require(IPAddress("10.9.0.2")), at: MACAddress(bits: 0x0273_0a00_0002), on: 5000))
    batch.set(ForwardingEntry(MACAddress(bits: 0x0273_0a00_0002), behind: 5001))
    try outside.apply(batch)

    var within = RouteBatch()
    var loopback = LinkChange(.index(1))
    loopback.isUp = true
    within.change(loopback)
    var eth0 = LinkChange(.index(100))
    eth0.isUp = true
    eth0.ipv6AddressGeneration = IPv6AddressGeneration.none
    within.change(eth0)
    within.add(InterfaceAddress(try #require(IPAddress("10.9.0.2")), prefixLength: 24, on: 100))
    var six = InterfaceAddress(try #require(IPAddress("fd00:9::2")), prefixLength: 64, on: 100)
    six.skipsDuplicateDetection = true
    within.add(six)
    within.add(Route(to: .anyV4, via: try #require(IPAddress("10.9.0.1")), on: 100))
    within.add(Route(to: .anyV6, via: try #require(IPAddress("fd00:9::1")), on: 100))
    try inside.apply(within)

    print(try host.run("ip -d addr; ip neigh; bridge fdb"))
    print(try service.run("ip -d addr; ip route; ip -6 route"))
    print(try outside.links())
    print(try inside.routes())
    print(try inside.addresses())
  }
}
