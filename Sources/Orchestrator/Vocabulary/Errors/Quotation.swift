/// What a program of somebody else's wrote, as it may stand in a message to a person: nothing in it moves a terminal's cursor,
/// and it takes no more than a few lines of one.
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
