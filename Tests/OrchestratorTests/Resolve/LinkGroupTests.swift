import Testing
@testable import Intent
@testable import Planning
@testable import Resolve

/// The device group of a stack's links: one that ip(8) takes, and nobody else's.
@Suite struct LinkGroupTests {
  private func group(_ name: String, taken: Set<UInt32> = [], previous: DesiredStack? = nil) throws -> UInt32 {
    var facts = HostFacts.using()
    facts.linkGroups = taken
    return try resolve("name: \(name)\nservices: {a: {command: [x]}}", on: facts, previous: previous).linkGroup
  }

  @Test(arguments: ["web", "app", "db", "lab", "ring", "dmz", "old"]) func ipTakesIt(_ name: String) throws {
    #expect((0x4000_0000...0x7fff_ffff).contains(try group(name)))
  }

  @Test func whatIsSomebodyElsesIsNotTaken() throws {
    let first = try group("web")
    #expect(try group("web", taken: [first, first + 1]) == first + 2)
    #expect(Resolver.freeLinkGroup(from: 0x7fff_fffe, besides: [0x7fff_fffe, 0x7fff_ffff, 0x4000_0000]) == 0x4000_0001)
  }

  /// A stack that a former version brought up may be in one beyond: its links are there, and found by it.
  @Test func aStackThatIsUpKeepsItsOwn() throws {
    var before = try resolve("name: app\nservices: {a: {command: [x]}}")
    before.linkGroup = 4_080_485_829
    #expect(try group("app", taken: [before.linkGroup], previous: before) == before.linkGroup)
    #expect(Planner.down(before, removeVolumes: false).short.contains("links"))
  }
}
