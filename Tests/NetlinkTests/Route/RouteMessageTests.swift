import CNetfilter
import SystemPackage
import Testing
@testable import Addresses
@testable import Netlink

/// The exact octets of each request, written by hand from the headers in /usr/include/linux and checked against what
/// strace(1) shows ip(8) and bridge(8) sending for the same. Little-endian, as all machines this is built for.
///
/// Every message begins with `struct nlmsghdr`: length, type, flags (1 is NLM_F_REQUEST, 2 in the second octet EXCL, 4 CREATE,
/// 1 REPLACE), sequence, port. Every attribute begins with its length and type, 80 in the type's high octet for a nest.
@Suite struct RouteMessageTests {
  private let mac = MACAddress(bits: 0x0273_0a00_0001)

  @Test func bridge() {
    var batch = RouteBatch()
    var bridge = Bridge("br0")
    bridge.mac = mac
    bridge.mtu = 1400
    bridge.group = 77
    batch.create(bridge)
    expect(
      batch,
      "68000000 1000 0106 01000000 00000000",
      "00 00 0000 00000000 01000000 01000000",  // struct ifinfomsg: IFF_UP, and that it changes
      "0800 0300 62723000",  // IFLA_IFNAME "br0"
      "0a00 0100 02730a000001 0000",  // IFLA_ADDRESS, padded
      "0800 0400 78050000",  // IFLA_MTU
      "0800 1b00 4d000000",  // IFLA_GROUP
      "2400 1280",  // IFLA_LINKINFO
      "0b00 0100 62726964676500 00",  // IFLA_INFO_KIND "bridge"
      "1400 0280",  // IFLA_INFO_DATA
      "0800 0500 00000000",  // IFLA_BR_STP_STATE
      "0500 1700 00 000000")  // IFLA_BR_MCAST_SNOOPING
  }

  @Test func bridgeWithEveryOption() {
    var batch = RouteBatch()
    var bridge = Bridge("br0")
    bridge.index = 7
    bridge.isUp = false
    bridge.snoopsMulticast = true
    bridge.filtersVLANs = true
    bridge.ageing = 6000
    bridge.callsIPTables = false
    bridge.callsIP6Tables = true
    batch.create(bridge)
    expect(
      batch,
      "6c000000 1000 0106 01000000 00000000",
      "00 00 0000 07000000 00000000 00000000",
      "0800 0300 62723000",
      "4400 1280",
      "0b00 0100 62726964676500 00",
      "3400 0280",
      "0800 0500 00000000",
      "0500 1700 01 000000",
      "0500 0700 01 000000",  // IFLA_BR_VLAN_FILTERING
      "0800 0400 70170000",  // IFLA_BR_AGEING_TIME
      "0500 2400 00 000000",  // IFLA_BR_NF_CALL_IPTABLES
      "0500 2500 01 000000")  // IFLA_BR_NF_CALL_IP6TABLES
  }

  @Test func vethPair() {
    var batch = RouteBatch()
    var pair = VethPair(near: .init("web"), peer: .init("eth0"), in: FileDescriptor(rawValue: 9))
    pair.near.index = 11
    pair.near.queueLength = 0
    pair.peer.index = 12
    pair.peer.mac = mac
    pair.master = 7
    pair.isUp = true
    batch.create(pair)
    expect(
      batch,
      "a0000000 1000 0106 01000000 00000000",
      "00 00 0000 0b000000 01000000 01000000",
      "0800 0300 77656200",  // IFLA_IFNAME "web"
      "0800 0d00 00000000",  // IFLA_TXQLEN
      "0800 1f00 01000000",  // IFLA_NUM_TX_QUEUES
      "0800 2000 01000000",  // IFLA_NUM_RX_QUEUES
      "0800 0a00 07000000",  // IFLA_MASTER
      "5800 1280",  // IFLA_LINKINFO
      "0900 0100 7665746800 000000",  // IFLA_INFO_KIND "veth"
      "4800 0280",  // IFLA_INFO_DATA
      "4400 0180",  // VETH_INFO_PEER, which holds a struct ifinfomsg before its attributes
      "00 00 0000 0c000000 00000000 00000000",
      "0900 0300 6574683000 000000",  // IFLA_IFNAME "eth0"
      "0a00 0100 02730a000001 0000",
      "0800 1f00 01000000",
      "0800 2000 01000000",
      "0800 1c00 09000000")  // IFLA_NET_NS_FD
  }

  @Test func linkChange() {
    var batch = RouteBatch()
    var change = LinkChange(.index(11))
    change.alias = "hello"
    change.ipv6AddressGeneration = IPv6AddressGeneration.none
    change.bridgePort = BridgePort(floods: false, learns: true)
    batch.change(change)
    expect(
      batch,
      "60000000 1000 0100 01000000 00000000",
      "00 00 0000 0b000000 00000000 00000000",
      "0a00 1400 68656c6c6f00 0000",  // IFLA_IFALIAS
      "1000 1a80 0c00 0a80 0500 0800 01 000000",  // IFLA_AF_SPEC, AF_INET6, IFLA_INET6_ADDR_GEN_MODE none
      "2400 1280",
      "0b00 0400 62726964676500 00",  // IFLA_INFO_SLAVE_KIND "bridge"
      "1400 0580",  // IFLA_INFO_SLAVE_DATA
      "0500 0800 01 000000",  // IFLA_BRPORT_LEARNING
      "0500 0900 00 000000")  // IFLA_BRPORT_UNICAST_FLOOD
  }

  @Test func linkByName() {
    var batch = RouteBatch()
    var change = LinkChange(.name("web"))
    change.isUp = false
    change.master = 0
    batch.change(change)
    expect(
      batch,
      "30000000 1000 0100 01000000 00000000",
      "00 00 0000 00000000 00000000 01000000",  // down: the flag is off, and changes
      "0800 0300 77656200",
      "0800 0a00 00000000")
  }

  @Test func deletions() {
    var batch = RouteBatch()
    batch.delete(.index(11))
    batch.delete(.name("web"))
    batch.delete(group: 99)
    expect(
      batch,
      "20000000 1100 0100 01000000 00000000", "00 00 0000 0b000000 00000000 00000000",
      "28000000 1100 0100 02000000 00000000", "00 00 0000 00000000 00000000 00000000", "0800 0300 77656200",
      "28000000 1100 0100 03000000 00000000", "00 00 0000 00000000 00000000 00000000", "0800 1b00 63000000")
  }

  @Test func addresses() throws {
    var batch = RouteBatch()
    batch.add(InterfaceAddress(try #require(IPAddress("10.9.0.2")), prefixLength: 24, on: 12))
    var six = InterfaceAddress(try #require(IPAddress("fd00:9::2")), prefixLength: 64, on: 12)
    six.skipsDuplicateDetection = true
    six.makesNoRoute = true
    batch.add(six)
    batch.delete(InterfaceAddress(try #require(IPAddress("10.9.0.2")), prefixLength: 24, on: 12))
    expect(
      batch,
      "28000000 1400 0106 01000000 00000000",
      "02 18 00 00 0c000000",  // struct ifaddrmsg: AF_INET, /24
      "0800 0200 0a090002 0800 0100 0a090002",  // IFA_LOCAL, IFA_ADDRESS
      "48000000 1400 0106 02000000 00000000",
      "0a 40 02 00 0c000000",  // AF_INET6, /64, IFA_F_NODAD
      "1400 0200 fd000009000000000000000000000002",
      "1400 0100 fd000009000000000000000000000002",
      "0800 0800 02020000",  // IFA_FLAGS: IFA_F_NODAD, IFA_F_NOPREFIXROUTE
      "28000000 1500 0100 03000000 00000000", "02 18 00 00 0c000000", "0800 0200 0a090002 0800 0100 0a090002")
  }

  @Test func routes() throws {
    var batch = RouteBatch()
    batch.add(Route(to: .anyV4, via: try #require(IPAddress("10.9.0.1")), on: 12))
    var blackhole = Route(to: try #require(IPPrefix("192.0.2.0/24")))
    blackhole.kind = .blackhole
    blackhole.metric = 50
    batch.replace(blackhole)
    var elsewhere = Route(to: try #require(IPPrefix("2001:db8::/32")), on: 12)
    elsewhere.table = 1000
    batch.delete(elsewhere)
    expect(
      batch,
      "2c000000 1800 0106 01000000 00000000",
      "02 00 00 00 fe 04 00 01 00000000",  // struct rtmsg: AF_INET, /0, main table, static, universe, unicast
      "0800 0500 0a090001 0800 0400 0c000000",  // RTA_GATEWAY, RTA_OIF
      "2c000000 1800 0105 02000000 00000000",
      "02 18 00 00 fe 04 00 06 00000000",  // blackhole
      "0800 0100 c0000200 0800 0600 32000000",  // RTA_DST, RTA_PRIORITY
      "40000000 1900 0100 03000000 00000000",
      "0a 20 00 00 00 04 ff 01 00000000",  // table in an attribute, any scope
      "1400 0100 20010db8000000000000000000000000",
      "0800 0f00 e8030000",  // RTA_TABLE
      "0800 0400 0c000000")
  }

  @Test func routesByWayOfSeveralRouters() throws {
    var batch = RouteBatch()
    var route = Route(to: try #require(IPPrefix("192.0.2.0/24")))
    route.nextHops = [
      Route.NextHop(gateway: IPAddress("10.9.0.1"), link: 12),
      Route.NextHop(gateway: IPAddress("10.9.0.2"), link: 0),
    ]
    batch.add(route)
    var six = Route(to: try #require(IPPrefix("2001:db8::/32")))
    six.nextHops = [Route.NextHop(gateway: IPAddress("fe80::1"), link: 12)]
    batch.add(six)
    expect(
      batch,
      "48000000 1800 0106 01000000 00000000",
      "02 18 00 00 fe 04 00 01 00000000",  // beyond a router: universe
      "0800 0100 c0000200",
      "2400 0900",  // RTA_MULTIPATH
      "1000 00 00 0c000000 0800 0500 0a090001",  // struct rtnexthop, RTA_GATEWAY
      "1000 00 00 00000000 0800 0500 0a090002",
      "50000000 1800 0106 02000000 00000000", "0a 20 00 00 fe 04 00 01 00000000",
      "1400 0100 20010db8000000000000000000000000",
      "2000 0900 1c00 00 00 0c000000 1400 0500 fe800000000000000000000000000001")
  }

  @Test func neighboursAndForwardingEntries() throws {
    var batch = RouteBatch()
    batch.set(Neighbour(try #require(IPAddress("10.9.0.3")), at: mac, on: 12))
    batch.delete(Neighbour(try #require(IPAddress("10.9.0.3")), at: mac, on: 12))
    var entry = ForwardingEntry(mac, behind: 11)
    entry.vlan = 5
    batch.set(entry)
    expect(
      batch,
      "30000000 1c00 0105 01000000 00000000",
      "02 00 0000 0c000000 8000 00 00",  // struct ndmsg: AF_INET, NUD_PERMANENT
      "0800 0100 0a090003 0a00 0200 02730a000001 0000",  // NDA_DST, NDA_LLADDR
      "24000000 1d00 0100 02000000 00000000", "02 00 0000 0c000000 0000 00 00", "0800 0100 0a090003",
      "30000000 1c00 0105 03000000 00000000",
      "07 00 0000 0b000000 4000 04 00",  // AF_BRIDGE, NUD_NOARP, NTF_MASTER
      "0a00 0200 02730a000001 0000 0600 0500 0500 0000")  // NDA_LLADDR, NDA_VLAN
  }

  @Test func onlyTheLastOfACallAsksForAnAcknowledgement() {
    var batch = RouteBatch()
    batch.delete(.index(1))
    batch.delete(.index(2))
    let starts = batch.envelopes.map(\.range.lowerBound)
    let bytes = Outgoing.stamp(
      batch.writer.bytes, starts, first: 0xFFFF_FFF0, flags: UInt16(NLM_F_REQUEST), lastFlags: UInt16(NLM_F_ACK))
    #expect(bytes[6] == 1)
    #expect(bytes[32 + 6] == 5)
    #expect(Array(bytes[32 + 8..<32 + 12]) == [0xF1, 0xFF, 0xFF, 0xFF])
  }

  @Test func whatDoesNotFitAMessageIsMarked() {
    var batch = RouteBatch()
    var change = LinkChange(.index(1))
    change.alias = String(repeating: "x", count: 70_000)
    batch.change(change)
    change.alias = "a\0b"
    batch.change(change)
    change.alias = "fits"
    batch.change(change)
    #expect(batch.envelopes.map(\.isMalformed) == [true, true, false])
  }

  private func expect(_ batch: RouteBatch, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation) {
    let bytes = Outgoing.stamp(
      batch.writer.bytes, batch.envelopes.map(\.range.lowerBound), first: 1, flags: UInt16(NLM_F_REQUEST))
    #expect(hexadecimal(bytes) == parts.joined().filter { $0 != " " }, sourceLocation: sourceLocation)
  }
}

/// Octets as two hexadecimal digits each.
func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
