import CNetfilter
import SystemPackage
import Testing
@testable import Addresses
@testable import Netlink

/// The octets of requests for links of several kinds: see ``RouteMessageTests`` for how they are written.
@Suite struct LinkKindMessageTests {
  @Test func macvlan() {
    var batch = RouteBatch()
    var macvlan = Macvlan("eth0", on: 7, in: FileDescriptor(rawValue: 9))
    macvlan.mac = MACAddress(bits: 0x0273_0a00_0001)
    batch.create(macvlan)
    expect(
      batch,
      "64000000 1000 0106 01000000 00000000",
      "00 00 0000 00000000 00000000 00000000",
      "0900 0300 6574683000 000000",  // IFLA_IFNAME "eth0"
      "0800 0500 07000000",  // IFLA_LINK
      "0a00 0100 02730a000001 0000",  // IFLA_ADDRESS
      "0800 1c00 09000000",  // IFLA_NET_NS_FD
      "1c00 1280",  // IFLA_LINKINFO
      "0c00 0100 6d6163766c616e00",  // IFLA_INFO_KIND "macvlan"
      "0c00 0280 0800 0100 04000000")  // IFLA_INFO_DATA, IFLA_MACVLAN_MODE bridge
  }

  @Test func vlanInterface() {
    var batch = RouteBatch()
    batch.create(VLANInterface("eth0.10", on: 3, vlan: 10))
    expect(
      batch,
      "50000000 1000 0106 01000000 00000000",
      "00 00 0000 00000000 00000000 00000000",
      "0c00 0300 657468302e313000",  // IFLA_IFNAME "eth0.10"
      "0800 0500 03000000",  // IFLA_LINK
      "1c00 1280",  // IFLA_LINKINFO
      "0900 0100 766c616e00 000000",  // IFLA_INFO_KIND "vlan"
      "0c00 0280 0600 0100 0a00 0000")  // IFLA_INFO_DATA, IFLA_VLAN_ID
  }

  @Test func vxlan() throws {
    var batch = RouteBatch()
    var vxlan = Vxlan("v0", id: 42, remote: try #require(IPAddress("192.0.2.7")), port: 4789)
    vxlan.local = IPAddress("192.0.2.1")
    (vxlan.mtu, vxlan.group, vxlan.master) = (1450, 77, 7)
    batch.create(vxlan)
    expect(
      batch,
      "7c000000 1000 0106 01000000 00000000",
      "00 00 0000 00000000 00000000 00000000",
      "0700 0300 763000 00",  // IFLA_IFNAME "v0"
      "0800 0400 aa050000",  // IFLA_MTU
      "0800 1b00 4d000000",  // IFLA_GROUP
      "0800 0a00 07000000",  // IFLA_MASTER
      "3c00 1280",  // IFLA_LINKINFO
      "0a00 0100 76786c616e00 0000",  // IFLA_INFO_KIND "vxlan"
      "2c00 0280",  // IFLA_INFO_DATA
      "0800 0100 2a000000",  // IFLA_VXLAN_ID
      "0800 0200 c0000207",  // IFLA_VXLAN_GROUP
      "0800 0400 c0000201",  // IFLA_VXLAN_LOCAL
      "0600 0f00 12b5 0000",  // IFLA_VXLAN_PORT, in network order
      "0500 0700 01 000000")  // IFLA_VXLAN_LEARNING
  }

  @Test func vxlanOverIPv6() throws {
    var batch = RouteBatch()
    batch.create(Vxlan("v0", id: 42, remote: try #require(IPAddress("2001:db8::7")), port: 4789))
    expect(
      batch,
      "68000000 1000 0106 01000000 00000000",
      "00 00 0000 00000000 00000000 00000000",
      "0700 0300 763000 00",
      "4000 1280",
      "0a00 0100 76786c616e00 0000",
      "3000 0280",
      "0800 0100 2a000000",
      "1400 1000 20010db8000000000000000000000007",  // IFLA_VXLAN_GROUP6
      "0600 0f00 12b5 0000",
      "0500 0700 01 000000")
  }

  @Test func bridgeVLANs() {
    var batch = RouteBatch()
    var access = BridgeVLAN(10, on: 11)
    (access.takesUntagged, access.leavesUntagged) = (true, true)
    batch.add(access)
    batch.add(BridgeVLAN(20, on: 11))
    batch.delete(BridgeVLAN(1, on: 11))
    let port = "07 00 0000 0b000000 00000000 00000000"  // AF_BRIDGE
    expect(
      batch,
      "2c000000 1300 0100 01000000 00000000", port, "0c00 1a80", "0800 0200 0600 0a00",  // IFLA_BRIDGE_VLAN_INFO
      "2c000000 1300 0100 02000000 00000000", port, "0c00 1a80", "0800 0200 0000 1400",
      "2c000000 1100 0100 03000000 00000000", port, "0c00 1a80", "0800 0200 0000 0100")
  }

  private func expect(_ batch: RouteBatch, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation) {
    let bytes = Outgoing.stamp(
      batch.writer.bytes, batch.envelopes.map(\.range.lowerBound), first: 1, flags: UInt16(NLM_F_REQUEST))
    #expect(hexadecimal(bytes) == parts.joined().filter { $0 != " " }, sourceLocation: sourceLocation)
  }
}
