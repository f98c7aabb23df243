import FoundationEssentials
import Glibc
import Synchronization
import SystemPackage
@testable import Control
@testable import Kernel
@testable import Loop

/// Answers with what it was given.
enum Echo: ControlMethod {
  static let name = "io.stack.test.Echo"
  struct Parameters: Codable, Sendable { var text: String }
  struct Reply: Codable, Sendable, Equatable { var text: String }
}

/// Counts up to a number, one reply for each.
enum Count: ControlMethod {
  static let name = "io.stack.test.Count"
  struct Parameters: Codable, Sendable {
    var upTo: Int
    var padding = 0
  }
  struct Reply: Codable, Sendable, Equatable {
    var number: Int
    var padding = ""
  }
}

/// Never answers by itself.
enum Hang: ControlMethod {
  static let name = "io.stack.test.Hang"
  typealias Parameters = Nothing
  typealias Reply = Nothing
}

/// Lets go of the call without an answer.
enum Forget: ControlMethod {
  static let name = "io.stack.test.Forget"
  typealias Parameters = Nothing
  typealias Reply = Nothing
}

/// Always fails.
enum Fail: ControlMethod {
  static let name = "io.stack.test.Fail"
  typealias Parameters = Nothing
  typealias Reply = Nothing
}

/// A server with the methods above on a thread of its own, in a folder of its own.
final class ControlFixture: Sendable {
  let folder: String
  /// The number of calls that learned of their peer's disconnect.
  let disconnects = Mutex(0)
  /// Calls of `Hang` under way.
  let hanging = Mutex(0)
  private let stopper: Mailbox<Void>
  private let thread: pthread_t
  private let count: Mutex<Int>

  init(folder: String = "/tmp/stack-control-\(UUID().uuidString)", limits: ControlServer.Limits = .init()) throws {
    self.folder = folder
    let setUp = SetUp(folder: folder, limits: limits)
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<SetUp>.fromOpaque(argument).takeRetainedValue().serve() }
        return nil
      }, Unmanaged.passRetained(setUp).toOpaque())
    self.thread = thread
    stopper = try setUp.waitUntilReady()
    count = Mutex(0)
    setUp.fixture.withLock { $0 = WeakFixture(self) }
  }

  func stop() {
    stopper.post(())
    pthread_join(thread, nil)
    try? FileManager.default.removeItem(atPath: folder)
  }
}

private struct WeakFixture: Sendable {
  weak let fixture: ControlFixture?
  init(_ fixture: ControlFixture) { self.fixture = fixture }
}

private final class SetUp: Sendable {
  let folder: String
  let limits: ControlServer.Limits
  let fixture = Mutex<WeakFixture?>(nil)
  private let ready = Mutex<Result<Mailbox<Void>, KernelError>?>(nil)

  init(folder: String, limits: ControlServer.Limits) {
    self.folder = folder
    self.limits = limits
  }

  func waitUntilReady() throws -> Mailbox<Void> {
    for _ in 0..<5_000 {
      if let result = ready.withLock({ $0 }) { return try result.get() }
      usleep(1_000)
    }
    throw Errno.timedOut
  }

  func serve() {
    do throws(KernelError) {
      let loop = try EventLoop()
      let (mailbox, _) = try loop.openMailbox(of: Void.self) { loop.stop() }
      let server = try ControlServer(
        loop: loop, listener: ControlSocket.listen(inFolder: folder), limits: limits)
      answer(server, loop)
      ready.withLock { $0 = .success(mailbox) }
      try loop.run()
      server.close()
    } catch {
      ready.withLock { $0 = .failure(error) }
    }
  }

  private func answer(_ server: ControlServer, _ loop: EventLoop) {
    var hung: [ControlCall<Hang>] = []
    server.handle(Echo.self) { call in
      // Every other reply comes later, as a worker's would.
      if call.parameters.text.utf8.count % 2 == 0 { return call.finish(.init(text: call.parameters.text)) }
      loop.schedule(after: .milliseconds(1)) { call.finish(.init(text: call.parameters.text)) }
    }
    server.handle(Count.self) { call in
      let padding = String(repeating: "x", count: call.parameters.padding)
      var number = 0
      func go() {
        while number < call.parameters.upTo, !call.isCongested {
          number += 1
          call.send(.init(number: number, padding: padding))
        }
        if number == call.parameters.upTo { call.finish(.init(number: 0)) }
      }
      call.onDrain = { go() }
      go()
    }
    server.handle(Hang.self) { [self] call in
      hung.append(call)
      fixture.withLock { $0 }?.fixture?.hanging.withLock { $0 += 1 }
      call.onDisconnect = { [self] in
        fixture.withLock { $0 }?.fixture?.disconnects.withLock { $0 += 1 }
      }
    }
    server.handle(Forget.self) { _ in }
    server.handle(Fail.self) { $0.fail(ControlFailure("io.stack.test.Nope", "it cannot be done")) }
  }
}

/// A peer that sends what it likes.
final class RawPeer {
  let socket: Descriptor

  init(_ folder: String) throws {
    socket = try ControlSocket.connect(inFolder: folder, timeout: .seconds(10))
  }

  /// Sends what the socket takes; false when the server has closed.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(socket.rawValue, $0.baseAddress.map { $0 + sent }, $0.count - sent, CInt(MSG_NOSIGNAL))
      }
      if count > 0 {
        sent += count
      } else if errno == EAGAIN {
        var waiting = pollfd(fd: socket.rawValue, events: Int16(POLLOUT), revents: 0)
        guard poll(&waiting, 1, 5_000) > 0 else { return false }
      } else {
        return false
      }
    }
    return true
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// Everything up to the server's closing, or `nil` if that does not come in time.
  func readToEnd(seconds: Int = 10) -> String? {
    var all: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = recv(socket.rawValue, &buffer, buffer.count, 0)
      if count > 0 {
        all += buffer[..<count]
      } else if count == 0 || errno == ECONNRESET {
        return String(decoding: all, as: UTF8.self)
      } else {
        var waiting = pollfd(fd: socket.rawValue, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, CInt(seconds * 1_000)) > 0 else { return nil }
      }
    }
  }
}

/// Waits for something that another thread does.
func eventually(seconds: Int = 10, _ condition: () -> Bool) -> Bool {
  for _ in 0..<(seconds * 200) {
    if condition() { return true }
    usleep(5_000)
  }
  return condition()
}
