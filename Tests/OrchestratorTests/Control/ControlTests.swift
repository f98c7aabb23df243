import FoundationEssentials
import Glibc
import Synchronization
import SystemPackage
import Testing
@testable import Control
@testable import Kernel

@Suite struct ControlTests {
  @Test func callsAndReplies() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let client = try ControlClient(connectingIn: fixture.folder)
    for text in ["", "a", "ab", "zero \u{0} inside", "ünï\n\"{[", String(repeating: "x", count: 3_000_001)] {
      #expect(try client.call(Echo.self, .init(text: text), timeout: .seconds(20)).text == text)
    }
  }

  @Test func severalRepliesUntilTheLast() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let client = try ControlClient(connectingIn: fixture.folder)
    let replies = try client.stream(Count.self, .init(upTo: 500))
    var numbers: [Int] = []
    while let reply = try replies.next(timeout: .seconds(10)) { numbers.append(reply.number) }
    #expect(numbers == Array(1...500) + [0])
    #expect(try client.call(Echo.self, .init(text: "still here")).text == "still here")
  }

  @Test func errorsCarryTheirNameAndMessage() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let client = try ControlClient(connectingIn: fixture.folder)
    let expected = ControlFailure("io.stack.test.Nope", "it cannot be done")
    #expect(throws: ControlError.failure(expected)) { try client.call(Fail.self, Nothing()) }
    #expect(throws: ControlError.failure(.expectedMore(Count.name))) { try client.call(Count.self, .init(upTo: 3)) }
    #expect(throws: ControlError.failure(.internalError("\(Forget.name) was not answered"))) {
      try client.call(Forget.self, Nothing())
    }
  }

  @Test func unknownMethodsAndWrongParametersLeaveTheConnectionUsable() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let peer = try RawPeer(fixture.folder)
    peer.send(
      "{\"method\":\"io.stack.test.Nothing\"}\0{\"method\":\"io.stack.test.Echo\",\"parameters\":{\"text\":5}}\0")
    peer.send(
      "{\"method\":\"io.stack.test.Echo\"}\0{\"method\":\"io.stack.test.Echo\",\"parameters\":{\"text\":\"yes\"}}\0")
    shutdown(peer.socket.rawValue, CInt(SHUT_WR))
    let replies = try #require(peer.readToEnd()).split(separator: "\0")
    #expect(replies.count == 4)
    #expect(replies.first?.contains("org.varlink.service.MethodNotFound") == true)
    #expect(replies.dropFirst().first?.contains("org.varlink.service.InvalidParameter") == true)
    #expect(replies.dropFirst().first?.contains("text") == true, "it names the place")
    #expect(replies.dropFirst(2).first?.contains("org.varlink.service.InvalidParameter") == true)
    #expect(replies.last == "{\"parameters\":{\"text\":\"yes\"}}")
  }

  @Test func aOnewayCallHasNoReply() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let peer = try RawPeer(fixture.folder)
    peer.send(
      "{\"method\":\"io.stack.test.Fail\",\"oneway\":true}\0{\"method\":\"io.stack.test.No\",\"oneway\":true}\0")
    peer.send("{\"method\":\"io.stack.test.Echo\",\"parameters\":{\"text\":\"odd\"},\"oneway\":true}\0")
    peer.send("{\"method\":\"io.stack.test.Echo\",\"parameters\":{\"text\":\"even\"}}\0")
    shutdown(peer.socket.rawValue, CInt(SHUT_WR))
    #expect(peer.readToEnd() == "{\"parameters\":{\"text\":\"even\"}}\0")
  }

  @Test(arguments: [
    ("garbage", "GET / HTTP/1.1\r\n\r\n", "not a JSON object"),
    ("an array", "[1]\0", "not a JSON object"),
    ("an empty message", "\0", "not a JSON object"),
    ("no method", "{\"parameters\":{}}\0", "method is missing"),
    ("half a string", "{\"method\":\"\0", "not a varlink call"),
    ("deep nesting", "{\"a\":" + String(repeating: "[", count: 100_000) + "\0", "nested more than"),
    ("an upgrade", "{\"method\":\"x\",\"upgrade\":true}\0GET", "not a JSON object"),
  ])
  func whatIsNoCallIsAnsweredWithAnErrorAndClosed(name: String, bytes: String, words: String) throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let peer = try RawPeer(fixture.folder)
    peer.send(bytes)
    let answer = try #require(peer.readToEnd())
    #expect(answer.contains("io.stack.InvalidMessage") && answer.contains(words), "\(name): \(answer)")
  }

  @Test func aMessageThatIsTooLongIsCutOff() throws {
    var limits = ControlServer.Limits()
    limits.messageSize = 100_000
    let fixture = try ControlFixture(limits: limits)
    defer { fixture.stop() }
    let peer = try RawPeer(fixture.folder)
    peer.send(Array("{\"".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000))
    #expect(peer.readToEnd()?.contains("more than 100000 bytes") == true)
  }

  @Test func aMessageThatDoesNotEndIsTimedOutAndSoIsSilence() throws {
    var limits = ControlServer.Limits()
    limits.receiveTime = .milliseconds(50)
    limits.idleTime = .milliseconds(80)
    let fixture = try ControlFixture(limits: limits)
    defer { fixture.stop() }
    let slow = try RawPeer(fixture.folder)
    slow.send("{\"method\":")
    let silent = try RawPeer(fixture.folder)
    #expect(slow.readToEnd()?.contains("the rest of a message did not come") == true)
    #expect(silent.readToEnd()?.contains("no call came") == true)
  }

  @Test func aMessageCutShortByTheEndIsAnError() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let peer = try RawPeer(fixture.folder)
    peer.send("{\"method\":\"io.stack.test.Fail\"}\0{\"meth")
    shutdown(peer.socket.rawValue, CInt(SHUT_WR))
    let answer = try #require(peer.readToEnd())
    #expect(answer.contains("io.stack.test.Nope"))
    #expect(answer.contains("in the middle of a message"))
  }

  @Test func aPeerThatGoesAwayIsNoticed() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    do {
      let peer = try RawPeer(fixture.folder)
      peer.send("{\"method\":\"io.stack.test.Hang\"}\0")
      #expect(eventually { fixture.hanging.withLock { $0 } == 1 })
      #expect(fixture.disconnects.withLock { $0 } == 0)
    }
    #expect(eventually { fixture.disconnects.withLock { $0 } == 1 })
  }

  @Test func aPeerThatDoesNotReadHoldsUpNobodyAndGetsEverythingLater() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let lazy = try ControlClient(connectingIn: fixture.folder)
    let replies = try lazy.stream(Count.self, .init(upTo: 3_000, padding: 10_000))
    let quick = try ControlClient(connectingIn: fixture.folder)
    for number in 0..<50 {
      #expect(try quick.call(Echo.self, .init(text: "\(number)"), timeout: .seconds(10)).text == "\(number)")
    }
    var seen = 0
    while let reply = try replies.next(timeout: .seconds(20)), reply.number > 0 {
      seen += 1
      #expect(reply.number == seen)
    }
    #expect(seen == 3_000)
  }

  @Test func whoNeverReadsTheLastReplyIsDropped() throws {
    var limits = ControlServer.Limits()
    limits.sendTime = .milliseconds(50)
    let fixture = try ControlFixture(limits: limits)
    defer { fixture.stop() }
    let peer = try RawPeer(fixture.folder)
    let text = String(repeating: "y", count: 2_000_000)
    peer.send("{\"method\":\"io.stack.test.Echo\",\"parameters\":{\"text\":\"\(text)\"}}\0")
    // poll(2) tells that the other side has hung up before what it has sent is read.
    #expect(
      eventually {
        var waiting = pollfd(fd: peer.socket.rawValue, events: 0, revents: 0)
        return poll(&waiting, 1, 0) == 1 && waiting.revents & Int16(POLLHUP) != 0
      })
    let answer = try #require(peer.readToEnd())
    #expect(answer.utf8.count < 2_000_000)
  }

  @Test func twoHundredClientsAtOnce() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let correct = Mutex(0)
    let folder = fixture.folder
    var threads: [pthread_t] = []
    let work = ClientWork {
      guard let client = try? ControlClient(connectingIn: folder, timeout: .seconds(60)) else { return }
      for number in 0..<5 {
        let reply = try? client.call(Echo.self, .init(text: "\(number)"), timeout: .seconds(60))
        if reply?.text == "\(number)" { correct.withLock { $0 += 1 } }
      }
    }
    for _ in 0..<200 {
      var thread = pthread_t()
      let started = pthread_create(
        &thread, nil,
        { argument in
          if let argument { Unmanaged<ClientWork>.fromOpaque(argument).takeRetainedValue().body() }
          return nil
        }, Unmanaged.passRetained(work).toOpaque())
      try #require(started == 0)
      threads.append(thread)
    }
    for thread in threads { pthread_join(thread, nil) }
    #expect(correct.withLock { $0 } == 1_000)
  }

  @Test func moreConnectionsThanAllowedAreToldSo() throws {
    var limits = ControlServer.Limits()
    limits.connections = 3
    let fixture = try ControlFixture(limits: limits)
    defer { fixture.stop() }
    let clients = try (0..<3).map { _ in try ControlClient(connectingIn: fixture.folder) }
    for client in clients { _ = try client.call(Echo.self, .init(text: "x")) }
    let late = try RawPeer(fixture.folder)
    #expect(late.readToEnd()?.contains("io.stack.Busy") == true)
    #expect(try clients[0].call(Echo.self, .init(text: "x")).text == "x")
  }

  @Test func theClientGivesUpInTimeAndTheConnectionMayBeDropped() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let client = try ControlClient(connectingIn: fixture.folder)
    #expect(throws: ControlError.timedOut) { try client.call(Hang.self, Nothing(), timeout: .milliseconds(30)) }
    #expect { try client.call(Echo.self, .init(text: "x")) } throws: { error in
      if case .invalidReply = error as? ControlError { true } else { false }
    }
  }

  @Test func theClientStopsWhenItsWakeDescriptorSaysSo() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let pipe = try FileDescriptor.pipe()
    defer { try? pipe.readEnd.close(); try? pipe.writeEnd.close() }
    let client = try ControlClient(connectingIn: fixture.folder, interruption: .init(wake: pipe.readEnd))
    #expect(try client.call(Echo.self, .init(text: "ab")).text == "ab")
    _ = try pipe.writeEnd.writeAll([1])
    #expect(throws: ControlError.interrupted) { try client.call(Hang.self, Nothing()) }
  }
}

private final class ClientWork: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
