import StackFiles

/// One instruction as a single line, and the place in the file of each of its bytes.
struct LogicalLine {
  var file: SourceFile
  var bytes: [UInt8] = []
  /// For each byte its offset in the file.
  var offsets: [Int] = []
  /// Where the line ends in the file, without its line break.
  var end = 0

  mutating func append(_ range: Range<Int>) {
    bytes += file.bytes[range]
    offsets += range
    end = range.upperBound
  }

  /// The stretch of the file from the first of some bytes to the last. Empty at the end for no bytes.
  func span(_ range: Range<Int>) -> Span {
    guard range.lowerBound < offsets.count else { return Span(file, end..<end) }
    let start = offsets[range.lowerBound]
    return Span(file, start..<(range.isEmpty ? start : offsets[range.upperBound - 1] + 1))
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  func expression(_ range: Range<Int>) -> UnexpandedText { UnexpandedText(text(range), span(range)) }

  /// A range without blanks at its ends.
  func trimmed(_ range: Range<Int>) -> Range<Int> {
    var (start, end) = (range.lowerBound, range.upperBound)
    while start < end, bytes[start].isBlank { start += 1 }
    while end > start, bytes[end - 1].isBlank { end -= 1 }
    return start..<end
  }

  /// The stretches between blanks.
  func words(in range: Range<Int>) -> [Range<Int>] {
    var words: [Range<Int>] = []
    var start: Int?
    for place in range {
      if bytes[place].isBlank {
        if let first = start { words.append(first..<place) }
        start = nil
      } else if start == nil {
        start = place
      }
    }
    if let first = start { words.append(first..<range.upperBound) }
    return words
  }
}

extension UInt8 {
  /// White space of ASCII.
  var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }

  var isDigit: Bool { (0x30...0x39).contains(self) }

  /// A letter of ASCII, a digit or an underscore.
  var isNamePart: Bool {
    isDigit || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self) || self == UInt8(ascii: "_")
  }
}
