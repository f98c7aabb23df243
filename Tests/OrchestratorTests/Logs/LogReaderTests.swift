import Glibc
import Synchronization
import SystemPackage
import Testing
@testable import Kernel
@testable import Logs

@Suite struct LogReaderTests {
  private static func stamp(_ second: Int) -> LogTime { LogTime(nanoseconds: Int64(second) * 1_000_000_000) }

  /// A writer whose clock stands where `second` says.
  private static func writer(_ folder: LogFolder, _ service: String, second: @escaping () -> Int) -> LogWriter {
    LogWriter(path: folder.log(service), clock: { stamp(second()) })
  }

  @Test func severalServicesAreOneInTheOrderOfTime() throws {
    let folder = try LogFolder()
    var second = 0
    let one = Self.writer(folder, "one", second: { second })
    let two = Self.writer(folder, "two", second: { second })
    for number in 1...50 {
      second = number
      (number % 3 == 0 ? one : two).append("\(number)\n")
    }
    let entries = LogReader([folder.source("one"), folder.source("two"), folder.source("silent")]).readAll()
    #expect(entries.map(\.string) == (1...50).map(String.init))
    #expect(entries.filter { $0.service == "one" }.count == 16)
  }

  @Test func aClockThatIsSetBackDoesNotReorderAService() throws {
    let folder = try LogFolder()
    var second = 100
    let writer = Self.writer(folder, "web", second: { second })
    writer.append("first\n")
    second = 50
    writer.append("second\n")
    #expect(LogReader([folder.source("web")]).readAll().map(\.string) == ["first", "second"])
  }

  @Test func sinceAndUntilIncludeTheirMoments() throws {
    let folder = try LogFolder()
    var second = 0
    let writer = Self.writer(folder, "web", second: { second })
    for number in 1...10 {
      second = number
      writer.append("\(number)\n")
    }
    let query = LogReader.Query(since: Self.stamp(3), until: Self.stamp(6))
    #expect(LogReader([folder.source("web")], query).readAll().map(\.string) == ["3", "4", "5", "6"])
  }

  @Test(arguments: [0, 1, 7, 19, 20, 21, 500, 5_000, Int.max]) func tailGivesTheLastLinesOfEachService(count: Int)
    throws
  {
    let folder = try LogFolder()
    let writer = LogWriter(path: folder.log("web"), rotation: LogRotation(maximumSize: 3_000, files: 1_000))
    let total = 1_000
    for number in 0..<total { writer.append("\(number)\n", number % 2 == 0 ? .stdout : .stderr) }
    let entries = LogReader([folder.source("web")], .init(tail: count)).readAll()
    #expect(entries.map(\.string) == (total - min(count, total)..<total).map(String.init))
  }

  @Test func tailCountsLinesAndNotTheirParts() throws {
    let folder = try LogFolder()
    let writer = LogWriter(path: folder.log("web"))
    writer.append("short\n")
    for _ in 0..<5 { writer.append([UInt8](repeating: UInt8(ascii: "z"), count: 700_000) + [0x0A]) }
    writer.append("not ended")
    func tail(_ count: Int, of service: String) -> [LogEntry] {
      LogReader([folder.source(service)], LogReader.Query(tail: count)).readAll()
    }
    let last = tail(3, of: "web")
    #expect(last.map(\.text.count) == [700_000, 700_000, 9])
    #expect(last.map(\.isPartial) == [false, false, true])
    #expect(last.map(\.isContinuation) == [false, false, false])
    #expect(tail(100, of: "web").count == 7)
    #expect(tail(3, of: "missing").isEmpty)
  }

  /// Its last words cost the supervisor's loop the same, however much a service has to say.
  @Test func lastLinesAreOfTheLastBytes() throws {
    let folder = try LogFolder()
    let source = folder.source("web")
    #expect(LogReader.lastLines(10, of: source).isEmpty)
    let writer = LogWriter(path: folder.log("web"))
    for number in 1...20 { writer.append("\(number)\n") }
    #expect(LogReader.lastLines(3, of: source).map { String(decoding: $0.text, as: UTF8.self) } == ["18", "19", "20"])
    #expect(LogReader.lastLines(100, of: source).count == 20)
    for _ in 0..<3 { writer.append([UInt8](repeating: UInt8(ascii: "z"), count: 700_000) + [0x0A]) }
    writer.append("end\nnot ended")
    let last = LogReader.lastLines(10, of: source)
    #expect(last.map(\.text).map { $0.allSatisfy { $0 == UInt8(ascii: "z") } } == [true, false, false])
    #expect((1...65_536).contains(last[0].text.count))
    #expect(last.dropFirst().map { String(decoding: $0.text, as: UTF8.self) } == ["end", "not ended"])
  }

  @Test func aLineOfMegabytesComesInPieces() throws {
    let folder = try LogFolder()
    let writer = LogWriter(path: folder.log("web"))
    writer.append([UInt8](repeating: 0, count: 2_500_000) + [0x0A])
    let entries = LogReader([folder.source("web")]).readAll()
    #expect(entries.map(\.text.count).reduce(0, +) == 2_500_000)
    #expect(entries.map(\.isPartial) == [true, true, false])
    #expect(entries.map(\.isContinuation) == [false, true, true])
  }

  @Test func followingGetsWhatComesAndStopsWhenTold() throws {
    let folder = try LogFolder()
    let writer = LogWriter(path: folder.log("web"))
    writer.append("old\n")
    let pipe = try FileDescriptor.pipe()
    defer {
      try? pipe.readEnd.close()
      try? pipe.writeEnd.close()
    }
    let query = LogReader.Query(tail: 0, follow: true)
    let reader = LogReader(
      [folder.source("web"), folder.source("late")], query, interruption: .init(wake: pipe.readEnd))
    writer.append("new\n")
    #expect(reader.next()?.string == "new")
    // A file that did not exist, and a line without an end.
    LogWriter(path: folder.log("late")).append("prompt> ")
    let prompt = reader.next()
    #expect(prompt?.string == "prompt> " && prompt?.isPartial == true)
    LogWriter(path: folder.log("late")).append("answer\n")
    let answer = reader.next()
    #expect(answer?.string == "answer" && answer?.isContinuation == true)
    _ = try pipe.writeEnd.writeAll([1])
    #expect(reader.next() == nil)
  }

  /// The clock of a host may be set back while somebody follows.
  @Test func followingGoesOnWhenTheClockGoesBack() throws {
    let folder = try LogFolder()
    var second = 0
    let writer = Self.writer(folder, "web", second: { second })
    for moment in [1, 5] {
      second = moment
      writer.append("\(moment)\n")
    }
    let pipe = try FileDescriptor.pipe()
    defer {
      try? pipe.readEnd.close()
      try? pipe.writeEnd.close()
    }
    let query = LogReader.Query(since: Self.stamp(3), follow: true)
    let reader = LogReader([folder.source("web")], query, interruption: .init(wake: pipe.readEnd))
    #expect(reader.next()?.string == "5")
    // An interruption ends the wait at the end of the log.
    _ = try pipe.writeEnd.writeAll([1])
    #expect(reader.next() == nil)
    second = 2
    writer.append("back\n")
    #expect(reader.next()?.string == "back")
  }

  @Test func followingEndsAtUntil() throws {
    let folder = try LogFolder()
    let until = LogTime(nanoseconds: LogTime.now.nanoseconds + 50_000_000)
    #expect(LogReader([folder.source("web")], .init(until: until, follow: true)).next() == nil)
    #expect(LogTime.now >= until)
  }

  @Test func aFollowerLosesNothingAndRepeatsNothingAcrossRotations() throws {
    let folder = try LogFolder()
    let total = 60_000
    let path = folder.log("web")
    let seen = Mutex(0)
    let pipe = try FileDescriptor.pipe()
    defer {
      try? pipe.readEnd.close()
      try? pipe.writeEnd.close()
    }
    let writing = OwnThread {
      // More files than are written, so that a slow reader is no excuse.
      let writer = LogWriter(path: path, rotation: LogRotation(maximumSize: 20_000, files: 400))
      for number in 0..<total { writer.append("\(number)\n") }
    }
    let reader = LogReader([folder.source("web")], .init(follow: true), interruption: .init(wake: pipe.readEnd))
    writing.start()
    let watchdog = OwnThread {
      for _ in 0..<6_000 where seen.withLock({ $0 }) < total { usleep(10_000) }
      _ = try? pipe.writeEnd.writeAll([1])
    }
    watchdog.start()
    var expected = 0
    while expected < total, let entry = reader.next() {
      guard entry.string == "\(expected)" else {
        Issue.record("\(entry.string) instead of \(expected)")
        break
      }
      expected += 1
      if expected % 1_000 == 0 || expected == total { seen.withLock { $0 = expected } }
    }
    seen.withLock { $0 = total }
    #expect(expected == total)
    _ = writing.join()
    _ = watchdog.join()
    #expect(folder.files.count > 50)
  }
}

/// A writer that is faster than its reader, and files that somebody takes away.
@Suite struct LogReaderEndTests {
  @Test func theEndIsFixedWhenReadingBegins() throws {
    let folder = try LogFolder()
    let writer = LogWriter(path: folder.log("web"))
    for number in 0..<10 { writer.append("\(number)\n") }
    for query in [LogReader.Query(), LogReader.Query(tail: 10)] {
      let reader = LogReader([folder.source("web")], query)
      var read: [String] = []
      while read.count < 1_000, let entry = reader.next() {
        read.append(entry.string)
        writer.append("later\n")
      }
      #expect(read.count == 10 || read.allSatisfy { $0 == "later" }, "\(read.prefix(20))")
      #expect(read.count < 1_000)
    }
  }

  @Test func theEndStaysWhereItWasThroughRotations() throws {
    let folder = try LogFolder()
    let rotation = LogRotation(maximumSize: 2_000, files: 3)
    let writer = LogWriter(path: folder.log("web"), rotation: rotation)
    for number in 0..<100 { writer.append("\(number)\n") }
    let reader = LogReader([folder.source("web")])
    // All files that were there are deleted meanwhile, but for the one that is held open for its end.
    for _ in 0..<1_000 { writer.append("later\n") }
    let read = reader.readAll().map(\.string)
    #expect(read.last == "99")
    #expect(!read.contains("later"))
  }

  @Test func aFollowerIsInterruptedWhileItIsBehind() throws {
    let folder = try LogFolder()
    let writer = LogWriter(path: folder.log("web"))
    for number in 0..<5_000 { writer.append("\(number)\n") }
    var isInterrupted = false
    let reader = LogReader(
      [folder.source("web")], .init(follow: true), interruption: .init(isInterrupted: { isInterrupted }))
    #expect(reader.next() != nil)
    isInterrupted = true
    var count = 0
    while reader.next() != nil { count += 1 }
    #expect(count < 300)
    isInterrupted = false
    #expect(reader.next()?.string == "\(count + 1)")
    reader.stopFollowing()
    #expect(reader.readAll().last?.string == "4999")
  }

  @Test(arguments: [true, false]) func aFileThatIsTakenAwayIsOpenedAnew(isRenamed: Bool) throws {
    let folder = try LogFolder()
    let path = folder.log("web")
    let writer = LogWriter(path: path, rotation: LogRotation(maximumSize: 2_000))
    for number in 0..<100 { writer.append("\(number)\n") }
    let pipe = try FileDescriptor.pipe()
    defer {
      try? pipe.readEnd.close()
      try? pipe.writeEnd.close()
    }
    let reader = LogReader([folder.source("web")], .init(follow: true), interruption: .init(wake: pipe.readEnd))
    for number in 0..<100 { #expect(reader.next()?.string == "\(number)") }
    usleep(120_000)
    if isRenamed { rename(path, "\(path)-2026") } else { unlink(path) }
    writer.append("anew\n")
    #expect(reader.next()?.string == "anew")
    #expect(folder.files.contains("web.log"))
    writer.append("more\n")
    #expect(reader.next()?.string == "more")
    // An older file is not shown again.
    _ = try pipe.writeEnd.writeAll([1])
    #expect(reader.next() == nil)
  }

  @Test func aTailDoesNotReadTheWholeLog() throws {
    let folder = try LogFolder()
    let line = String(repeating: "x", count: 99)
    let text = (0..<200_000).map { "2026-01-01T00:00:00.000000000Z stdout F \($0) \(line)" }.joined(separator: "\n")
    folder.write("web.log", text + "\n")
    func octetsRead() -> Int {
      let io = (try? String(decoding: Kernel.Files.read("/proc/thread-self/io") ?? [], as: UTF8.self)) ?? ""
      let words = io.split(whereSeparator: { $0 == " " || $0 == "\n" })
      return words.firstIndex(of: "rchar:").flatMap { Int(words[$0 + 1]) } ?? 0
    }
    let before = octetsRead()
    let entries = LogReader([folder.source("web")], .init(tail: 5)).readAll()
    #expect(entries.map(\.string) == (199_995..<200_000).map { "\($0) \(line)" })
    #expect(octetsRead() - before < 500_000)
  }
}
