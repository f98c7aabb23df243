/// The two ways in which a Dockerfile's line is cut into words.
struct WordSplitter {
  let line: LogicalLine
  let escape: UInt8

  /// A flag, `--name=value`, before an instruction's arguments.
  struct Flag {
    var name: String
    /// Nil without `=`. Without its quotes and escapes.
    var value: String?
    var range: Range<Int>
    var valueRange: Range<Int>
  }

  /// The quotes around the text at some place.
  private struct Quotes {
    private var sign: UInt8?

    var areOpen: Bool { sign != nil }
    var areSingle: Bool { sign == UInt8(ascii: "'") }

    /// True for a byte that opens or closes quotes.
    mutating func take(_ byte: UInt8) -> Bool {
      if byte == sign {
        sign = nil
      } else if sign == nil, byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") {
        sign = byte
      } else {
        return false
      }
      return true
    }
  }

  /// The flags at the start of a range, and the range of what follows.
  func flags(in range: Range<Int>) -> (flags: [Flag], rest: Range<Int>) {
    var flags: [Flag] = []
    var place = range.lowerBound
    while true {
      while place < range.upperBound, line.bytes[place].isBlank { place += 1 }
      guard place + 1 < range.upperBound, line.bytes[place] == UInt8(ascii: "-"),
        line.bytes[place + 1] == UInt8(ascii: "-")
      else { break }
      let start = place
      let text = flagText(from: &place, to: range.upperBound)
      if text == Array("--".utf8) { break }
      flags.append(flag(text, start..<place))
    }
    return (flags, line.trimmed(place..<range.upperBound))
  }

  private func flag(_ text: [UInt8], _ range: Range<Int>) -> Flag {
    let equals = text.firstIndex(of: UInt8(ascii: "="))
    let name = String(decoding: text[2..<(equals ?? text.count)], as: UTF8.self)
    let value = equals.map { String(decoding: text[($0 + 1)...], as: UTF8.self) }
    let valueStart = line.bytes[range].firstIndex(of: UInt8(ascii: "=")).map { $0 + 1 } ?? range.upperBound
    return Flag(name: name, value: value, range: range, valueRange: valueStart..<range.upperBound)
  }

  /// One word without its quotes and escapes.
  private func flagText(from place: inout Int, to end: Int) -> [UInt8] {
    var text: [UInt8] = []
    var quotes = Quotes()
    while place < end {
      let byte = line.bytes[place]
      if !quotes.areOpen, byte.isBlank { break }
      place += 1
      if quotes.take(byte) { continue }
      if byte == escape {
        guard place < end else { break }
        text.append(line.bytes[place])
        place += 1
      } else {
        text.append(byte)
      }
    }
    return text
  }

  /// Words between blanks that are neither quoted nor escaped. Quotes and escapes stay in them.
  func words(in range: Range<Int>) -> [Range<Int>] {
    var words: [Range<Int>] = []
    var place = range.lowerBound
    while true {
      while place < range.upperBound, line.bytes[place].isBlank { place += 1 }
      guard place < range.upperBound else { return words }
      let start = place
      var quotes = Quotes()
      while place < range.upperBound {
        let byte = line.bytes[place]
        if !quotes.areOpen, byte.isBlank { break }
        place += 1
        if !quotes.take(byte), byte == escape, !quotes.areSingle, place < range.upperBound { place += 1 }
      }
      words.append(start..<place)
    }
  }
}
