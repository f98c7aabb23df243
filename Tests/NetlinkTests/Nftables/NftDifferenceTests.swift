import Testing
@testable import Addresses
@testable import Kernel
@testable import Netfilter
@testable import Netlink

/// Tables that differ in elements alone are changed, and not written anew.
@Suite struct NftDifferenceTests {
  private static func link(_ number: Int) -> NftElement { NftElement(.interface("veth\(number)")) }

  private static func range(_ link: String, to last: UInt32) -> NftElement {
    NftElement(
      .interface(link), .addresses(.v4(IPv4Address(bits: 0x0A00_0002)), .v4(IPv4Address(bits: 0x0A00_0000 + last))))
  }

  private static func entry(_ number: Int, _ verdict: NftVerdict) -> NftMapElement {
    NftMapElement([.interface("veth\(number)")], verdict: verdict)
  }

  /// - Parameter links: by number, in the order in which they stand.
  private static func table(_ links: [Int], last: UInt32 = 9, verdict: NftVerdict = .accept) -> NftTable {
    NftTable(
      .inet, "web", comment: "stack:web",
      chains: [
        NftChain(
          "in", base: NftBase(.filter, .prerouting, priority: 0),
          rules: [
            NftRule([.set([.inputInterface], named: "links")], .countIn("seen")),
            NftRule([], .verdictMap([.inputInterface], map: "ways")),
            NftRule([.set([.inputInterface, .ipSource], named: "living")], .drop),
          ])
      ],
      sets: [
        NftSet("links", key: [.interfaceName], elements: links.map(link)),
        NftSet(
          "living", key: [.interfaceName, .ipv4Address], isInterval: true,
          elements: [range("br0", to: last), range("br1", to: 5)]),
      ],
      maps: [
        NftMap("ways", key: [.interfaceName], data: .verdict, elements: links.map { entry($0, verdict) })
      ],
      counters: [NftCounter("seen")])
  }

  private static func difference(_ old: NftTable, _ new: NftTable) -> NftTransaction? {
    NftTransaction(from: [old], to: [new])
  }

  @Test func onlyWhatDiffersIsSent() throws {
    let name = NftTableName(.inet, "web")
    let transaction = try #require(Self.difference(Self.table([1, 2, 3, 4]), Self.table([1, 5, 3, 4])))
    guard transaction.steps.count == 4, case .deleteElements(let gone, name) = transaction.steps[0],
      case .deleteMapElements(let goneWays, name) = transaction.steps[1],
      case .addElements(let added, name) = transaction.steps[2],
      case .addMapElements(let addedWays, name) = transaction.steps[3]
    else {
      Issue.record("other steps: \(transaction.steps)")
      return
    }
    #expect(gone.name == "links" && gone.elements == [Self.link(2)])
    #expect(added.name == "links" && added.elements == [Self.link(5)])
    #expect(goneWays.elements == [Self.entry(2, .accept)] && addedWays.elements == [Self.entry(5, .accept)])
  }

  @Test func anotherOrderIsNoDifference() throws {
    #expect(try #require(Self.difference(Self.table([1, 2, 3]), Self.table([3, 1, 2]))).isEmpty)
    #expect(try #require(Self.difference(Self.table([]), Self.table([]))).isEmpty)
  }

  @Test func countsOfPacketsAreNoDifference() throws {
    var counted = Self.table([1])
    counted.counters[0].packets = 7
    #expect(try #require(Self.difference(Self.table([1]), counted)).isEmpty)
  }

  @Test func whateverElseDiffersWantsWholeTables() {
    let table = Self.table([1])
    #expect(NftTransaction(from: [table], to: [table, table]) == nil)
    var other = table
    other.chains[0].rules.removeLast()
    #expect(Self.difference(table, other) == nil)
    other = table
    other.sets.removeLast()
    #expect(Self.difference(table, other) == nil)
    other = table
    other.counters.append(NftCounter("more"))
    #expect(Self.difference(table, other) == nil)
    other = table
    other.comment = nil
    #expect(Self.difference(table, other) == nil)
  }

  @Test func rangesWithoutAnotherFieldWantWholeTables() {
    func table(_ last: UInt32) -> NftTable {
      let range = NftElement(.addresses(.v4(IPv4Address(bits: 1)), .v4(IPv4Address(bits: last))))
      return NftTable(
        .inet, "web", sets: [NftSet("s", key: [.ipv4Address], isInterval: true, elements: [range])])
    }
    #expect(Self.difference(table(5), table(6)) == nil)
    #expect(Self.difference(table(5), table(5)) != nil)
  }

  @Test func theKernelHasTheSameAfterwards() throws {
    let old = Self.table(Array(0..<1000))
    let new = Self.table(Array(3..<1000) + [1, 2000], last: 12, verdict: .drop)
    let changed = try ThrowawayNamespace()
    let fresh = try ThrowawayNamespace()
    var socket = try NetlinkSocket(.netfilter, in: changed.descriptor)
    var transaction = NftTransaction()
    transaction.replace(old)
    try socket.commit(transaction)
    try socket.commit(#require(Self.difference(old, new)))
    var other = try NetlinkSocket(.netfilter, in: fresh.descriptor)
    transaction = NftTransaction()
    transaction.replace(new)
    try other.commit(transaction)
    let listing = "nft -s list ruleset | tr -d ' \\t\\n' | grep -oE '[^{},]+' | sort"
    #expect(try changed.run(listing) == fresh.run(listing))
    #expect(try changed.run("nft list set inet web living").contains("10.0.0.2-10.0.0.12"))
  }

  @Test func aChangeIsMadeToItsOwnStateAlone() throws {
    let host = try ThrowawayNamespace()
    var socket = try NetlinkSocket(.netfilter, in: host.descriptor)
    var transaction = NftTransaction()
    transaction.replace(Self.table([1]))
    try socket.commit(transaction)
    let base = try #require(try socket.generation())
    let change = try #require(Self.difference(Self.table([1]), Self.table([1, 2])))
    try host.run("nft add table ip foreign")
    // ERESTART.
    let error = #expect(throws: KernelError.self) { try socket.commit(change, at: base) }
    #expect(error?.errno.rawValue == 85)
    #expect(try !host.run("nft list set inet web links").contains("veth2"))
    let now = try socket.generation()
    try socket.commit(change, at: now)
    #expect(try host.run("nft list set inet web links").contains("veth2"))
    #expect(try socket.generation() == base + 2)
  }
}
