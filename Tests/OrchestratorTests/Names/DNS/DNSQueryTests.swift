import Testing
@testable import Addresses
@testable import DNS

/// The messages that count as queries.
@Suite struct DNSQueryTests {
  private static func fault(_ message: [UInt8]) -> DNSFault? {
    do throws(DNSFault) {
      _ = try DNSQuery(message.span)
      return nil
    } catch {
      return error
    }
  }

  private static func code(_ message: [UInt8]) -> ResponseCode? {
    guard case .refused(_, _, let code) = fault(message) else { return nil }
    return code
  }

  @Test func aQuestionIsRead() throws {
    let message = DNSMessages.question("Web.Front", type: 28, flags: 0x0110)
    let query = try DNSQuery(message.span)
    #expect(query.id == 0x1234 && query.type == 28 && query.class == 1)
    #expect(query.flags == [.recursionDesired, .checkingDisabled])
    #expect(query.nameEnd == 12 + 11 && query.questionEnd == message.count)
    #expect(query.extensions == nil && query.datagramLimit == 512)
  }

  @Test func whatTheClientTakesIsRead() throws {
    func limit(_ payload: UInt16) throws -> Int {
      let options = DNSMessages.options(payload: payload, flags: 0x8000, data: [0, 10, 0, 0])
      let query = try DNSQuery(DNSMessages.question("a", additional: options, additionalCount: 1).span)
      #expect(query.extensions?.wantsSignatures == true)
      return query.datagramLimit
    }
    #expect(try limit(0) == 512)
    #expect(try limit(700) == 700)
    #expect(try limit(65535) == 1232)
  }

  @Test func answersAndScrapsAreIgnored() {
    #expect(Self.fault([]) == .ignored)
    #expect(Self.fault(Array(DNSMessages.question("a").prefix(11))) == .ignored)
    #expect(Self.fault(DNSMessages.question("a", flags: 0x8100)) == .ignored)
  }

  @Test func whatIsNoQuestionIsRefused() {
    #expect(Self.code(DNSMessages.question("a", flags: 0x2800)) == .notImplemented)
    #expect(Self.code(DNSMessages.words(1, 0x100, 0, 0, 0, 0)) == .formatError)
    #expect(Self.code(DNSMessages.words(1, 0x100, 2, 0, 0, 0) + [0, 0, 1, 0, 1, 0, 0, 1, 0, 1]) == .formatError)
    #expect(Self.code(DNSMessages.words(1, 0x100, 1, 1, 0, 0) + [0, 0, 1, 0, 1]) == .formatError)
    #expect(Self.code(DNSMessages.question("a") + [0]) == .formatError, "more than it says")
    for length in 12..<DNSMessages.question("web1").count {
      #expect(Self.code(Array(DNSMessages.question("web1").prefix(length))) == .formatError)
    }
  }

  @Test func namesThatLeadInCirclesAreRefused() {
    let head = DNSMessages.words(1, 0x100, 1, 0, 0, 0)
    #expect(Self.code(head + [0xC0, 12, 0, 1, 0, 1]) == .formatError, "to itself")
    #expect(Self.code(head + [1, 0x61, 0xC0, 12, 0, 1, 0, 1]) == .formatError)
    #expect(Self.code(head + [0x40, 0, 0, 1, 0, 1]) == .formatError, "a label of a kind that there is not")
    // In a record behind the question pointers are allowed, but not in a circle.
    let question = DNSMessages.words(1, 0x100, 1, 0, 0, 1) + DNSMessages.wire("a") + [0, 1, 0, 1]
    let rest: [UInt8] = [0, 16, 0, 1, 0, 0, 0, 0, 0, 0]
    #expect(Self.fault(question + [0xC0, 12] + rest) == nil)
    #expect(Self.code(question + [0xC0, 19] + rest) == .formatError, "to itself")
    #expect(Self.code(question + [1, 0x62, 0xC0, 19] + rest) == .formatError, "to the start of itself")
    #expect(Self.code(question + [0xC0, 60] + rest) == .formatError, "forwards")
    #expect(Self.code(question + [0xC0, 2] + rest) == .formatError, "into the header")
  }

  @Test func namesHaveALimit() {
    let longest = Array(repeating: String(repeating: "a", count: 63), count: 3).joined(separator: ".") + "."
    #expect(Self.fault(DNSMessages.question(longest + String(repeating: "a", count: 61))) == nil)
    #expect(Self.code(DNSMessages.question(longest + String(repeating: "a", count: 62))) == .formatError)
    #expect(DNSName(longest + String(repeating: "a", count: 61)) != nil)
    #expect(DNSName(longest + String(repeating: "a", count: 62)) == nil)
    #expect(DNSName(String(repeating: "a", count: 64)) == nil && DNSName("a..b") == nil)
    #expect(DNSName("Web1.Front.")?.description == "web1.front." && DNSName("")?.wire == [0])
  }

  @Test func twoSetsOfOptionsAreOneTooMany() {
    let one = DNSMessages.options()
    #expect(Self.fault(DNSMessages.question("a", additional: one, additionalCount: 1)) == nil)
    #expect(Self.code(DNSMessages.question("a", additional: one + one, additionalCount: 2)) == .formatError)
    #expect(
      Self.code(DNSMessages.question("a", additional: [1, 0x61] + one, additionalCount: 1)) == .formatError,
      "not at the root")
  }

  @Test func addressesAreReadFromReverseNames() {
    func address(_ name: String) -> String? { ReverseName.address(DNSMessages.wire(name).span)?.description }
    #expect(address("4.3.2.10.in-addr.arpa") == "10.2.3.4")
    #expect(address("4.3.2.10.IN-ADDR.Arpa") == "10.2.3.4")
    for bad in [
      "3.2.10.in-addr.arpa", "5.4.3.2.10.in-addr.arpa", "256.3.2.10.in-addr.arpa", "04.3.2.10.in-addr.arpa",
      "a.3.2.10.in-addr.arpa", "4.3.2.10.in-addr.arpa.x", "in-addr.arpa", "1234.3.2.10.in-addr.arpa", "",
    ] { #expect(address(bad) == nil, "\(bad)") }
    let digits = Array("20010db8000000000000000000000001".reversed()).map(String.init).joined(separator: ".")
    #expect(address("\(digits).ip6.arpa") == "2001:db8::1")
    #expect(address("g\(digits.dropFirst()).ip6.arpa") == nil)
    #expect(address("1.0.ip6.arpa") == nil)
  }
}
