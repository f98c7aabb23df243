import Fuzzing
import Glibc
import SystemPackage
import Testing
@testable import Logs
@testable import Loop

@Suite struct LogWriterTests {
  private let time = LogTime(nanoseconds: 1_475_713_029_669_794_202)
  private let stamp = "2016-10-06T00:17:09.669794202Z"

  @Test func writesTheContainerRuntimeInterfacesFormat() throws {
    let folder = try LogFolder()
    let writer = LogWriter(path: folder.log("web"), clock: { [time] in time })
    writer.append("one\ntwo")
    writer.append("error\n", .stderr)
    writer.append(" and a half\n\n")
    #expect(
      folder.contents("web.log") == """
        \(stamp) stdout F one
        \(stamp) stdout P two
        \(stamp) stderr F error
        \(stamp) stdout F  and a half
        \(stamp) stdout F 

        """)
  }

  @Test func longLinesAreCutAtSixteenKilobytes() throws {
    let folder = try LogFolder()
    let writer = LogWriter(path: folder.log("web"), clock: { [time] in time })
    writer.append([UInt8](repeating: UInt8(ascii: "x"), count: 40_000) + [0x0A])
    let lines = folder.contents("web.log").split(separator: "\n")
    #expect(lines.map(\.utf8.count) == [16_384 + 40, 16_384 + 40, 7_232 + 40])
    #expect(lines.map { $0.dropFirst(38).first } == ["P", "P", "F"])
  }

  @Test func filesAreRotatedBySizeAndTheOldestDeleted() throws {
    let folder = try LogFolder()
    let writer = LogWriter(path: folder.log("web"), rotation: LogRotation(maximumSize: 1_000, files: 3))
    for number in 0..<200 { writer.append("line \(number)\n") }
    #expect(folder.files == ["web.log", "web.log.1", "web.log.2"])
    for file in folder.files { #expect((1...1_000).contains(folder.size(file))) }
    let entries = LogReader([folder.source("web")]).readAll()
    #expect(entries.last?.string == "line 199")
    #expect(entries.map(\.string) == (200 - entries.count..<200).map { "line \($0)" })
    #expect(entries.count > 40)
  }

  @Test func oneFileAloneIsStartedAfresh() throws {
    let folder = try LogFolder()
    let writer = LogWriter(path: folder.log("web"), rotation: LogRotation(maximumSize: 500, files: 1))
    for number in 0..<50 { writer.append("line \(number)\n") }
    #expect(folder.files == ["web.log"])
    #expect(LogReader([folder.source("web")]).readAll().last?.string == "line 49")
  }

  @Test func aNewWriterGoesOnAndEndsALineThatWasCutShort() throws {
    let folder = try LogFolder()
    folder.write("web.log", "\(stamp) stdout F whole\n\(stamp) stdout F cut sho")
    let writer = LogWriter(path: folder.log("web"))
    writer.append("next\n")
    #expect(LogReader([folder.source("web")]).readAll().map(\.string) == ["whole", "cut sho", "next"])
  }

  @Test(arguments: 1...UInt64(TestExtent.size(8, sample: 1))) func whatGoesInComesOut(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let folder = try LogFolder()
    let rotation = LogRotation(maximumSize: 100_000, files: 1_000)
    var writer = LogWriter(path: folder.log("web"), rotation: rotation)
    // Random bytes with no newline, few, some and many.
    let pools = ([0, 1, 5, 60] as [UInt8]).map { rate in
      (0..<100_000).map { _ in
        let byte = UInt8(truncatingIfNeeded: random.next())
        return UInt8(truncatingIfNeeded: random.next()) < rate ? 0x0A : byte == 0x0A ? 0 : byte
      }
    }
    var put: [LogStream: [UInt8]] = [.stdout: [], .stderr: []]
    for _ in 0..<120 {
      let stream: LogStream = Bool.random(using: &random) ? .stdout : .stderr
      let size = [0, 1, 2, 50, 5_000, 20_000, 70_000].randomElement(using: &random) ?? 0
      let pool = Int.random(in: 0..<pools.count, using: &random)
      let start = Int.random(in: 0...pools[pool].count - size, using: &random)
      let bytes = Array(pools[pool][start..<start + size])
      writer.append(bytes, stream)
      put[stream, default: []] += bytes
      // A new supervisor takes over.
      if Int.random(in: 0..<20, using: &random) == 0 { writer = LogWriter(path: folder.log("web"), rotation: rotation) }
    }
    var got: [LogStream: [UInt8]] = [.stdout: [], .stderr: []]
    for entry in LogReader([folder.source("web")]).readAll() {
      got[entry.stream, default: []] += entry.text
      if !entry.isPartial { got[entry.stream, default: []].append(0x0A) }
    }
    #expect(got[.stdout] == put[.stdout])
    #expect(got[.stderr] == put[.stderr])
    #expect(folder.files.count > 3)
    for file in folder.files { #expect(folder.size(file) <= 100_000) }
  }

  @Test func aHundredMegabytesThroughAPipe() throws {
    let folder = try LogFolder()
    let loop = try EventLoop()
    let pump = LogPump(loop: loop)
    let writer = LogWriter(path: folder.log("web"), scratch: pump.scratch)
    let pipe = try FileDescriptor.pipe()
    _ = fcntl(pipe.readEnd.rawValue, F_SETFL, O_NONBLOCK)
    let sender = OwnThread {
      let block = [UInt8]((String(repeating: "a line of some length, as they are\n", count: 1_873)).utf8.prefix(65_536))
      for _ in 0..<1_600 { _ = try? pipe.writeEnd.writeAll(block) }
      try? pipe.writeEnd.close()
    }
    sender.start()
    _ = try pump.add(pipe.readEnd, .stdout, to: writer) { _ in loop.stop() }
    try loop.run()
    _ = sender.join()
    try pipe.readEnd.close()
    #expect(writer.droppedBytes == 0 && !writer.needsFlush)
    #expect(folder.files.count == 5)
  }

  @Test func aMissingFolderLosesNothingOnceItIsThere() throws {
    let folder = try LogFolder()
    let writer = LogWriter(path: "\(folder.path)/later/web.log")
    writer.append("early\n")
    #expect(writer.failure == .noSuchFileOrDirectory && writer.needsFlush)
    mkdir("\(folder.path)/later", 0o700)
    #expect(writer.flush())
    #expect(folder.contents("later/web.log").hasSuffix(" stdout F early\n"))
  }

  @Test func neitherLinksNorPipesAreWrittenTo() throws {
    let folder = try LogFolder()
    folder.write("victim", "")
    symlink("\(folder.path)/victim", folder.log("link"))
    mkfifo(folder.log("fifo"), 0o600)
    let link = LogWriter(path: folder.log("link"))
    link.append("x\n")
    let fifo = LogWriter(path: folder.log("fifo"))
    fifo.append("x\n")
    #expect(link.failure == .tooManySymbolicLinkLevels)
    #expect(fifo.failure == .invalidArgument)
    #expect(folder.size("victim") == 0)
  }
}
