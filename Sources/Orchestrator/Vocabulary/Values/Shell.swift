import Kernel

/// The language of bash(1), as far as a plan is written in it.
///
/// Names and texts of a stack file become single words here: nothing of them ends a comment, a word or a here-document.
package enum Shell {
  /// A word as bash reads it back, on one line.
  package static func quoted(_ word: String) -> String {
    if isPlain(word) { return word }
    guard word.unicodeScalars.contains(where: isControl) else {
      // By scalars: a quotation mark with an accent on it is one character of Swift's, and a mark all the same.
      return "'\(word.unicodeScalars.map { $0 == "'" ? #"'\''"# : String($0) }.joined())'"
    }
    return "$'\(word.unicodeScalars.map(escaped).joined())'"
  }

  package static func words(_ words: [String]) -> String { words.map(quoted).joined(separator: " ") }

  /// A line for people: whatever stands in the text, the comment ends with the line.
  package static func comment(_ text: String) -> String {
    "# " + String(String.UnicodeScalarView(text.unicodeScalars.map { isControl($0) ? " " : $0 }))
  }

  /// A command that reads a text, as a here-document without expansions.
  ///
  /// - Parameter text: ends with a line feed.
  package static func feed(_ command: String, _ text: String) -> String {
    let lines = Set(text.utf8.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) })
    var delimiter = "EOF"
    while lines.contains(delimiter) { delimiter += "F" }
    return "\(command) <<'\(delimiter)'\n\(text)\(delimiter)"
  }

  /// Lines as they stand in a block of another command.
  package static func indented(_ lines: [String]) -> [String] {
    // The lines of a here-document and of its end stand where they are.
    lines.map { $0.contains("\n") ? $0 : "  \($0)" }
  }

  /// True for a word in which a shell expands nothing.
  package static func isPlain(_ word: String) -> Bool {
    !word.isEmpty
      && word.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "/._-+=:,@%".utf8.contains(byte)
        }
      }
  }

  /// Plans are printed on terminals too.
  private static func isControl(_ scalar: Unicode.Scalar) -> Bool { !VisibleText.isSafe(scalar) }

  /// A character within $'…' (bash(1), "QUOTING").
  private static func escaped(_ scalar: Unicode.Scalar) -> String {
    switch scalar {
    case "\n": return #"\n"#
    case "\t": return #"\t"#
    case "\r": return #"\r"#
    case "'": return #"\'"#
    case "\\": return #"\\"#
    default:
      guard isControl(scalar) else { return String(scalar) }
      return String(scalar).utf8.map { byte in
        let digits = String(byte, radix: 16)
        return #"\x"# + (digits.utf8.count == 1 ? "0" : "") + digits
      }.joined()
    }
  }
}
