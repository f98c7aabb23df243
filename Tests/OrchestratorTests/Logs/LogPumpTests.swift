import Glibc
import SystemPackage
import Testing
@testable import Logs
@testable import Loop

@Suite struct LogPumpTests {
  /// A FIFO that never ends, as services get: open for reading and writing at once.
  private func fifo(_ folder: LogFolder, _ name: String) throws -> FileDescriptor {
    let path = "\(folder.path)/\(name)"
    guard mkfifo(path, 0o600) == 0 else { throw Errno(rawValue: errno) }
    let number = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
    guard number >= 0 else { throw Errno(rawValue: errno) }
    return FileDescriptor(rawValue: number)
  }

  @Test func bothStreamsOfAServiceGoToOneFile() throws {
    let folder = try LogFolder()
    let loop = try EventLoop()
    let pump = LogPump(loop: loop)
    let writer = LogWriter(path: folder.log("web"), scratch: pump.scratch)
    let (out, err) = (try fifo(folder, "out"), try fifo(folder, "err"))
    defer {
      try? out.close()
      try? err.close()
    }
    _ = try pump.add(out, .stdout, to: writer)
    let token = try pump.add(err, .stderr, to: writer)
    _ = try out.writeAll("to stdout\n".utf8)
    try loop.turn(atMost: .seconds(5))
    _ = try err.writeAll("to stderr\n".utf8)
    // The service has ended: what it left behind is read at once.
    pump.remove(token)
    _ = try err.writeAll("too late\n".utf8)
    try loop.turn(atMost: .zero)
    let entries = LogReader([folder.source("web")]).readAll()
    #expect(entries.map(\.string) == ["to stdout", "to stderr"])
    #expect(entries.map(\.stream) == [.stdout, .stderr])
  }

  @Test func aLogThatCannotBeWrittenIsTriedAgainThoughItsPipeHasEnded() throws {
    let folder = try LogFolder()
    let loop = try EventLoop()
    let pump = LogPump(loop: loop)
    let writer = LogWriter(path: "\(folder.path)/later/web.log", scratch: pump.scratch)
    let pipe = try FileDescriptor.pipe()
    _ = fcntl(pipe.readEnd.rawValue, F_SETFL, O_NONBLOCK)
    _ = try pipe.writeEnd.writeAll("kept\n".utf8)
    try pipe.writeEnd.close()
    var ended = false
    _ = try pump.add(pipe.readEnd, .stdout, to: writer) { failure in
      #expect(failure == nil)
      ended = true
    }
    for _ in 0..<3 where !ended { try loop.turn(atMost: .seconds(5)) }
    try pipe.readEnd.close()
    #expect(ended && writer.needsFlush)
    mkdir("\(folder.path)/later", 0o700)
    for _ in 0..<5 where writer.needsFlush { try loop.turn(atMost: .seconds(2)) }
    #expect(folder.contents("later/web.log").hasSuffix(" stdout F kept\n"))
  }

  @Test func aServiceThatNeverStopsWritingDoesNotHoldUpTheLoop() throws {
    let folder = try LogFolder()
    let loop = try EventLoop()
    let pump = LogPump(loop: loop)
    let flood = open("/dev/zero", O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    defer { close(flood) }
    let writer = LogWriter(
      path: folder.log("web"), rotation: LogRotation(maximumSize: 1_000_000, files: 2), scratch: pump.scratch)
    // One turn's worth of a source without end: it returns, having read its budget.
    #expect(writer.drain(FileDescriptor(rawValue: flood), .stdout, budget: 1 << 20) == .more)
    #expect(folder.size("web.log") + folder.size("web.log.1") > 1 << 20)
    #expect(folder.size("web.log") <= 1_000_000 && folder.size("web.log.1") <= 1_000_000)
  }
}
