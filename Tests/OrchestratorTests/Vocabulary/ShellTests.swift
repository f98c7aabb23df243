import TestSupport
import Vocabulary
import Testing

/// Quoting: a word, a comment or a here-document stays one, whatever bytes it contains.
@Suite struct ShellTests {
  private static let words = [
    "plain", "", "a b", "it's", "$HOME", "a\nb", "\n", "a\n", "-x=1:2,3@4%5+6", "ä", "*", "\\", "\\n", "\"", "~",
    "`id`",
    "$(touch x)", "a\tb", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{2028}", "\r", "'\n'", "\\\n\\'", "!x", "EOF",
    "\nEOF\ntouch x\n",
    "#", "a #b", "{a,b}", "é\u{301}\n", "'\u{301}; touch y '\u{301}", "\r\nEOF\r\n",
  ]

  /// Runs text as a file, as `bash plan.sh` does.
  private func run(_ text: String) throws -> (output: String, status: Int32) {
    let folder = try TemporaryFolder()
    try folder.write("plan.sh", text)
    return shell("cd \(folder.path) && bash -e plan.sh && ls")
  }

  @Test(arguments: words) func aWordIsReadBack(_ word: String) throws {
    let quoted = Shell.quoted(word)
    #expect(!quoted.contains("\n") && !quoted.unicodeScalars.contains { $0.value < 0x20 })
    #expect(try run("printf '[%s]\\n' \(quoted)").output == "[\(word)]\nplan.sh\n")
  }

  @Test func plainWordsStayAsTheyAre() {
    #expect(Shell.quoted("a-b_c/d.e") == "a-b_c/d.e")
    #expect(Shell.words(["a", "b c"]) == "a 'b c'")
  }

  @Test(arguments: words) func aCommentEndsWithItsLine(_ word: String) throws {
    #expect(try run("\(Shell.comment("a\(word)touch y"))\n").output == "plan.sh\n")
  }

  @Test(arguments: words) func aTextThatIsFedIsReadBack(_ word: String) throws {
    let text = "\(word)\nEOF\n\(word)EOFF\n$HOME `id`\n"
    #expect(try run("\(Shell.feed("cat", text))\n").output == "\(text)plan.sh\n")
  }
}
