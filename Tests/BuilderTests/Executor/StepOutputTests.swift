@testable import BuildExecutor
import Kernel
import Testing

@Suite struct StepOutputTests {
  private func lines(_ pieces: [String], secrets: [String] = []) -> [String] {
    var output = StepOutput(secrets: secrets.map { Array($0.utf8) })
    var lines: [String] = []
    for piece in pieces { output.take(Array(piece.utf8)) { lines.append($0) } }
    output.end { lines.append($0) }
    return lines
  }

  @Test func linesComeWholeHoweverTheirBytesCome() {
    #expect(lines(["on", "e\ntw", "o\n", "three"]) == ["one", "two", "three"])
    #expect(lines(["\n\nx\r\n"]) == ["", "", "x"])
  }

  @Test func aProgressBarIsItsLastState() {
    #expect(lines(["10%\r50%\r100%\n"]) == ["100%"])
  }

  @Test func secretsAreNotShownThoughTheyComeInPieces() {
    #expect(lines(["a hun", "ter2 b hunter2\n"], secrets: ["hunter2\n"]) == ["a *** b ***"])
    // A value of so few characters would be found in every word.
    #expect(lines(["abc\n"], secrets: ["b"]) == ["abc"])
  }

  @Test func aKeyOfManyLinesIsNotShown() {
    let key = "-----BEGIN KEY-----\nAAAABBBBCCCC\nDDDDEEEEFFFF\n-----END KEY-----\n"
    #expect(lines(["x\n" + key, "end\n"], secrets: [key]) == ["x", "***", "***", "***", "***", "end"])
  }

  @Test func aFloodOfEmptyLinesTakesNoLongerThanItsBytes() {
    var count = 0
    var output = StepOutput(secrets: [])
    for _ in 0..<4 { output.take([UInt8](repeating: 0x0A, count: 1 << 16)) { _ in count += 1 } }
    #expect(count == 4 << 16)
  }

  @Test func whatATerminalWouldObeyIsShown() {
    #expect(lines(["\u{1B}[2Jx\n"]) == ["^[[2Jx"])
  }

  @Test func theLastTwentyLinesAreKept() {
    var output = StepOutput(secrets: [])
    output.take(Array((1...30).map { "\($0)\n" }.joined().utf8)) { _ in }
    let last = output.last
    #expect(last == (11...30).map { "\($0)" })
  }

  @Test func whatAStepWritesWithoutEndIsCutAndItsLogHasMore() throws {
    let tree = try Tree()
    let path = "\(tree.path)/log"
    let line = String(repeating: "x", count: 99)
    let count = StepOutput.shownLimit / 100 + 5
    var lines: [String] = []
    var output = StepOutput(secrets: [], log: StepLog(path))
    for _ in 0..<count { output.take(Array("\(line)\n".utf8)) { lines.append($0) } }
    output.end { lines.append($0) }
    #expect(lines.count == count - 5 + 2)
    #expect(lines[lines.count - 2] == "… the step has written more than 2 MiB: the rest is not shown here: see \(path)")
    #expect(lines.last == "… 5 lines are not shown here: see \(path)")
    #expect(try Files.read(path)?.count == count * 100)
  }

  @Test func aLogEndsAtItsLimit() throws {
    let tree = try Tree()
    let path = "\(tree.path)/log"
    var log = StepLog(path)
    for _ in 0...(StepLog.limit >> 20) { log.write(String(repeating: "x", count: (1 << 20) - 1)) }
    let bytes = try #require(try Files.read(path, limit: 1 << 30))
    #expect(bytes.count < StepLog.limit + 100)
    #expect(String(decoding: bytes.suffix(70), as: UTF8.self).hasSuffix("more than 64 MiB: the rest is not kept\n"))
  }

  @Test func aStepWithoutOutputHasNoLog() throws {
    let tree = try Tree()
    let log = StepLog("\(tree.path)/log")
    #expect(log.path == nil)
    #expect(!Files.exists("\(tree.path)/log"))
  }
}
