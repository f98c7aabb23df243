import SystemPackage
import Testing
@testable import Addresses
@testable import Kernel
@testable import Netfilter
@testable import Netlink

/// The exact octets of a transaction, by linux/netfilter/nf_tables.h; `nft --debug=mnl` shows nft sending the like. Numbers in
/// attributes are in network byte order here, unlike in rtnetlink. The first octet of a message's type is the kind of message
/// and the second the subsystem: 0a is nftables.
@Suite struct NftMessageTests {
  @Test func aTransactionFromEndToEnd() throws {
    let base = NftBase(.filter, .forward, priority: -5, policy: .drop)
    var transaction = NftTransaction()
    transaction.add(
      NftTable(
        .inet, "t", comment: "c", chains: [NftChain("f", base: base, rules: [NftRule([], .accept)])],
        maps: [NftMap("m", key: [.port], data: .verdict, elements: [NftMapElement([.port(80)], verdict: .goto("f"))])]))
    let expected = [
      "14000000 1000 0100 00000000 00000000 00 00 000a",  // NFNL_MSG_BATCH_BEGIN of subsystem 10, in struct nfgenmsg
      // NFT_MSG_NEWTABLE, REQUEST and CREATE; struct nfgenmsg: inet
      "24000000 000a 0104 00000000 00000000 01 00 0000",
      "0600 0100 7400 0000",  // NFTA_TABLE_NAME "t"
      "0800 0600 00 02 6300",  // NFTA_TABLE_USERDATA: comment, of two octets, "c"
      "4c000000 030a 0104 00000000 00000000 01 00 0000",  // NFT_MSG_NEWCHAIN
      "0600 0100 7400 0000 0600 0300 6600 0000",  // NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME
      "1400 0480 0800 0100 00000002 0800 0200 fffffffb",  // NFTA_CHAIN_HOOK: forward, priority -5
      "0800 0500 00000000",  // NFTA_CHAIN_POLICY drop
      "0b00 0700 66696c74657200 00",  // NFTA_CHAIN_TYPE "filter"
      "64000000 090a 0104 00000000 00000000 01 00 0000",  // NFT_MSG_NEWSET
      "0600 0100 7400 0000 0600 0200 6d00 0000",  // NFTA_SET_TABLE, NFTA_SET_NAME
      "0800 0300 00000008",  // NFTA_SET_FLAGS: NFT_SET_MAP
      "0800 0400 0000000d 0800 0500 00000002",  // NFTA_SET_KEY_TYPE inet_service, NFTA_SET_KEY_LEN
      "0800 0600 ffffff00 0800 0700 00000010",  // NFTA_SET_DATA_TYPE verdict, NFTA_SET_DATA_LEN
      "0800 0a00 00000001",  // NFTA_SET_ID
      "1000 0d00 00 04 02000000 01 04 00000000",  // NFTA_SET_USERDATA: key in network byte order
      "50000000 0c0a 0104 00000000 00000000 01 00 0000",  // NFT_MSG_NEWSETELEM
      "0600 0200 6d00 0000 0600 0100 7400 0000",  // NFTA_SET_ELEM_LIST_SET, NFTA_SET_ELEM_LIST_TABLE
      "2c00 0380 2800 0180",  // NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_LIST_ELEM
      "0c00 0180 0600 0100 0050 0000",  // NFTA_SET_ELEM_KEY, NFTA_DATA_VALUE: port 80
      "1800 0280 1400 0280",  // NFTA_SET_ELEM_DATA, NFTA_DATA_VERDICT
      "0800 0100 fffffffc 0600 0200 6600 0000",  // NFTA_VERDICT_CODE goto, NFTA_VERDICT_CHAIN "f"
      "58000000 060a 010c 00000000 00000000 01 00 0000",  // NFT_MSG_NEWRULE, CREATE and APPEND
      "0600 0100 7400 0000 0600 0200 6600 0000",  // NFTA_RULE_TABLE, NFTA_RULE_CHAIN
      "3400 0480 3000 0180",  // NFTA_RULE_EXPRESSIONS, NFTA_LIST_ELEM
      "0e00 0100 696d6d65646961746500 0000",  // NFTA_EXPR_NAME "immediate"
      "1c00 0280 0800 0100 00000000",  // NFTA_EXPR_DATA, NFTA_IMMEDIATE_DREG verdict
      "1000 0280 0c00 0280 0800 0100 00000001",  // NFTA_IMMEDIATE_DATA, NFTA_DATA_VERDICT, NFTA_VERDICT_CODE accept
      "14000000 1100 0100 00000000 00000000 00 00 000a",  // NFNL_MSG_BATCH_END
    ]
    #expect(hexadecimal(try transaction.encode().bytes) == expected.joined().filter { $0 != " " })
  }

  @Test func replacementIsDeclareDeleteAdd() throws {
    var transaction = NftTransaction()
    transaction.replace(NftTable(.ip, "t"))
    let messages = try transaction.encode()
    #expect(messages.labels.dropFirst().dropLast().map(\.action) == ["add", "delete", "add"])
    #expect(messages.starts.dropFirst().dropLast().map { messages.bytes[$0 + 4] } == [0, 2, 0])
    #expect(messages.labels[2].subject == "table ip t")
  }

  @Test func longListsAreSpreadOverMessages() throws {
    let elements = (0..<5000).map { NftElement([.port(UInt16($0))], comment: String(repeating: "x", count: 127)) }
    var transaction = NftTransaction()
    transaction.add(NftTable(.ip, "t", sets: [NftSet("s", key: [.port], elements: elements)]))
    let messages = try transaction.encode()
    let ends = messages.starts.dropFirst() + [messages.bytes.count]
    let lengths = zip(messages.starts, ends).map { $1 - $0 }
    #expect(lengths.count > 10)
    #expect(lengths.allSatisfy { $0 < 65_536 })
  }

  @Test func whatCannotBeExpressedIsRefusedBeforeItIsSent() throws {
    let long = String(repeating: "n", count: 256)
    let web = IPAddress.v4(.loopback)
    let rules: [NftRule] = [
      NftRule([.field(.ipSource, .port(80))], .accept),
      NftRule([.field(.arpSenderHardware, .hardware(MACAddress(bits: 1)))], .accept),
      NftRule([.field(.inputInterface, .interface("name-of-sixteen-"))], .accept),
      NftRule([.anyOf(.inputInterface, [.interface("br-*")])], .accept),
      NftRule([.set([], named: "s")], .accept),
      NftRule([.set(Array(repeating: .ip6Source, count: 5), named: "s")], .accept),
      NftRule([.set([.ipSource], named: long)], .accept),
      NftRule([], .verdict(.jump(long))),
      NftRule([], .log(prefix: long)),
      NftRule([], .accept, comment: long),
      NftRule([], .dnatMap(.inet, [.ipDestination], map: "m")),
      NftRule([.field(.originalDestinationPort, .port(80))], .accept),
      NftRule(Array(repeating: .state(.new), count: 50), .accept),
    ]
    for rule in rules {
      expectRefusal(NftTable(.inet, "t", chains: [NftChain("c", rules: [rule])]))
    }
    expectRefusal(
      NftTable(.ip6, "t", chains: [NftChain("c", rules: [NftRule([.field(.ipSource, .address(web))], .accept)])]))
    expectRefusal(NftTable(.ip6, "t", chains: [NftChain("c", rules: [NftRule([], .snat(web))])]))
    expectRefusal(NftTable(.inet, long))
    expectRefusal(NftTable(.inet, ""))
    expectRefusal(NftTable(.inet, "t", comment: long))
    expectRefusal(NftTable(.inet, "t", sets: [NftSet("s", key: [])]))
    expectRefusal(NftTable(.inet, "t", sets: [NftSet("s", key: [.port], elements: [NftElement([.address(web)])])]))
    expectRefusal(NftTable(.inet, "t", sets: [NftSet("s", key: [.port], elements: [NftElement([.ports(1...2)])])]))
    expectRefusal(
      NftTable(
        .inet, "t",
        maps: [NftMap("m", key: [.port], data: .verdict, elements: [NftMapElement([.port(1)], values: [.port(2)])])]))
  }

  private func expectRefusal(_ table: NftTable, sourceLocation: SourceLocation = #_sourceLocation) {
    var transaction = NftTransaction()
    transaction.add(table)
    let error = #expect(throws: KernelError.self, sourceLocation: sourceLocation) { try transaction.encode() }
    #expect(error?.errno == .invalidArgument, sourceLocation: sourceLocation)
    #expect(error?.detail != nil, sourceLocation: sourceLocation)
  }
}
