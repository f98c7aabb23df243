import Fuzzing
import Testing
@testable import Addresses
@testable import DNS
@testable import Intent
@testable import Loop
@testable import Names

@Suite struct DNSFuzzTests {
  /// No question can do more than be answered, and no answer is malformed or longer than it may be.
  @Test func questionsAreAnsweredOrDropped() throws {
    let stack = try resolve("services: {web: {command: [x], scale: 200}, one: {command: [x]}}")
    let server = NameServer(loop: try EventLoop(), resolvers: HostResolvers(path: "/dev/null"))
    server.define(stack)
    let asker = try #require(server.asker(at: .v4(stack.networks[0].gateway), on: 0))
    var writer = DNSWriter()
    let options = DNSMessages.options(data: [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8])
    let seeds = [
      DNSMessages.question("web"), DNSMessages.question("one.default.web.stack", type: RecordType.aaaa),
      DNSMessages.question("web", additional: options, additionalCount: 1),
      DNSMessages.question("2.0.208.10.in-addr.arpa", type: RecordType.pointer),
      DNSMessages.question("example.com", additional: [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0], additionalCount: 1),
    ]
    try Fuzz.run(.dnsQuestion) { input in
      let message = input.mutant(of: seeds, words: [[0xC0], [0xC0, 12], [0], [63]])
      let isStream = input.happens(20)
      writer.removeAll()
      let place = server.answer(
        message.span, from: asker, limit: isStream ? MessageLimit.stream : nil, writer: &writer
      ) { _, _ in }
      guard let octets = place.map({ Array(writer.octets[$0]) }) else { return }
      try #require(octets.count <= (isStream ? 65_535 : 1232) && octets.count >= 12)
      try #require(octets[2] & 0x80 != 0 && octets[0] == message[0] && octets[1] == message[1])
      try #require(ReadAnswer(octets) != nil)
    }
  }

  /// Damaged answers of resolvers do no harm. An answer passes only with the right id and question.
  @Test func answersAreJudged() throws {
    let message = DNSMessages.question("example.com")
    let question = ForwardedQuestion(try DNSQuery(message.span), in: message.span, wantsWhole: false, servers: [])
    func isAnswered(_ message: [UInt8], _ id: UInt16) -> Bool { question.isAnswered(by: message.span, id: id) }
    #expect(question.message(id: 0x1234) == message)
    var good = message
    good[2] = 0x81
    good[7] = 1
    good += [0xC0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]
    #expect(isAnswered(good, 0x1234))
    #expect(!isAnswered(good, 0x1235))
    #expect(!isAnswered(message, 0x1234), "a question")
    #expect(!isAnswered(good.dropLast(), 0x1234))
    var other = good
    other[14] ^= 1
    #expect(!isAnswered(other, 0x1234), "to another question")
    try Fuzz.run(.dnsAnswer) { input in
      let mutant = input.mutant(of: [good], words: [[0xC0], [0xC0, 12], [0], [63]])
      guard isAnswered(mutant, 0x1234) else { return }
      try #require(Array(mutant[12..<message.count]) == Array(message[12...]))
    }
  }
}
