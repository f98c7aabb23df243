import Testing
@testable import Addresses
@testable import Intent
@testable import Vocabulary

/// The services that a peer of a rule names, and their addresses.
@Suite struct PolicyMemberTests {
  private let stack: DesiredStack

  init() throws {
    stack = try resolve(
      """
      services:
        web: {command: [x], networks: [front], deploy: {replicas: 3}, labels: {tier: edge}}
        db: {command: [x], networks: [front, back], labels: {tier: store}}
      networks: {front: {}, back: {enable_ipv6: true}}
      """)
  }

  private func names(_ peer: PolicyPeer) -> [String] { PolicyMembers(stack).services(of: peer).map(\.name).sorted() }

  private func addresses(_ peer: PolicyPeer) -> Set<IPAddress>? {
    var members = PolicyMembers(stack)
    return members.addresses(of: peer)
  }

  @Test func aServiceIsAllItsReplicas() {
    #expect(names(.service("web")) == ["web-1", "web-2", "web-3"])
    #expect(addresses(.service("web"))?.count == 3)
  }

  @Test func aReplicaIsItselfAlone() throws {
    #expect(names(.service("web-2")) == ["web-2"])
    let second = try #require(stack.service(named: "web-2")?.attachments.first)
    #expect(addresses(.service("web-2")) == [.v4(second.address)])
  }

  @Test func aPatternMatchesServicesAndReplicas() {
    #expect(names(.pattern("w*")) == ["web-1", "web-2", "web-3"])
    #expect(names(.pattern("*-3")) == ["web-3"])
    #expect(names(.pattern("x*")) == [])
  }

  @Test func aLabelIsKeyAndValue() {
    #expect(names(.label(key: "tier", value: "store")) == ["db"])
    #expect(names(.label(key: "tier", value: "edge")).count == 3)
    #expect(names(.label(key: "edge", value: "tier")) == [])
  }

  @Test func aServiceHasItsAddressesOfAllNetworksAndFamilies() throws {
    let db = try #require(stack.service(named: "db"))
    let ipv6 = try #require(db.attachments.compactMap(\.ipv6).first)
    let expected = db.attachments.map { IPAddress.v4($0.address) } + [.v6(ipv6.address)]
    #expect(addresses(.service("db")) == Set(expected))
  }

  @Test func aNetworkIsTheAddressesOnIt() throws {
    let db = try #require(stack.service(named: "db")?.attachments.first { $0.network == "back" })
    let ipv6 = try #require(db.ipv6)
    #expect(addresses(.network("back")) == [.v4(db.address), .v6(ipv6.address)])
    #expect(addresses(.network("front"))?.count == 4)
  }

  @Test func othersNameNoService() {
    for peer in [PolicyPeer.any, .host, .internet] {
      #expect(addresses(peer) == nil)
      #expect(names(peer) == [])
    }
  }
}
