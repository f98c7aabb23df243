import Fuzzing
import Glibc
import Testing
@testable import Logs

@Suite struct LogFuzzTests {
  private static let stamp = "2016-10-06T00:17:09.669794202Z"
  private static let seeds = [
    "\(stamp) stdout F one\n\(stamp) stdout P two\n\(stamp) stderr F three\n\(stamp) stdout F  and a half\n",
    "\(stamp) stdout F \n\(stamp) stderr P \n\(stamp) stdout F:tag x\n", "\n\n", "",
    "\(stamp) stdout P " + String(repeating: "x", count: 16_384) + "\n\(stamp) stdout F end\n",
  ].map { Array($0.utf8) }
  private static let words = [
    stamp, " stdout", " stderr", " F", " P", " F:x", " ", "\n", "\0", "é", "9999-99-99T99:99:99Z stdout F bad\n",
    "2016-10-06T00:17:09Z stdout F good\n", "1677-09-21T00:12:44Z stderr P old\n",
  ].map { Array($0.utf8) }

  /// Files of a log, damaged, with some of them missing or something else than files: reading ends, gives each line once, and the last
  /// lines are the last of all lines.
  @Test func damagedFilesAreReadToTheirEnd() throws {
    let folder = try LogFolder()
    let source = folder.source("web")
    try Fuzz.run(.log) { input in
      for name in folder.files { remove("\(folder.path)/\(name)") }
      var size = 0
      for number in 0..<Int.random(in: 1...5, using: &input.random) {
        let path = LogFile.path(folder.log("web"), number: number)
        switch Int.random(in: 0..<10, using: &input.random) {
        case 0: continue
        case 1: mkdir(path, 0o700)
        case 2: mkfifo(path, 0o600)
        case 3: symlink("/dev/zero", path)
        default:
          var bytes: [UInt8] = []
          for _ in 0..<Int.random(in: 1...4, using: &input.random) {
            bytes += input.mutant(of: Self.seeds, words: Self.words)
          }
          size += bytes.count
          folder.write(String(path.dropFirst(folder.path.utf8.count + 1)), bytes)
        }
      }
      let all = LogReader([source]).readAll()
      try #require(all.map { $0.text.count + 1 }.reduce(0, +) <= size)
      let count = Int.random(in: 0...6, using: &input.random)
      let last = LogReader([source], LogReader.Query(tail: count)).readAll()
      // A line that was begun long ago and never ended is the last of all, and not looked for that far back.
      try #require(last.map(\.text) == all.suffix(count).map(\.text) || all.contains(where: \.isPartial))
      let (one, other) = (all.randomElement(using: &input.random), all.randomElement(using: &input.random))
      let query = LogReader.Query(since: one?.time, until: other?.time)
      let some = LogReader([source], query).readAll()
      try #require(some.allSatisfy { $0.time >= (one?.time ?? $0.time) && $0.time <= (other?.time ?? $0.time) })
    }
  }

  /// Whatever is taken for a time is written and read as the same.
  @Test func anyTextIsATimeOrNone() throws {
    let seeds = [
      Self.stamp, "2024-05-01T12:00:00+02:00", "2024-05-01T12:00:00.5-00:30", "2024-05-01", "2024-05-01T12:30:15",
      "1h30m", "-1.5h", "300ms", "1700000000.25", "7ns",
    ].map { Array($0.utf8) }
    let words = ["-", "+", ":", ".", "T", "Z", "h", "ms", "µs", "9", "00"].map { Array($0.utf8) }
    let now = LogTime(nanoseconds: 1_000_000_000_000)
    try Fuzz.run(.logTime) { input in
      let bytes = input.mutant(of: seeds, words: words)
      if let time = LogTime(rfc3339: bytes) { try #require(LogTime(rfc3339: time.description.utf8) == time) }
      let text = String(decoding: bytes, as: UTF8.self)
      _ = LogTime(argument: text, now: now)
      _ = LogTime.nanoseconds(goDuration: text)
    }
  }
}
