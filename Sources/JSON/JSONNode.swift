/// One value of a text, or the key of an object's member.
///
/// The nodes of a text stand in one array, each before those within it. A key stands before its value.
struct JSONNode {
  enum Kind: UInt8 {
    case object, list, null, yes, no, number
    /// A string without escapes, and one with them.
    case plainText, escapedText
  }

  let kind: Kind
  /// The first byte of a number, or the one after a string's quote.
  let start: UInt32
  /// The byte after the last of a number, or a string's closing quote.
  let end: UInt32
  /// The node after this value and all within it.
  var after: UInt32
  /// In an object, the key at which the next search begins.
  var cursor: UInt32

  init(_ kind: Kind, from start: Int, to end: Int, at index: Int) {
    self.kind = kind
    self.start = UInt32(truncatingIfNeeded: start)
    self.end = UInt32(truncatingIfNeeded: end)
    after = UInt32(truncatingIfNeeded: index + 1)
    cursor = after
  }
}
