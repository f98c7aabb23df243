import Glibc
import SystemPackage
import Testing
@testable import Logs

/// A writer that is killed at any moment, and the one after it.
@Suite struct LogStagingTests {
  private let time = LogTime(nanoseconds: 1_475_713_029_669_794_202)
  private let folder: LogFolder
  private let pipe: (readEnd: FileDescriptor, writeEnd: FileDescriptor)

  init() throws {
    folder = try LogFolder()
    pipe = try FileDescriptor.pipe()
    _ = fcntl(pipe.readEnd.rawValue, F_SETFL, O_NONBLOCK)
  }

  private var staging: String { "\(folder.path)/output" }

  private func writer(_ scratch: LogScratch, rotation: LogRotation = LogRotation()) -> LogWriter {
    LogWriter(path: folder.log("web"), rotation: rotation, scratch: scratch, clock: { [time] in time })
  }

  /// Takes what is in the pipe to the staging file, as a writer does, and no further.
  private func take(_ scratch: LogScratch, _ stream: LogStream = .stdout) throws -> Int {
    var file = LogFile(path: folder.log("web"), rotation: LogRotation())
    let end = file.place()
    let (staging, place) = (try #require(scratch.staging), try #require(end))
    return try #require(
      staging.take(
        pipe.readEnd.rawValue, for: folder.log("web"), stream, endingAt: place, into: scratch.input))
  }

  private func contents() -> String {
    var text = ""
    for entry in LogReader([folder.source("web")]).readAll() {
      text += entry.string + (entry.isPartial ? "" : "\n")
    }
    return text
  }

  @Test func whatWasTakenIsNotInThePipeAndNotLost() throws {
    let scratch = LogScratch(staging: staging)
    writer(scratch).append("before\n")
    _ = try pipe.writeEnd.writeAll("one\ntwo".utf8)
    #expect(try take(scratch) == 7)
    let next = LogScratch(staging: staging)
    #expect(LogWriter.finishStaged(next)?.needsFlush == false)
    #expect(contents() == "before\none\ntwo")
    // Nothing waits any more.
    #expect(LogWriter.finishStaged(LogScratch(staging: staging)) == nil)
    _ = try pipe.writeEnd.writeAll(" and a half\n".utf8)
    #expect(writer(next).drain(pipe.readEnd, .stdout) == .more)
    #expect(contents() == "before\none\ntwo and a half\n")
    #expect(LogWriter.finishStaged(LogScratch(staging: staging)) == nil)
  }

  @Test func aRecordThatWasCutShortAnywhereIsFinished() throws {
    let text = "first\n" + String(repeating: "x", count: 40) + "\n\nlast, not ended"
    // The bytes that the writer that was killed would have written.
    let whole = LogWriter(path: folder.log("whole"), clock: { [time] in time })
    whole.append(text)
    let records = Array(folder.contents("whole.log").utf8)
    for cut in 0...records.count {
      _ = unlink(folder.log("web"))
      let scratch = LogScratch(staging: staging)
      writer(scratch).append("before\n")
      _ = try pipe.writeEnd.writeAll(text.utf8)
      #expect(try take(scratch) == text.utf8.count)
      let log = try FileDescriptor.open(folder.log("web"), .writeOnly, options: .append)
      _ = try log.writeAll(records.prefix(cut))
      try log.close()
      _ = LogWriter.finishStaged(LogScratch(staging: staging))
      #expect(contents() == "before\n" + text, "cut after \(cut)")
      _ = LogWriter.finishStaged(LogScratch(staging: staging))
      #expect(contents() == "before\n" + text, "cut after \(cut), once more")
    }
  }

  @Test func severalBatchesAndFilesOfOneTake() throws {
    // Records are many times as long as their lines: a take fills several batches, each a file of its own.
    let rotation = LogRotation(maximumSize: 30_000, files: 200)
    let scratch = LogScratch(staging: staging)
    var expected = ""
    for round in 0..<20 {
      let text = (0..<4_000).map { "\(round) \($0)\n" }.joined()
      _ = try pipe.writeEnd.writeAll(text.utf8)
      expected += text
      if round % 2 == 0 {
        _ = writer(scratch, rotation: rotation).drain(pipe.readEnd, .stdout)
      } else {
        var file = LogFile(path: folder.log("web"), rotation: rotation)
        let end = file.place()
        let place = try #require(end)
        _ = scratch.staging?.take(
          pipe.readEnd.rawValue, for: folder.log("web"), .stdout, endingAt: place, into: scratch.input)
        _ = LogWriter.finishStaged(LogScratch(staging: staging), rotation: rotation)
        _ = scratch.staging?.remainder()
      }
      // It starts anew beyond 256 KiB, once nothing in it waits. A pipe holds 64 KiB.
      #expect(folder.size("output") < 350_000)
    }
    #expect(contents() == expected)
    #expect(folder.files.count > 20)
  }

  @Test(arguments: ["", "x", String(repeating: "\u{0}", count: 9_000), String(repeating: "stack", count: 2_000)])
  func aDamagedFileIsNothing(_ content: String) throws {
    folder.write("output", content)
    let scratch = LogScratch(staging: staging)
    #expect(LogWriter.finishStaged(scratch) == nil)
    _ = try pipe.writeEnd.writeAll("line\n".utf8)
    _ = writer(scratch).drain(pipe.readEnd, .stdout)
    #expect(contents() == "line\n")
  }

  @Test func withoutAFileOrAPipeItIsRead() throws {
    let scratch = LogScratch(staging: "/nowhere/output")
    _ = try pipe.writeEnd.writeAll("line\n".utf8)
    _ = writer(scratch).drain(pipe.readEnd, .stdout)
    let zero = try FileDescriptor.open("/dev/zero", .readOnly)
    _ = writer(LogScratch(staging: staging)).drain(zero, .stdout, budget: 1)
    try zero.close()
    #expect(contents().hasPrefix("line\n\u{0}"))
  }
}
