import CNetfilter
import Fuzzing
import Testing
@testable import Netlink

@Suite struct NetlinkFuzzTests {
  private static let seeds = [
    HostileReply.link(), HostileReply.link() + HostileReply.link(), HostileReply.acknowledgement(ofRequest: 20), empty,
  ]

  /// Nothing but zeros, as long as its length says.
  private static var empty: [UInt8] { [200, 0, 0, 0] + [UInt8](repeating: 0, count: 196) }

  @Test func anyReplyIsSurvived() throws {
    try Fuzz.run(.netlinkReply) { input in
      var bytes = input.mutant(of: Self.seeds, words: [[0, 0], [4, 0], [8, 0, 1, 0], [0xFF, 0xFF]])
      // Mostly a length that fits, so that readers are reached.
      if bytes.count >= 16, input.happens(80) {
        bytes.replaceSubrange(
          0..<4, with: [UInt8(truncatingIfNeeded: bytes.count), UInt8(truncatingIfNeeded: bytes.count >> 8), 0, 0])
      }
      HostileReply.readEverything(bytes)
    }
  }
}
