import FoundationEssentials
import Fuzzing
import Glibc
import Testing
@testable import Control
@testable import Intent
@testable import Kernel
@testable import Planning
@testable import Supervision
@testable import Vocabulary

@Suite struct ControlFuzzTests {
  private static let words = [
    "{", "}", "[", "]", "\"", "\\", ":", ",", "\0", "null", "true", "\"method\"", "\"io.stack.test.Echo\"",
    "\"parameters\"", "{\"text\":\"a\"}", "\"more\"", "\"oneway\":true", "1e999", "\u{FEFF}", "\\ud800", " ",
    "\"continues\":true", "\"error\":\"a.b\"", "{}",
  ].map { Array($0.utf8) }

  /// With its keys in the same order each time, so that a seed stands for the same case.
  private static func message(_ message: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    return try [UInt8](encoder.encode(message)) + [0]
  }

  /// Peers that send anything, end in the middle or go away: each is answered or let go of, and the server goes on answering others.
  @Test func anyPeerIsSurvived() throws {
    let fixture = try ControlFixture()
    defer { fixture.stop() }
    let client = try ControlClient(connectingIn: fixture.folder)
    let seeds = [
      "{\"method\":\"io.stack.test.Echo\",\"parameters\":{\"text\":\"abc\"}}\0",
      "{\"method\":\"io.stack.test.Count\",\"parameters\":{\"upTo\":3,\"padding\":9},\"more\":true}\0",
      "{\"method\":\"io.stack.test.Echo\",\"parameters\":{\"text\":\"\\u0000\"},\"oneway\":true}\0",
      "{\"method\":\"io.stack.test.Fail\"}\0{\"method\":\"io.stack.test.Forget\",\"parameters\":null}\0",
    ].map { Array($0.utf8) }
    try Fuzz.run(.controlRequest) { input in
      let peer = try RawPeer(fixture.folder)
      var bytes = input.mutant(of: seeds, words: Self.words)
      // A count that is meant to be small is not to be made endless.
      if bytes.contains(sequence: Array("Count".utf8)) { bytes = seeds[1] + bytes.prefix(20) }
      while !bytes.isEmpty {
        let piece = min(bytes.count, Int.random(in: 1...100, using: &input.random))
        guard peer.send(Array(bytes.prefix(piece))) else { break }
        bytes.removeFirst(piece)
      }
      if input.happens(70) {
        shutdown(peer.socket.rawValue, CInt(SHUT_WR))
        try #require(peer.readToEnd(seconds: 50) != nil)
      }
      if input.happens(5) {
        try #require(try client.call(Echo.self, .init(text: "alive"), timeout: .seconds(50)).text == "alive")
      }
      try Self.readParameters(&input)
    }
  }

  /// The parameters of the supervisor's own methods, from damaged messages.
  private static func readParameters(_ input: inout FuzzCase) throws {
    typealias Methods = SupervisorMethods
    try read(Methods.Down.self, Methods.Down.Parameters(removeVolumes: true, timeout: 2.5), &input)
    try read(Methods.Stop.self, Methods.ServiceSelection(services: ["web", "db"], stopTimeout: 10), &input)
    try read(Methods.Kill.self, Methods.Kill.Parameters(services: ["web"], signal: 9), &input)
    let changes = [Methods.Shape.Change(service: "web", place: .network("front"), override: LinkOverride())]
    try read(Methods.Shape.self, Methods.Shape.Parameters(changes: changes, seconds: 3), &input)
    try read(
      Methods.Partition.self,
      Methods.Partition.Parameters(partition: Partition(sides: [["a"], ["b", "c"]], hasRest: false)), &input)
  }

  private static func read<Method: ControlMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, _ input: inout FuzzCase
  ) throws {
    let call = try message(ControlMessage.Call(method: method.name, parameters: parameters, more: true))
    let mutant = input.mutant(of: [call.dropLast()], words: words)
    guard let read = try? ControlMessage.decodeParameters(Method.Parameters.self, from: Array(mutant)) else { return }
    // Whatever number it is, a timer can be set for it.
    let seconds =
      (read as? SupervisorMethods.ServiceSelection)?.stopTimeout
      ?? (read as? SupervisorMethods.Down.Parameters)?.timeout
    if let seconds { _ = SuspendingClock.now + .seconds(bounded: seconds) }
  }

  /// A supervisor that answers anything: the command ends, with a reply or with an error.
  @Test func anyReplyIsSurvived() throws {
    var failed = OperationEvent(
      .failed, service: "web", text: "x", errors: [StackError("web/web1", "no", remedy: "do")])
    failed.changes = [Plan.Reason(service: "web", text: "new")]
    let replies = try [
      Self.message(ControlMessage.Reply(parameters: failed, continues: true)),
      Self.message(ControlMessage.Reply(parameters: OperationEvent(.finished), continues: nil)),
      Array(ControlMessage.encode(ControlFailure("io.stack.Busy", "too many"))),
    ]
    try Fuzz.run(.controlReply) { input in
      var ends: [CInt] = [0, 0]
      let kind = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
      try #require(socketpair(AF_UNIX, kind, 0, &ends) == 0)
      let far = Descriptor(adopting: ends[1])
      let client = ControlClient(adopting: Descriptor(adopting: ends[0]))
      var bytes: [UInt8] = []
      for _ in 0..<Int.random(in: 1...4, using: &input.random) {
        bytes += input.happens(50) ? replies[0] : input.mutant(of: replies, words: Self.words)
      }
      try #require(bytes.withUnsafeBytes { write(far.rawValue, $0.baseAddress, $0.count) } == bytes.count)
      shutdown(far.rawValue, CInt(SHUT_WR))
      do throws(ControlError) {
        let stream = try client.stream(SupervisorMethods.Stop.self, .init(services: [], stopTimeout: nil))
        var count = 0
        while let event = try stream.next(timeout: .seconds(50)) {
          _ = event.errors.map(\.description)
          count += 1
        }
        try Self.require(count <= bytes.count)
      } catch {
        if case .timedOut = error { throw HangingClient() }
        _ = "\(error)"
      }
    }
  }

  private struct HangingClient: Error {}

  private static func require(_ condition: Bool) throws(ControlError) {
    if !condition { throw .timedOut }
  }
}

extension [UInt8] {
  fileprivate func contains(sequence: [UInt8]) -> Bool {
    indices.contains { self[$0...].starts(with: sequence) }
  }
}
