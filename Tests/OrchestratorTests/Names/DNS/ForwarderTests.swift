import Testing
@testable import Addresses
@testable import DNS
@testable import Loop
@testable import Names

/// The shares of clients in the pending questions. The loop does not run, so none is answered.
@Suite struct ForwarderTests {
  private let loop: EventLoop
  private let forwarder: Forwarder

  init() throws {
    loop = try EventLoop()
    var limits = Forwarder.Limits()
    (limits.questions, limits.questionsOfOne, limits.waitsOfOne, limits.waiting) = (12, 8, 10, 8)
    forwarder = Forwarder(loop: loop, limits: limits)
  }

  /// The names of the questions that have failed.
  private final class Failures {
    var names: [String] = []
  }

  private func ask(
    _ names: [String], for address: String, _ failures: Failures, server: String = "127.0.0.1"
  ) throws {
    let client = try #require(IPAddress(address))
    for name in names {
      let message = DNSMessages.question(name)
      let question = ForwardedQuestion(
        try DNSQuery(message.span), in: message.span, wantsWhole: false, servers: [try #require(IPAddress(server))])
      forwarder.ask(question, for: client) { answer in
        if answer == nil { failures.names.append(name) }
      }
    }
  }

  @Test func whatOneAsksBeyondItsShareWaits() throws {
    let failures = Failures()
    try ask((1...10).map { "a\($0)" }, for: "10.0.0.1", failures)
    #expect(forwarder.count == 8)
    try ask(["b1", "b2"], for: "10.0.0.2", failures)
    #expect(forwarder.count == 10)
    // It waits for ten answers: one more is too many, also one to what others have asked already.
    try ask(["b1"], for: "10.0.0.1", failures)
    try loop.turn(atMost: .zero)
    #expect(failures.names == ["b1"])
    forwarder.close()
    // What it waited for it waits for no longer.
    try ask((1...8).map { "c\($0)" }, for: "10.0.0.1", failures)
    #expect(forwarder.count == 8)
    forwarder.close()
  }

  /// The number of pending questions of each client.
  private func shares() throws -> [Int] {
    try (1...3).map { forwarder.count(of: try #require(IPAddress("10.0.0.\($0)"))) }
  }

  @Test func whoHasMostMakesRoom() throws {
    let failures = Failures()
    try ask((1...8).map { "a\($0)" }, for: "10.0.0.1", failures)
    try ask((1...4).map { "b\($0)" }, for: "10.0.0.2", failures)
    // Who asks little need not wait for who asks much, whose questions wait for another turn.
    try ask(["c1", "c2"], for: "10.0.0.3", failures)
    #expect(try shares() == [6, 4, 2])
    try ask((5...8).map { "b\($0)" }, for: "10.0.0.2", failures)
    #expect(try shares() == [5, 5, 2])
    #expect(failures.names.isEmpty)
    forwarder.close()
  }

  @Test func theLongestLineGivesWay() throws {
    let failures = Failures()
    try ask((1...10).map { "a\($0)" }, for: "10.0.0.1", failures)
    try ask((1...10).map { "b\($0)" }, for: "10.0.0.2", failures)
    // Twelve are on their way, and eight wait: there is room for none.
    try ask((1...9).map { "c\($0)" }, for: "10.0.0.3", failures)
    try loop.turn(atMost: .zero)
    #expect(!failures.names.isEmpty && !failures.names.contains("c1"))
    forwarder.close()
  }

  /// Nobody listens there, so each fails at once and lets the next one begin.
  @Test func allThatWaitHaveTheirTurn() throws {
    let failures = Failures()
    try ask((1...10).map { "a\($0)" }, for: "10.0.0.1", failures, server: "127.255.255.254")
    try ask((1...10).map { "b\($0)" }, for: "10.0.0.2", failures, server: "127.255.255.254")
    for _ in 0..<1_000 where failures.names.count < 20 { try loop.turn(atMost: .milliseconds(10)) }
    #expect(Set(failures.names).count == 20 && forwarder.count == 0)
  }
}
