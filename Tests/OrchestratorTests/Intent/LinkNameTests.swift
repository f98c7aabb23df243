import Testing
@testable import Intent
@testable import Vocabulary

@Suite struct LinkNameTests {
  private static let names = [
    "a", "web1", "a-rather-long-name-of-a-service", "exactly8", "größe-über-alles", "日本語の名前です", "👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "x.y_z",
    String(repeating: "ä", count: 63), "",
  ]

  @Test(arguments: names, names) func noNameIsTooLong(stack: String, other: String) {
    for attempt in [0, 1, 1000] {
      #expect(LinkName.bridge(stack: stack, network: other, attempt: attempt).utf8.count <= 15)
      #expect(LinkName.veth(stack: stack, service: other, network: stack, attempt: attempt).utf8.count <= 15)
    }
  }

  @Test func namesAreStable() {
    #expect(LinkName.bridge(stack: "web", network: "front") == "web-front")
    #expect(LinkName.bridge(stack: "web", network: "a-wide-area-network") == "web-a-wi-b80rah")
    #expect(LinkName.veth(stack: "web", service: "web1", network: "front") == "web1-tw4xu3")
    #expect(LinkName.alias(stack: "web", "web1", "front") == "stack:web/web1/front")
    #expect(LinkName.alias(stack: "web", "", "front") == "stack:web//front")
  }

  @Test func fifteenBytesNeedNoTagAndSixteenDo() {
    #expect(LinkName.bridge(stack: "seven77", network: "seven77") == "seven77-seven77")
    #expect(LinkName.bridge(stack: "seven77", network: "eight888") != "seven77-eight888")
  }

  @Test func namesAreApartByStackServiceAndNetwork() {
    let parts = ["a", "b", "ab", "a-b"]
    var names: Set<String> = []
    for stack in parts {
      for service in parts {
        for network in parts { names.insert(LinkName.veth(stack: stack, service: service, network: network)) }
      }
    }
    #expect(names.count == parts.count * parts.count * parts.count)
    #expect(StableHash("ab", "c").value != StableHash("a", "bc").value)
    #expect(
      LinkName.bridge(stack: "a-b", network: "c", attempt: 1) != LinkName.bridge(stack: "a", network: "b-c", attempt: 1)
    )
  }

  @Test func theHashIsFNV1a() {
    // draft-eastlake-fnv, test vectors: FNV-1a of "" with 0xFF after it is that of the byte FF.
    #expect(StableHash().value == 0xcbf2_9ce4_8422_2325)
    let basis: UInt64 = 0xcbf2_9ce4_8422_2325
    #expect(StableHash("").value == (basis ^ 0xFF) &* 0x100_0000_01b3)
    let tags = (0..<2000).map { StableHash("\($0)").tag }
    #expect(
      tags.allSatisfy {
        $0.utf8.count == 6 && $0.utf8.allSatisfy { UInt8(ascii: "0") <= $0 && $0 <= UInt8(ascii: "z") }
      })
    #expect(Set(tags).count == 2000)
  }
}
