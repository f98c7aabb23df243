import Kernel
import Netlink
import SystemPackage
import Testing

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
    #expect(lines(try ours.run(code)) == lines(try theirs.run(code)))
  }
}

/// The lines of a listing in an order that does not depend on how the kernel hashed its elements.
private func lines(_ text: String) -> [String] {
  text.split(separator: "\n").map { $0.trimmingPrefix { $0 == " " || $0 == "\t" }.description }.sorted()
}
