/// Words with quotes, escapes and variables, as a Dockerfile has them. A shell's rules are near, and not the same.
struct ExpressionLexer {
  /// A problem, and the bytes of the text that it is about.
  struct Problem: Error {
    var message: String
    var range: Range<Int>
  }

  /// The rules by which the text is read.
  struct Mode {
    var escape = UInt8(ascii: "\\")
    /// Quotes stay in the result.
    var keepsQuotes = false
    /// Escape characters stay in the result.
    var keepsEscapes = false
    /// Quotes mean nothing.
    var ignoresQuotes = false
    /// A variable without a value stays as it is written.
    var keepsUnset = false
  }

  let mode: Mode
  let values: (String) -> String?
  private let bytes: [UInt8]
  private var position = 0
  /// Bytes that variables have brought.
  private var expanded = 0
  /// A value that is made of itself several times grows with each line. No program takes a longer one.
  private static let longest = 1 << 20
  /// The steps that patterns have taken. A pattern of many characters takes as many for each one of a value.
  private var effort = 0
  /// Names that had no value where the text gives none either.
  private(set) var unset: [(name: String, range: Range<Int>)] = []

  init(_ text: String, _ mode: Mode, values: @escaping (String) -> String?) {
    (self.bytes, self.mode, self.values) = (Array(text.utf8), mode, values)
  }

  /// The whole text as one word.
  mutating func word() throws(Problem) -> String {
    String(decoding: try read(until: nil, mode.keepsEscapes).text, as: UTF8.self)
  }

  /// The words between blanks. The blanks of a variable's value divide words, quoted ones do not.
  mutating func words() throws(Problem) -> [String] {
    try read(until: nil, mode.keepsEscapes).words.map { String(decoding: $0, as: UTF8.self) }
  }

  // MARK: - Text

  private mutating func read(
    until stop: UInt8?, _ keepsEscapes: Bool
  ) throws(Problem) -> (text: [UInt8], words: [[UInt8]]) {
    let start = position
    var text: [UInt8] = []
    var words = WordCollector()
    while let byte = peek {
      if byte == stop {
        position += 1
        return (text, words.finished)
      }
      switch byte {
      case UInt8(ascii: "$"):
        let value = try variable(keepsEscapes)
        text += value
        for byte in value { words.add(byte) }
      case UInt8(ascii: "<"):
        let head = heredocHead()
        text += head
        words.addQuoted(head)
      case UInt8(ascii: "'") where !mode.ignoresQuotes:
        let quoted = try singleQuoted()
        text += quoted
        words.addQuoted(quoted)
      case UInt8(ascii: "\"") where !mode.ignoresQuotes:
        let quoted = try doubleQuoted(keepsEscapes)
        text += quoted
        words.addQuoted(quoted)
      case mode.escape:
        position += 1
        if keepsEscapes {
          text.append(byte)
          words.addQuoted([byte])
        }
        guard let escaped = next() else { break }
        text.append(escaped)
        words.addQuoted([escaped])
      default:
        position += 1
        text.append(byte)
        words.add(byte)
      }
    }
    if let stop {
      throw Problem(
        message: "a \"\(Character(UnicodeScalar(stop)))\" is missing", range: max(0, start - 1)..<bytes.count)
    }
    return (text, words.finished)
  }

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func next() -> UInt8? {
    guard let byte = peek else { return nil }
    position += 1
    return byte
  }

  /// `<`, or `<<` with the blanks behind it, so that the name stays in one word with it.
  private mutating func heredocHead() -> [UInt8] {
    let start = position
    position += 1
    guard peek == UInt8(ascii: "<") else { return Array(bytes[start..<position]) }
    position += 1
    while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0D { position += 1 }
    return Array(bytes[start..<position])
  }

  // MARK: - Quotes

  private mutating func singleQuoted() throws(Problem) -> [UInt8] {
    let start = position
    guard let end = bytes[(start + 1)...].firstIndex(of: UInt8(ascii: "'")) else {
      throw Problem(message: "a single quote is not closed", range: start..<bytes.count)
    }
    position = end + 1
    return Array(mode.keepsQuotes ? bytes[start...end] : bytes[start + 1..<end])
  }

  private mutating func doubleQuoted(_ keepsEscapes: Bool) throws(Problem) -> [UInt8] {
    let start = position
    var text: [UInt8] = mode.keepsQuotes ? [bytes[start]] : []
    position += 1
    while let byte = peek {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return mode.keepsQuotes ? text + [byte] : text
      case UInt8(ascii: "$"):
        text += try variable(keepsEscapes)
      case mode.escape:
        position += 1
        if keepsEscapes { text.append(byte) }
        guard let escaped = peek else { break }
        if escaped == UInt8(ascii: "\"") || escaped == UInt8(ascii: "$") || escaped == mode.escape {
          position += 1
          text.append(escaped)
        } else {
          text.append(byte)
        }
      default:
        position += 1
        text.append(byte)
      }
    }
    throw Problem(message: "a double quote is not closed", range: start..<bytes.count)
  }

  // MARK: - Variables

  private mutating func variable(_ keepsEscapes: Bool) throws(Problem) -> [UInt8] {
    let start = position
    let value = try expansion(from: start)
    expanded += value.count
    guard expanded <= Self.longest else { throw Self.tooLong(start..<position) }
    return value
  }

  private static func tooLong(_ range: Range<Int>) -> Problem {
    Problem(message: "it comes to more than 1 MiB", range: range)
  }

  private mutating func expansion(from start: Int) throws(Problem) -> [UInt8] {
    position += 1
    guard peek == UInt8(ascii: "{") else {
      let name = variableName()
      guard !name.isEmpty else { return [UInt8(ascii: "$")] }
      return plainValue(of: name, from: start)
    }
    position += 1
    let name = variableName()
    guard !name.isEmpty else {
      throw Problem(message: "\"${\" is not followed by a name", range: start..<min(position + 1, bytes.count))
    }
    switch next() {
    case UInt8(ascii: "}"):
      return plainValue(of: name, from: start)
    case UInt8(ascii: "/"):
      return try replacement(in: name, from: start)
    case UInt8(ascii: ":"):
      guard let sign = next(), "+-?".utf8.contains(sign) else { throw unknownOperator(from: start) }
      return try choice(name, sign, emptyIsUnset: true, from: start)
    case let sign? where "+-?".utf8.contains(sign):
      return try choice(name, sign, emptyIsUnset: false, from: start)
    case let sign? where sign == UInt8(ascii: "#") || sign == UInt8(ascii: "%"):
      return try trimming(of: name, sign, from: start)
    case nil:
      throw Problem(message: "a \"}\" is missing", range: start..<bytes.count)
    default:
      throw unknownOperator(from: start)
    }
  }

  private func unknownOperator(from start: Int) -> Problem {
    Problem(
      message: "the operator of \"${…}\" is not one of :- - :+ + :? ? # ## % %% / //", range: start..<position)
  }

  /// A name, a number, or one of the shell's special parameters.
  private mutating func variableName() -> String {
    guard let first = peek else { return "" }
    let start = position
    if first.isDigit {
      while let byte = peek, byte.isDigit { position += 1 }
    } else if "@*#?-$!".utf8.contains(first) {
      position += 1
    } else {
      while let byte = peek, byte.isNamePart { position += 1 }
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func plainValue(of name: String, from start: Int) -> [UInt8] {
    if let value = values(name) { return Array(value.utf8) }
    unset.append((name, start..<position))
    return mode.keepsUnset ? Array(bytes[start..<position]) : []
  }

  /// `:-`, `-`, `:+`, `+`, `:?` and `?`.
  private mutating func choice(
    _ name: String, _ sign: UInt8, emptyIsUnset: Bool, from start: Int
  ) throws(Problem) -> [UInt8] {
    let word = try read(until: UInt8(ascii: "}"), false).text
    let value = values(name)
    if value == nil, mode.keepsUnset { return Array(bytes[start..<position]) }
    let isSet = value.map { !(emptyIsUnset && $0.isEmpty) } ?? false
    switch sign {
    case UInt8(ascii: "-"): return isSet ? Array((value ?? "").utf8) : word
    case UInt8(ascii: "+"): return isSet ? word : []
    default:
      guard !isSet else { return Array((value ?? "").utf8) }
      let reason = word.isEmpty ? (value == nil ? "is not set" : "is empty") : String(decoding: word, as: UTF8.self)
      throw Problem(message: "\(name): \(reason)", range: start..<position)
    }
  }

  /// `#`, `##`, `%` and `%%`.
  private mutating func trimming(of name: String, _ sign: UInt8, from start: Int) throws(Problem) -> [UInt8] {
    let isLongest = peek == sign
    if isLongest { position += 1 }
    let pattern = try pattern(until: UInt8(ascii: "}"), from: start)
    guard let value = values(name) else { return plainValue(of: name, from: start) }
    try spend(pattern.effort(on: value), from: start)
    let trimmed =
      sign == UInt8(ascii: "#")
      ? pattern.removingPrefix(of: value, longest: isLongest) : pattern.removingSuffix(of: value, longest: isLongest)
    return Array(trimmed.utf8)
  }

  /// `/` and `//`.
  private mutating func replacement(in name: String, from start: Int) throws(Problem) -> [UInt8] {
    let isEach = peek == UInt8(ascii: "/")
    if isEach { position += 1 }
    let pattern = try pattern(until: UInt8(ascii: "/"), from: start)
    let word = try read(until: UInt8(ascii: "}"), true).text
    guard let value = values(name) else { return plainValue(of: name, from: start) }
    // At most, it stands between any two characters.
    guard !isEach || (value.utf8.count + 1) * (word.count + 1) <= 16 * Self.longest else {
      throw Self.tooLong(start..<position)
    }
    try spend(pattern.effort(on: value), from: start)
    return Array(pattern.replacing(in: value, with: String(decoding: word, as: UTF8.self), each: isEach).utf8)
  }

  /// Patterns take as many steps in all as it takes to go through the longest value 16 times.
  private mutating func spend(_ steps: Int, from start: Int) throws(Problem) {
    effort += steps
    guard effort <= 16 * Self.longest else {
      throw Problem(
        message: "matching its patterns takes too long: pattern times value is more than 16 Mi characters",
        range: start..<position)
    }
  }

  private mutating func pattern(until stop: UInt8, from start: Int) throws(Problem) -> ShellPattern {
    let word = String(decoding: try read(until: stop, true).text, as: UTF8.self)
    guard let pattern = ShellPattern(word) else {
      throw Problem(
        message: "in the pattern \"\(word)\" a backslash may stand before *, ?, }, / and a backslash only",
        range: start..<position)
    }
    return pattern
  }
}

/// Words as they come out of text, byte by byte.
private struct WordCollector {
  private var words: [[UInt8]] = []
  private var word: [UInt8] = []

  mutating func add(_ byte: UInt8) {
    if !byte.isBlank { return word.append(byte) }
    if !word.isEmpty { words.append(word) }
    word = []
  }

  /// Blanks in these bytes divide nothing.
  mutating func addQuoted(_ bytes: [UInt8]) { word += bytes }

  var finished: [[UInt8]] { word.isEmpty ? words : words + [word] }
}
