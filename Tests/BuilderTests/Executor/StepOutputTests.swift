@testable import BuildExecutor
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
    var (count, output) = (0, StepOutput(secrets: []))
    for _ in 0..<4 { output.take([UInt8](repeating: 0x0A, count: 1 << 16)) { _ in count += 1 } }
    #expect(count == 4 << 16)
  }

  @Test func whatATerminalWouldObeyIsShown() {
    #expect(lines(["\u{1B}[2Jx\n"]) == ["^[[2Jx"])
  }

  @Test func theLastTwentyLinesAreKept() {
    var output = StepOutput(secrets: [])
    output.take(Array((1...30).map { "\($0)\n" }.joined().utf8)) { _ in }
    #expect(output.last == (11...30).map { "\($0)" })
  }
}
