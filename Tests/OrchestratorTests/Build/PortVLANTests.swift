import Testing
@testable import Build
@testable import Intent
@testable import Netlink

/// The VLANs of a service's port, also where this machine's kernel has no bridges that tell them apart.
@Suite struct PortVLANTests {
  /// The requests about the port of a service's first interface.
  private func requests(_ keys: String) throws -> RouteBatch {
    let stack = try resolve(
      """
      services: {a: {command: [x], networks: {n: {\(keys)}}}}
      networks: {n: {vlans: {10: 10.10.0.0/24, 20: null, 30: null}}}
      """)
    var batch = RouteBatch()
    batch.setVLANs(of: try #require(stack.services.first?.attachments.first), on: 7)
    return batch
  }

  private func vlan(_ id: UInt16, isUntagged: Bool = false) -> BridgeVLAN {
    var vlan = BridgeVLAN(id, on: 7)
    (vlan.takesUntagged, vlan.leavesUntagged) = (isUntagged, isUntagged)
    return vlan
  }

  @Test func aPortWithoutAnyStaysWhereItIs() throws {
    #expect(try requests("").isEmpty)
  }

  @Test func anAccessPortIsInOneAndItsServiceSeesNoTag() throws {
    var expected = RouteBatch()
    expected.add(vlan(20, isUntagged: true))
    expected.delete(BridgeVLAN(1, on: 7))
    #expect(try requests("vlan: {access: 20}").writer.bytes == expected.writer.bytes)
  }

  @Test func aTrunkIsInEachWithItsTag() throws {
    var expected = RouteBatch()
    expected.add(vlan(10))
    expected.add(vlan(30))
    #expect(try requests("vlan: {trunk: {10: null, 30: null}}").writer.bytes == expected.writer.bytes)
  }
}
