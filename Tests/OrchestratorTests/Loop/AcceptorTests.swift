import Glibc
import TestSupport
import Testing
@testable import Control
@testable import Kernel
@testable import Loop

@Suite struct AcceptorTests {
  /// Without room for a connection the loop sleeps: it is not told of it again before a moment has passed.
  @Test func withoutRoomConnectionsWaitInTheQueue() throws {
    let folder = try TemporaryFolder()
    let loop = try EventLoop()
    var isFull = true
    var calls = 0
    let acceptor = try Acceptor(ControlSocket.listen(inFolder: folder.path), on: loop, atOnce: 16) {
      (socket) throws(KernelError) in
      calls += 1
      if isFull { throw KernelError("accept", "a connection", errno: .tooManyOpenFiles) }
    }
    let clients = try (0..<3).map { _ in
      SharedDescriptor(try ControlSocket.connect(inFolder: folder.path, timeout: .seconds(5)))
    }
    var turns = 0
    var isOver = false
    loop.schedule(after: .milliseconds(150)) { isOver = true }
    while !isOver {
      try loop.turn(atMost: .seconds(5))
      turns += 1
    }
    #expect(calls == 1 && turns <= 3, "\(calls) in \(turns) turns")
    isFull = false
    // What makes room says so, and need not wait for the moment to pass.
    acceptor.resume()
    try loop.turn(atMost: .seconds(5))
    #expect(calls == 3)
    acceptor.stop()
    withExtendedLifetime(clients) {}
  }
}
