import Testing
@testable import Vocabulary

@Suite struct QuotationTests {
  @Test func nothingInALineMovesTheCursor() {
    #expect(Quotation.line("a\u{1B}[2Jb\r\t\u{9B}1mc\u{7F}d") == "a [2Jb   1mc d")
    #expect(Quotation.line("größer ✓") == "größer ✓")
  }

  @Test func aLongLineIsCut() {
    let limit = Quotation.longestLine
    #expect(Quotation.line(String(repeating: "x", count: limit)).count == limit)
    #expect(Quotation.line(String(repeating: "x", count: 1 << 20)) == String(repeating: "x", count: limit) + "…")
  }
}
