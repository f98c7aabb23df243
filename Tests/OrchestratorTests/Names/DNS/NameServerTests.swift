import Testing
@testable import Addresses
@testable import DNS
@testable import Intent
@testable import Loop
@testable import Names

/// The messages that the server answers with. No sockets: the host has none of the addresses.
@Suite struct NameServerTests {
  private let server: NameServer
  private let asker: NameZone.Asker
  private var writer = DNSWriter()

  init() throws {
    let stack = try resolve("services: {web: {command: [x], scale: 200}, one: {command: [x]}}")
    server = NameServer(loop: try EventLoop(), resolvers: HostResolvers(path: "/dev/null"))
    server.define(stack)
    asker = try #require(server.asker(at: .v4(stack.networks[0].gateway), on: 0))
  }

  private mutating func answer(_ message: [UInt8], limit: Int? = nil) -> [UInt8]? {
    writer.removeAll()
    let place = server.answer(message.span, from: asker, limit: limit, writer: &writer) { _, _ in }
    return place.map { Array(writer.octets[$0]) }
  }

  private mutating func read(_ message: [UInt8], limit: Int? = nil) throws -> ReadAnswer {
    let octets = try #require(answer(message, limit: limit))
    return try #require(ReadAnswer(octets))
  }

  @Test mutating func anAnswerRepeatsTheQuestionAsItWasWritten() throws {
    let octets = try #require(answer(DNSMessages.question("oNe", id: 77, flags: 0x0110)))
    #expect(Array(octets.prefix(4)) == [0, 77, 0x85, 0x90], "answer, authoritative, RD, RA, CD")
    #expect(Array(octets[12..<17]) == DNSMessages.wire("oNe"))
    let read = try #require(ReadAnswer(octets))
    #expect(read.addresses == ["10.208.0.202"] && !read.hasOptions)
  }

  @Test mutating func whatDoesNotFitIsSaidToBeCut() throws {
    let plain = try #require(answer(DNSMessages.question("web")))
    let read = try #require(ReadAnswer(plain))
    #expect(plain.count <= 512 && read.isTruncated && read.addresses.count == 30)
    let extended = DNSMessages.question("web", additional: DNSMessages.options(), additionalCount: 1)
    let larger = try #require(answer(extended))
    let readLarger = try #require(ReadAnswer(larger))
    #expect(larger.count <= 1232 && readLarger.isTruncated && readLarger.addresses.count == 75)
    #expect(readLarger.hasOptions)
    let whole = try self.read(extended, limit: MessageLimit.stream)
    #expect(!whole.isTruncated && Set(whole.addresses).count == 200)
  }

  @Test mutating func replicasTakeTurns() throws {
    let firsts = try (0..<400).map { _ in
      try read(DNSMessages.question("web"), limit: MessageLimit.stream).addresses.first
    }
    #expect(Set(firsts).count == 200)
    #expect(Array(firsts[..<200]) == Array(firsts[200...]))
    // Who asks for both families at once does not skip every other one.
    let pairs = try (0..<4).map { _ in
      _ = try read(DNSMessages.question("web", type: RecordType.aaaa))
      return try read(DNSMessages.question("web")).addresses.first
    }
    #expect(pairs == (2...5).map { "10.208.0.\($0)" })
  }

  @Test mutating func whatIsNotUnderstoodIsSaid() throws {
    #expect(try read(DNSMessages.question("one", flags: 0x2900)).code == 4)
    #expect(try read(DNSMessages.question("one", class: 3)).code == 5)
    #expect(try read(DNSMessages.question("one") + [0]).code == 1)
    let newer = DNSMessages.options(version: 1)
    let refused = try read(DNSMessages.question("one", additional: newer, additionalCount: 1))
    #expect(refused.extendedCode == 1 && refused.hasOptions && refused.addresses.isEmpty)
    #expect(answer(DNSMessages.question("one", flags: 0x8100)) == nil)
    #expect(try read(DNSMessages.question("one.default.web.stack")).addresses.count == 1)
    #expect(try read(DNSMessages.question("two.default.web.stack")).code == 3)
  }

  @Test mutating func anEndedServiceIsUnknownUntilItIsThereAgain() throws {
    server.setGone("one", true)
    #expect(try read(DNSMessages.question("one")).code == 3)
    server.setGone("one", false)
    #expect(try read(DNSMessages.question("one")).code == 0)
  }
}
