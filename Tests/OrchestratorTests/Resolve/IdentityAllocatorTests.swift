import Testing
@testable import Host
@testable import Resolve

@Suite struct IdentityAllocatorTests {
  /// systemd's UIDS-GIDS: containers have 0x00080000 to 0x6fffffff.
  @Test func rangesAreThoseOfContainers() throws {
    var allocator = IdentityAllocator(taken: [])
    var chosen: Set<UInt32> = []
    for number in 0..<500 {
      let range = allocator.range(for: "web/web\(number)")
      let first = try #require(range)
      #expect(first >= 524_288 && first + 65_535 <= 1_879_048_191 && first % 65_536 == 0)
      #expect(chosen.insert(first).inserted)
    }
  }

  @Test func theSameNameHasTheSameRange() {
    var (one, other) = (IdentityAllocator(taken: []), IdentityAllocator(taken: []))
    let first = one.range(for: "web/web1")
    let (same, next) = (other.range(for: "web/web1"), other.range(for: "web/web1"))
    #expect(first == same && first != next)
  }

  @Test func whatIsTakenIsPassed() throws {
    var free = IdentityAllocator(taken: [])
    let range = free.range(for: "web/web1")
    let first = try #require(range)
    for taken in [first...first, (first + 65_535)...(first + 65_536), (first - 1)...first, 0...(first + 5)] {
      var allocator = IdentityAllocator(taken: [taken])
      let isKept = allocator.keep(first)
      #expect(!isKept)
      let other = allocator.range(for: "web/web1")
      let second = try #require(other)
      #expect(!taken.overlaps(second...(second + 65_535)))
    }
    var beside = IdentityAllocator(taken: [(first + 65_536)...(first + 65_536), (first - 1)...(first - 1), 0...1000])
    let same = beside.range(for: "web/web1")
    #expect(same == first)
  }

  @Test func oneIsKeptOnce() {
    var allocator = IdentityAllocator(taken: [])
    let answers = [1_048_576, 1_048_576, 1_048_577, 0, UInt32.max].map { allocator.keep($0) }
    #expect(answers == [true, false, false, false, false])
  }

  @Test func thereIsAnEnd() throws {
    var allocator = IdentityAllocator(taken: [524_288...1_878_982_655])
    let (last, beyond) = (allocator.range(for: "a"), allocator.range(for: "b"))
    #expect(last == 1_878_982_656 && beyond == nil)
    var none = IdentityAllocator(taken: [0...UInt32.max])
    let nothing = none.range(for: "a")
    #expect(nothing == nil)
  }

  @Test func rangesOfTheHost() {
    let text = "root:100000:65536\n#x\nbroken:1\nall:4294967295:2\nnone:5:0\nsam:1:1"
    #expect(IdentityFacts.ranges(ofSubordinates: text) == [100_000...165_535, UInt32.max...UInt32.max, 1...1])
    #expect(
      IdentityFacts.ranges(ofAccounts: "root:x:0:0:root:/root:/bin/sh\nbad\nvm:x:600000:1::/:/bin/sh")
        == [0...0, 600_000...600_000])
  }
}
