import CNetfilter
import Testing
@testable import Netfilter
@testable import Netlink

/// Chains as the kernel lists them: NFT_MSG_NEWCHAIN of linux/netfilter/nf_tables.h, numbers in network byte order.
@Suite struct BaseChainTests {
  /// The message that a listing of `type filter hook forward priority -5; policy drop` gives, octet by octet.
  private static let closed: [UInt8] =
    [0x4c, 0, 0, 0, 0x03, 0x0a, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]  // struct nlmsghdr
    + [0x01, 0, 0, 0]  // struct nfgenmsg: inet
    + [0x06, 0, 0x01, 0] + Array("t".utf8) + [0, 0, 0]  // NFTA_CHAIN_TABLE
    + [0x06, 0, 0x03, 0] + Array("f".utf8) + [0, 0, 0]  // NFTA_CHAIN_NAME
    + [0x14, 0, 0x04, 0x80]  // NFTA_CHAIN_HOOK
    + [0x08, 0, 0x01, 0, 0, 0, 0, 2, 0x08, 0, 0x02, 0, 0xff, 0xff, 0xff, 0xfb]  // forward, -5
    + [0x08, 0, 0x05, 0, 0, 0, 0, 0]  // NFTA_CHAIN_POLICY: drop
    + [0x0b, 0, 0x07, 0] + Array("filter".utf8) + [0, 0]  // NFTA_CHAIN_TYPE

  private func chains(in bytes: [UInt8]) -> [NftBaseChainSummary] {
    var chains: [NftBaseChainSummary] = []
    bytes.span.bytes.forEachMessage { header, payload in
      if let chain = NftBaseChainSummary(header, payload) { chains.append(chain) }
    }
    return chains
  }

  @Test func aBaseChainIsRead() {
    let expected = NftBaseChainSummary(
      table: NftTableName(.inet, "t"), chain: "f", type: .filter, hook: .forward, priority: -5, policy: .drop)
    #expect(Self.closed.count == 0x4c)
    #expect(chains(in: Self.closed + Self.closed) == [expected, expected])
  }

  @Test func everyCutIsSurvived() {
    for length in 0..<Self.closed.count {
      var bytes = Array(Self.closed.prefix(length))
      #expect(chains(in: bytes).isEmpty)
      // The same with a length that fits, so that the reader of attributes meets the cut.
      if length >= 16 {
        bytes[0] = UInt8(length)
        #expect(chains(in: bytes).allSatisfy { $0.hook == .forward })
      }
    }
  }

  @Test func whatIsUnknownIsLeftOut() {
    /// Offsets: the family, the hook's number, the policy, the first letter of the type.
    for (offset, value) in [(16, 3), (47, 9), (63, 7), (68, 0x78)] as [(Int, UInt8)] {
      var bytes = Self.closed
      bytes[offset] = value
      #expect(chains(in: bytes).isEmpty, "octet \(offset)")
    }
  }

  @Test func aListingIsWhatNftMade() throws {
    let host = try ThrowawayNamespace()
    try host.run(
      "nft -f -",
      input: """
        table ip filter {
          chain FORWARD { type filter hook forward priority filter; policy drop; }
          chain DOCKER { }
        }
        table inet mine {
          chain in { type filter hook input priority -10; }
          chain out { type nat hook postrouting priority srcnat; }
          chain early { type filter hook ingress device "lo" priority 3; }
        }
        table netdev dev {
          chain first { type filter hook ingress device "lo" priority -500; policy drop; }
        }
        """)
    var socket = try NetlinkSocket(.netfilter, in: host.descriptor)
    let chains = try socket.baseChains()
    #expect(
      Set(chains) == [
        NftBaseChainSummary(
          table: NftTableName(.ip, "filter"), chain: "FORWARD", type: .filter, hook: .forward, priority: 0,
          policy: .drop),
        NftBaseChainSummary(
          table: NftTableName(.inet, "mine"), chain: "in", type: .filter, hook: .input, priority: -10,
          policy: .accept),
        NftBaseChainSummary(
          table: NftTableName(.inet, "mine"), chain: "out", type: .nat, hook: .postrouting, priority: 100,
          policy: .accept),
        NftBaseChainSummary(
          table: NftTableName(.inet, "mine"), chain: "early", type: .filter, hook: .ingress(device: "lo"),
          priority: 3, policy: .accept),
        NftBaseChainSummary(
          table: NftTableName(.netdev, "dev"), chain: "first", type: .filter, hook: .ingress(device: "lo"),
          priority: -500, policy: .drop),
      ])
  }

  @Test func aHostWithoutTablesHasNone() throws {
    let host = try ThrowawayNamespace()
    var socket = try NetlinkSocket(.netfilter, in: host.descriptor)
    #expect(try socket.baseChains().isEmpty)
  }
}
