import Foundation
import Glibc
import Synchronization
import SystemPackage
import Testing
@testable import Addresses
@testable import Kernel
@testable import Netfilter
@testable import Netlink

@Suite struct NftKernelTests {
  @Test func whatIsCommittedIsWhatNftMakesOfTheText() throws {
    let table = try sampleTable()
    let ours = try ThrowawayNamespace()
    let theirs = try ThrowawayNamespace()
    try theirs.run("nft -f -", input: table.rendered)
    var socket = try NetlinkSocket(.netfilter, in: ours.descriptor)
    var transaction = NftTransaction()
    transaction.replace(table)
    try socket.commit(transaction)
    let expected = try theirs.run("nft list ruleset")
    let found = try ours.run("nft list ruleset")
    #expect(found == expected)
    #expect(found.contains("dnat ip to"))
    // The expressions themselves, as the kernel gives them back.
    let code = "nft --debug=netlink list table inet stack_test"
    let difference = lines(try ours.run(code)).symmetricDifference(lines(try theirs.run(code)))
    #expect(
      difference == [
        // nft marks that nothing lies before the first interval, which the kernel takes for granted.
        "element 00000000  : 1 [end]",
        "element 00000000 00000000 00000000 00000000  : 1 [end]",
        // It notes for itself that the last interval has no end; it lists ours the same.
        "element 0000ffff  : 0 [end]",
        "element 0000ffff  : 0 [end]  userdata = { \\x01\\x04\\x01\\x00\\x00\\x00 }",
        // It turns the one octet of a transport protocol around in a concatenation of ranges.
        "[ byteorder reg 10 = hton(reg 10, 2, 1) ]",
      ])
  }

  @Test func setsThatRulesAddToAreWhatNftMakesOfTheText() throws {
    let seen = NftMatch.set([.etherSource], named: "seen")
    let table = NftTable(
      .inet, "grows",
      chains: [
        NftChain(
          "count", base: NftBase(.filter, .prerouting, priority: -150),
          rules: [
            NftRule([.state(.new), seen], .drop),
            NftRule(
              [.state(.new)],
              [
                .countConnections(.etherSource, in: "counted", over: 7),
                .remember(.etherSource, in: "seen", milliseconds: 1500), .drop,
              ]),
          ])
      ],
      sets: [
        NftSet("counted", key: [.hardwareAddress], growth: NftSetGrowth(size: 100)),
        NftSet("seen", key: [.hardwareAddress], growth: NftSetGrowth(size: 200, expires: true), comment: "for a while"),
      ])
    let ours = try ThrowawayNamespace()
    let theirs = try ThrowawayNamespace()
    try theirs.run("nft -f -", input: table.rendered)
    try commit(table, in: ours)
    for listing in ["nft list ruleset", "nft --debug=netlink list table inet grows"] {
      #expect(try ours.run(listing) == theirs.run(listing))
    }
    #expect(try ours.run("nft list ruleset").contains("ct count over 7"))
  }

  @Test func nftAcceptsTheTextOfEveryFamily() throws {
    let host = try ThrowawayNamespace()
    for family in [NftFamily.ip, .ip6] {
      let table = NftTable(
        family, "words",
        chains: [
          NftChain(
            "in", base: NftBase(.filter, .input, priority: 0, policy: .drop),
            rules: [
              NftRule([], .reject(.administrativelyProhibited)), NftRule([], .reject(.portUnreachable)),
              NftRule([], .reject(.tcpReset)),
            ])
        ])
      try host.run("nft -c -f -", input: table.rendered)
      let theirs = try ThrowawayNamespace()
      try theirs.run("nft -f -", input: table.rendered)
      try commit(table, in: host)
      #expect(try host.run("nft list table \(table.name)") == theirs.run("nft list table \(table.name)"))
    }
    let bridge = NftTable(
      .bridge, "frames",
      chains: [
        NftChain(
          "in", base: NftBase(.filter, .prerouting, priority: 0),
          rules: [
            NftRule([.field(.etherSource, .notEqual, .hardware(MACAddress(bits: 0x0273_0a00_0002)))], .drop),
            NftRule([.field(.ipSource, .address(.v4(.loopback)))], .drop),
            NftRule([.field(.ip6Source, .address(.v6(.loopback)))], .drop),
          ])
      ])
    let theirs = try ThrowawayNamespace()
    try theirs.run("nft -f -", input: bridge.rendered)
    try commit(bridge, in: host)
    #expect(try host.run("nft list table bridge frames") == theirs.run("nft list ruleset"))

    let ingress = NftTable(
      .netdev, "early",
      chains: [
        NftChain(
          "in", base: NftBase(.filter, .ingress(device: "lo"), priority: -500),
          rules: [NftRule([.field(.ip6Source, .address(.v6(.loopback)))], [.counter, .drop])])
      ])
    let others = try ThrowawayNamespace()
    try others.run("nft -f -", input: ingress.rendered)
    try commit(ingress, in: host)
    #expect(try host.run("nft list table netdev early") == others.run("nft list ruleset"))
  }

  /// Rules that a packet obeys, not only rules that list well.
  @Test func aPublishedPortLeadsToTheServiceAndTheRestIsRefused() throws {
    let host = try ThrowawayNamespace()
    try host.run("ip link set lo up")
    let published = NftMap(
      "published", key: [.ipv4Address, .transportProtocol, .port], data: .values([.ipv4Address, .port]),
      elements: [
        NftMapElement([.address(.v4(.loopback)), .tcp, .port(8080)], values: [.address(.v4(.loopback)), .port(80)])
      ])
    let dispatch = NftMap(
      "dispatch", key: [.transportProtocol, .port], data: .verdict,
      elements: [NftMapElement([.tcp, .port(81)], verdict: .goto("refuse"))])
    try commit(
      NftTable(
        .inet, "live",
        chains: [
          NftChain("refuse", rules: [NftRule([], .reject(.tcpReset))]),
          NftChain(
            "out", base: NftBase(.nat, .output, priority: -100),
            rules: [
              NftRule([], .dnatMap(.ip, [.ipDestination, .transportProtocol, .destinationPort], map: "published"))
            ]),
          NftChain(
            "in", base: NftBase(.filter, .input, priority: 0),
            rules: [NftRule([], .verdictMap([.transportProtocol, .destinationPort], map: "dispatch"))]),
        ], maps: [published, dispatch]), in: host)
    let sockets = TestSockets()
    let answers = Mutex<[Bool]>([])
    host.within {
      for port: UInt16 in [80, 81] { sockets.bind(SOCK_STREAM, .v4(.loopback), port) }
      let all = [80, 81, 8080, 8081].map { sockets.connect(SOCK_STREAM, .v4(.loopback), $0) }
      answers.withLock { $0 = all }
    }
    #expect(answers.withLock { $0 } == [true, false, true, false])
  }

  @Test func aRefusalNamesItsMessageAndChangesNothing() throws {
    let host = try ThrowawayNamespace()
    var socket = try NetlinkSocket(.netfilter, in: host.descriptor)
    var transaction = NftTransaction()
    transaction.add(
      NftTable(
        .inet, "broken",
        chains: [NftChain("forward", rules: [NftRule([], .accept), NftRule([], .verdict(.jump("nowhere")))])]))
    let error = #expect(throws: KernelError.self) { try socket.commit(transaction) }
    #expect(error?.action == "add")
    #expect(error?.subject == "rule 2 to chain forward of table inet broken")
    #expect(error?.errno == .noSuchFileOrDirectory)
    #expect(try host.run("nft list ruleset").isEmpty)

    var absent = NftTransaction()
    absent.delete(NftTableName(.inet, "broken"))
    #expect(throws: KernelError.self) { try socket.commit(absent) }
    var tolerant = NftTransaction()
    tolerant.deleteIfPresent(NftTableName(.inet, "broken"), comment: nil)
    try socket.commit(tolerant)
    try socket.commit(NftTransaction())
    #expect(try host.run("nft list ruleset").isEmpty)
  }

  @Test func tablesAreFoundByTheirComments() throws {
    let host = try ThrowawayNamespace()
    try host.run("nft 'add table ip foreign; add table netdev other'")
    try commit(NftTable(.inet, "stack_a", comment: "stack:a"), in: host)
    var socket = try NetlinkSocket(.netfilter, in: host.descriptor)
    let tables = try socket.tables()
    #expect(Set(tables.map(\.name.description)) == ["ip foreign", "netdev other", "inet stack_a"])
    #expect(tables.compactMap(\.comment) == ["stack:a"])
  }

  @Test func tenThousandElementsAreOneTransaction() throws {
    let host = try ThrowawayNamespace()
    let elements = (0..<10_000).map { number in
      NftMapElement(
        [.address(.v4(IPv4Address(bits: 0x0A00_0000 + UInt32(number)))), .tcp, .port(80)],
        values: [.address(.v4(.loopback)), .port(8080)], comment: "service-\(number)")
    }
    let map = NftMap(
      "published", key: [.ipv4Address, .transportProtocol, .port], data: .values([.ipv4Address, .port]),
      elements: elements)
    try commit(NftTable(.inet, "large", maps: [map]), in: host)
    let listing = try host.run("nft list map inet large published")
    #expect(listing.components(separatedBy: "comment").count == 10_001)

    var fewer = map
    fewer.elements.removeLast()
    var transaction = NftTransaction()
    transaction.deleteElements(of: fewer, in: NftTableName(.inet, "large"))
    var socket = try NetlinkSocket(.netfilter, in: host.descriptor)
    try socket.commit(transaction)
    #expect(try host.run("nft list map inet large published").contains("10.0.39.15 . tcp . 80 comment"))
  }

  @Test func intervalsAreAddedToAndTakenFromALiveSet() throws {
    let host = try ThrowawayNamespace()
    let first = NftElement(.prefix(try #require(IPPrefix("10.0.0.0/24"))))
    let second = NftElement(.prefix(try #require(IPPrefix("10.0.1.0/24"))))
    var set = NftSet("s", key: [.ipv4Address], isInterval: true, elements: [first])
    try commit(NftTable(.inet, "live", sets: [set]), in: host)
    set.elements = [second]
    let table = NftTableName(.inet, "live")
    var socket = try NetlinkSocket(.netfilter, in: host.descriptor)
    var addition = NftTransaction()
    addition.addElements(of: set, in: table)
    try socket.commit(addition)
    #expect(try host.run("nft list set inet live s").contains("{ 10.0.0.0/24, 10.0.1.0/24 }"))
    set.elements = [first]
    var removal = NftTransaction()
    removal.deleteElements(of: set, in: table)
    try socket.commit(removal)
    #expect(try host.run("nft list set inet live s").contains("{ 10.0.1.0/24 }"))
    // Twice is once too often.
    #expect(throws: KernelError.self) { try socket.commit(removal) }
  }

  private func commit(_ table: NftTable, in host: borrowing ThrowawayNamespace) throws {
    var socket = try NetlinkSocket(.netfilter, in: host.descriptor)
    var transaction = NftTransaction()
    transaction.replace(table)
    try socket.commit(transaction)
  }
}

/// The lines of a listing without their order, which depends on how the kernel hashed the elements.
private func lines(_ text: String) -> Set<String> {
  Set(text.split(separator: "\n").map { String($0.trimmingPrefix { $0 == " " || $0 == "\t" }) })
}
