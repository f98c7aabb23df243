import Testing

@testable import Kernel

@Suite struct VisibleTextTests {
  @Test(arguments: [
    ("plain text\twith a tab", "plain text\twith a tab"),
    ("gr\u{F6}\u{DF}er \u{2713} \u{1F468}\u{200D}\u{1F469}", "gr\u{F6}\u{DF}er \u{2713} \u{1F468}\u{200D}\u{1F469}"),
    ("\u{1B}]0;title\u{07}\u{1B}[31mred", "^[]0;title^G^[[31mred"),
    ("over\rwritten\u{08}\u{7F}\u{0}", "over^Mwritten^H^?^@"),
    // Eight-bit CSI, OSC and ST.
    ("\u{9B}31m\u{9D}0;t\u{9C}", "^[[31m^[]0;t^[\\"),
    ("two\nlines\u{2028}three\u{85}", "two^Jlines<U+2028>three^[E"),
    ("user\u{202E}gnp.exe", "user<U+202E>gnp.exe"),
  ])
  func nothingInALineIsObeyed(_ text: String, _ shown: String) {
    #expect(VisibleText.line(text) == shown)
    #expect(VisibleText.line(Array(text.utf8)) == Array(shown.utf8))
  }

  @Test func linesStayLines() {
    #expect(VisibleText.lines("error: a\n  b\u{1B}c") == "error: a\n  b^[c")
  }

  @Test func whatIsNoTextIsReplaced() {
    #expect(VisibleText.line([0x61, 0x9B, 0x62] as [UInt8]) == Array("a\u{FFFD}b".utf8))
  }

  @Test func jsonStaysJSON() {
    #expect(
      VisibleText.json("{\n  \"a\": \"\u{F6}\u{9B}\u{7F}\u{202E}\"\n}")
        == "{\n  \"a\": \"\u{F6}\\u009B\\u007F\\u202E\"\n}")
  }
}
