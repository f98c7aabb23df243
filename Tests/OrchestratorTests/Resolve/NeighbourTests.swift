import Testing
@testable import Addresses
@testable import Intent
@testable import Resolve

/// The services that have permanent neighbour entries for each other.
@Suite struct NeighbourTests {
  private func stack(_ count: Int, _ network: String = "{}") throws -> DesiredStack {
    try resolve("services: {web: {command: [x], scale: \(count), networks: [n]}}\nnetworks: {n: \(network)}")
  }

  @Test func servicesOfANetworkKnowEachOther() throws {
    let stack = try stack(60)
    let attachment = try #require(stack.services.first?.attachments.first)
    let known = stack.knownNeighbours(of: attachment)
    #expect(known.count == 59 && !known.map(\.address).contains(.v4(attachment.address)))
    let other = try #require(stack.services.last?.attachments.first)
    #expect(known.contains(KnownNeighbour(address: .v4(other.address), mac: other.mac)))
    #expect(stack.learnedNeighbours == 0)
  }

  @Test func bothFamiliesAreKnown() throws {
    let stack = try stack(3, "{enable_ipv6: true}")
    let attachment = try #require(stack.services.first?.attachments.first)
    #expect(stack.knownNeighbours(of: attachment).count == 4)
  }

  @Test func aLargeNetworkNeedsHigherLimits() throws {
    let stack = try stack(400)
    #expect(stack.services.flatMap(\.attachments).prefix(1).flatMap(stack.knownNeighbours).isEmpty)
    #expect(stack.learnedNeighbours == 160_000)
    #expect(
      NeighbourLimits.settings(for: 160_000).map(\.value) == [160_000, 320_000, 321_024, 160_000, 320_000, 321_024])
    #expect(NeighbourLimits.settings(for: 60).isEmpty)
  }

  @Test func whoseHardwareAddressMayMoveIsAskedFor() throws {
    let stack = try resolve(
      """
      services:
        a: {command: [x], networks: [n]}
        b: {command: [x], networks: {n: {mac_address: "02:00:00:00:00:09"}}}
        c: {command: [x], networks: [n]}
      networks: {n: {}}
      """)
    let attachment = try #require(stack.service(named: "a")?.attachments.first)
    let other = try #require(stack.service(named: "c")?.attachments.first)
    #expect(stack.knownNeighbours(of: attachment).map(\.mac) == [other.mac])
  }
}
