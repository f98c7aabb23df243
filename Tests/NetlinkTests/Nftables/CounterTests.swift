import Testing
@testable import Netfilter
@testable import Netlink

@Suite struct CounterTests {
  private func table(_ counters: [NftCounter]) -> NftTable {
    NftTable(
      .inet, "counted",
      chains: [
        NftChain(
          "out", base: NftBase(.filter, .output, priority: 0),
          rules: [
            NftRule([.field(.destinationPort, .port(9))], [.countIn("datagrams"), .accept]),
            NftRule([.tcpFlags(.syn, of: [.syn, .ack, .rst, .fin])], [.countIn("openings"), .drop]),
            NftRule([.tcpFlags([.syn, .ack], of: [.syn, .ack], .notEqual)], .drop),
          ])
      ], counters: counters)
  }

  @Test func namedCountersCountAndBeginWhereTheyAreToldTo() throws {
    let host = try ThrowawayNamespace()
    try host.run("ip link set lo up")
    var socket = try NetlinkSocket(.netfilter, in: host.descriptor)
    let name = NftTableName(.inet, "counted")
    #expect(try socket.counters(of: name).isEmpty)
    var transaction = NftTransaction()
    transaction.replace(table([NftCounter("datagrams"), NftCounter("openings", packets: 5, bytes: 300)]))
    try socket.commit(transaction)
    try host.run("bash -c 'for i in 1 2 3; do echo hello > /dev/udp/127.0.0.1/9; done'")
    let counted = try socket.counters(of: name).sorted { $0.name < $1.name }
    // 28 octets of headers and six of text.
    #expect(
      counted == [NftCounter("datagrams", packets: 3, bytes: 102), NftCounter("openings", packets: 5, bytes: 300)])
    #expect(try host.run("nft list counters").contains("packets 3 bytes 102"))
    #expect(try socket.counters(of: NftTableName(.inet, "other")).isEmpty)
  }

  @Test func whatIsCommittedIsWhatNftMakesOfTheText() throws {
    let table = table([NftCounter("datagrams", packets: 1, bytes: 2), NftCounter("openings")])
    let ours = try ThrowawayNamespace()
    let theirs = try ThrowawayNamespace()
    try theirs.run("nft -f -", input: table.rendered)
    var socket = try NetlinkSocket(.netfilter, in: ours.descriptor)
    var transaction = NftTransaction()
    transaction.replace(table)
    try socket.commit(transaction)
    let code = "nft --debug=netlink list ruleset"
    #expect(try ours.run(code) == theirs.run(code))
  }

  @Test func aBridgeIsToldWhetherToShowItsFrames() throws {
    let host = try ThrowawayNamespace()
    try host.run("ip link add one type bridge && ip link add two type bridge")
    var socket = try NetlinkSocket(.route, in: host.descriptor)
    func settings(_ bridge: String) throws -> String {
      try host.run("ip -d link show \(bridge) | grep -o 'nf_call_ip[6t][^ ]* [01]' | tr '\\n' ' '")
    }
    for (isOn, expected) in [
      (true, "nf_call_iptables 1 nf_call_ip6tables 1"), (false, "nf_call_iptables 0 nf_call_ip6tables 0"),
    ] {
      var change = LinkChange(.name("one"))
      change.callsIPTables = isOn
      change.callsIP6Tables = isOn
      var batch = RouteBatch()
      batch.change(change)
      try socket.apply(batch)
      #expect(try settings("one").contains(expected))
      #expect(try settings("two").contains("nf_call_iptables 0 nf_call_ip6tables 0"))
    }
  }
}
