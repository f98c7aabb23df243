import Testing
@testable import Addresses
@testable import DNS
@testable import Loop
@testable import Names

/// Who may have how many questions on their way. The loop does not turn, so none is answered.
@Suite struct ForwarderTests {
  private let loop: EventLoop
  private let forwarder: Forwarder

  init() throws {
    loop = try EventLoop()
    var limits = Forwarder.Limits()
    (limits.questions, limits.questionsOfOne) = (12, 8)
    forwarder = Forwarder(loop: loop, limits: limits)
  }

  /// What became of questions, by name: true for one that has failed.
  private final class Failures {
    var names: [String] = []
  }

  private func ask(_ names: [String], for address: String, _ failures: Failures) throws {
    let client = try #require(IPAddress(address))
    for name in names {
      let message = DNSMessages.question(name)
      let question = ForwardedQuestion(
        try DNSQuery(message.span), in: message.span, wantsWhole: false, servers: [try #require(IPAddress("127.0.0.1"))]
      )
      forwarder.ask(question, for: client) { answer in
        if answer == nil { failures.names.append(name) }
      }
    }
  }

  @Test func oneAskerHasNoMoreThanItsShare() throws {
    let failures = Failures()
    try ask((1...10).map { "a\($0)" }, for: "10.0.0.1", failures)
    #expect(forwarder.count == 8)
    try ask(["b1", "b2"], for: "10.0.0.2", failures)
    #expect(forwarder.count == 10)
    // Also of what others have asked already.
    try ask(["b1"], for: "10.0.0.1", failures)
    forwarder.close()
    try loop.turn(atMost: .zero)
    #expect(failures.names == ["a9", "a10", "b1"])
    // What it waited for it waits for no longer.
    try ask((1...8).map { "c\($0)" }, for: "10.0.0.1", failures)
    #expect(forwarder.count == 8)
  }

  @Test func whoHasMostMakesRoom() throws {
    let failures = Failures()
    try ask((1...8).map { "a\($0)" }, for: "10.0.0.1", failures)
    try ask((1...4).map { "b\($0)" }, for: "10.0.0.2", failures)
    try ask(["c1", "c2"], for: "10.0.0.3", failures)
    #expect(forwarder.count == 12)
    // Six, four and two now: the oldest goes of whoever has most, as long as that is more than who asks has.
    try ask((5...8).map { "b\($0)" }, for: "10.0.0.2", failures)
    #expect(forwarder.count == 12)
    forwarder.close()
    try loop.turn(atMost: .zero)
    #expect(failures.names == ["a1", "a2", "a3", "b6", "b7", "b8"])
  }
}
