import Glibc
import SystemPackage
import Testing
@testable import Kernel
@testable import Logs
@testable import Loop

@Suite struct LogPrinterTests {
  private func entry(
    _ service: String, _ text: String, stream: LogStream = .stdout, partial: Bool = false, continuation: Bool = false
  ) -> LogEntry {
    LogEntry(
      service: service, stream: stream, time: LogTime(nanoseconds: 0), text: Array(text.utf8), isPartial: partial,
      isContinuation: continuation)
  }

  private func printed(_ entries: [LogEntry], services: [String], style: LogPrinter.Style) throws -> String {
    let pipe = try FileDescriptor.pipe()
    let printer = LogPrinter(pipe.writeEnd, services: services, style: style)
    for entry in entries { try printer.print(entry) }
    try printer.finish()
    try pipe.writeEnd.close()
    defer { try? pipe.readEnd.close() }
    var text = [UInt8](repeating: 0, count: 60_000)
    let count = try text.withUnsafeMutableBytes { try pipe.readEnd.read(into: $0) }
    return String(decoding: text[..<count], as: UTF8.self)
  }

  @Test func prefixesStandUnderEachOther() throws {
    let text = try printed(
      [entry("web1", "hello"), entry("db", "ready")], services: ["web1", "db"], style: .init())
    #expect(text == "web1  | hello\ndb    | ready\n")
  }

  /// A service is not to control whoever reads its log.
  @Test func aTerminalIsShownWhatItWouldObey() throws {
    let entries = [
      entry("web", "\u{1B}]0;t\u{07}log\r"), entry("web", "5%\r9%", partial: true),
      entry("web", "\u{1B}[m", continuation: true),
    ]
    let text = try printed(entries, services: ["web"], style: .init(colour: true, showsControls: true))
    #expect(text == "\u{1B}[36mweb  | \u{1B}[0m^[]0;t^Glog\n\u{1B}[36mweb  | \u{1B}[0m5%^M9%^[[m\n")
  }

  @Test func withoutPrefixBytesAreAsTheServiceWroteThem() throws {
    let entries = [
      entry("web", "a\u{0}b"), entry("web", "he", partial: true), entry("web", "llo", continuation: true),
      entry("web", "no end", partial: true),
    ]
    #expect(try printed(entries, services: ["web"], style: .init(prefix: false)) == "a\u{0}b\nhello\nno end")
  }

  @Test func aLineWithoutEndDoesNotSwallowTheNext() throws {
    let entries = [
      entry("a", "login: ", partial: true), entry("b", "x"), entry("a", "root", continuation: true),
      entry("a", "$ ", partial: true),
    ]
    #expect(try printed(entries, services: ["a", "b"], style: .init()) == "a  | login: \nb  | x\na  | root\na  | $ \n")
  }

  @Test func timesAndColours() throws {
    let text = try printed(
      [entry("a", "x"), entry("b", "y")], services: ["a", "b"], style: .init(colour: true, timestamps: true))
    let time = "1970-01-01T00:00:00.000000000Z"
    #expect(text == "\u{1B}[36ma  | \u{1B}[0m\(time) x\n\u{1B}[33mb  | \u{1B}[0m\(time) y\n")
  }

  @Test func aSlowReaderGetsEverythingAndAMissingOneIsSaid() throws {
    let pipe = try FileDescriptor.pipe()
    _ = fcntl(pipe.writeEnd.rawValue, F_SETFL, O_NONBLOCK)
    // A program that another test starts meanwhile must not keep the reading end open.
    _ = fcntl(pipe.readEnd.rawValue, F_SETFD, FD_CLOEXEC)
    let reading = OwnThread { () -> Int in
      var block = [UInt8](repeating: 0, count: 4_096)
      var total = 0
      while total < 1_007_000, let count = try? block.withUnsafeMutableBytes({ try pipe.readEnd.read(into: $0) }),
        count > 0
      {
        total += count
      }
      return total
    }
    reading.start()
    let printer = LogPrinter(pipe.writeEnd, services: ["a"])
    for _ in 0..<1_000 { try printer.print(entry("a", String(repeating: "x", count: 1_001))) }
    try printer.finish()
    #expect(reading.join() == 1_007_000)
    try pipe.readEnd.close()
    // SIGPIPE for this thread alone: the test runner shares the process.
    let before = SignalSet([SIGPIPE]).block()
    // One that has been forked and not exec'd yet has it open for a moment.
    var failure: Errno?
    for _ in 0..<100 where failure == nil {
      do throws(KernelError) {
        try printer.print(entry("a", "x"))
        try printer.flush()
        usleep(10_000)
      } catch {
        failure = error.errno
      }
    }
    #expect(failure == .brokenPipe)
    var none = timespec()
    var pending = SignalSet([SIGPIPE]).mask
    sigtimedwait(&pending, nil, &none)
    before.becomeMask()
    try pipe.writeEnd.close()
  }
}
