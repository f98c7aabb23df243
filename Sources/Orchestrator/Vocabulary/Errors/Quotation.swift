/// Quotes a line of another program's output in a message. Control characters become spaces, so nothing moves a terminal's
/// cursor. A long line is cut.
package enum Quotation {
  /// Characters (Unicode's scalars) that are shown of a line.
  static let longestLine = 1000

  package static func line(_ text: some StringProtocol) -> String {
    var shown = String.UnicodeScalarView()
    for (place, character) in text.unicodeScalars.enumerated() {
      if place == longestLine {
        shown.append("…")
        break
      }
      shown.append(character.properties.generalCategory == .control ? " " : character)
    }
    return String(shown)
  }
}
