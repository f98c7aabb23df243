/// Reads `.env` and `env_file:` files as Compose does: `NAME=value` lines, quotes, escapes, comments and variables.
struct EnvironmentFileReader {
  let source: SourceFile
  /// The variables for values, before those that the file itself has set.
  let variables: Variables
  /// The service's own variables so far, which come before all others: those of `environment:` and of earlier files.
  var earlier: [String: String] = [:]
  let diagnostics: DiagnosticList
  private let growth = Growth()

  /// The bytes of all values: one that is made of itself several times grows with each line.
  private final class Growth {
    var size = 0
  }

  typealias Assignment = (name: Located<String>, value: String?)

  /// A name without `=` has no value: it takes the caller's.
  func assignments() -> [Assignment] {
    var scanner = Scanner(bytes: source.bytes)
    var assignments: [Assignment] = []
    var values: [String: String] = [:]
    while scanner.skipToStatement() {
      guard let name = name(&scanner) else {
        scanner.skipLine()
        continue
      }
      var assignment: Assignment = (name, nil)
      if scanner.takeSign() {
        guard let value = value(&scanner, values) else {
          scanner.skipLine()
          continue
        }
        assignment.value = value
        values[name.value] = value
      }
      assignments.append(assignment)
    }
    return assignments
  }

  /// `format: raw`: everything after the first `=` is the value, as it is.
  func raw() -> [Assignment] {
    (1...source.lineCount).compactMap { line in
      let range = source.range(ofLine: line)
      let bytes = source.bytes[range]
      guard let first = bytes.first(where: { $0 != 0x20 && $0 != 0x09 }), first != UInt8(ascii: "#") else { return nil }
      let sign = bytes.firstIndex(of: UInt8(ascii: "="))
      let nameRange = range.lowerBound..<(sign ?? range.upperBound)
      guard !nameRange.isEmpty else {
        report("a line has no name before the =", at: range.lowerBound..<range.lowerBound + 1)
        return nil
      }
      let value = sign.map { String(decoding: bytes[($0 + 1)...], as: UTF8.self) }
      return (Located(String(decoding: bytes[nameRange], as: UTF8.self), Span(source, nameRange)), value)
    }
  }

  private func name(_ scanner: inout Scanner) -> Located<String>? {
    if scanner.takeWord("export") { scanner.skipBlanks() }
    let start = scanner.place
    while let byte = scanner.next, !Scanner.isBlank(byte),
      ![0x0A, 0x0D, UInt8(ascii: "="), UInt8(ascii: ":")].contains(byte)
    {
      guard Scanner.isNameByte(byte) else {
        report(
          "the name of a variable is made of letters, digits, _ . and -", at: scanner.place..<scanner.place + 1)
        return nil
      }
      scanner.place += 1
    }
    let range = start..<scanner.place
    guard !range.isEmpty else {
      report("a line has no name before the =", at: start..<start + 1)
      return nil
    }
    let name = Located(String(decoding: source.bytes[range], as: UTF8.self), Span(source, range))
    scanner.skipBlanks()
    if let byte = scanner.next, ![0x0A, 0x0D, UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "#")].contains(byte) {
      report("a name is followed by something other than =", at: scanner.place..<scanner.place + 1)
      return nil
    }
    return name
  }

  private func value(_ scanner: inout Scanner, _ values: [String: String]) -> String? {
    scanner.skipBlanks()
    let start = scanner.place
    switch scanner.next {
    case UInt8(ascii: "'"), UInt8(ascii: "\""):
      let quote = source.bytes[start]
      guard let content = scanner.takeQuoted() else {
        report("a quote is not closed", at: start..<start + 1)
        return nil
      }
      scanner.skipLine()
      if quote == UInt8(ascii: "'") { return String(decoding: Self.withoutEscapedQuotes(content), as: UTF8.self) }
      return expand(Self.unescaped(content), values, start..<scanner.place)
    default:
      let content = scanner.takeUnquoted()
      scanner.skipLine()
      return expand(String(decoding: content, as: UTF8.self), values, start..<max(start, start + content.count))
    }
  }

  private func expand(_ text: String, _ values: [String: String], _ range: Range<Int>) -> String? {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
    let span = Span(source, range)
    do {
      guard growth.size <= Template.sizeLimit else { return nil }
      let outcome = try Template(text).expanded { earlier[$0] ?? variables[$0] ?? values[$0] }
      growth.size += outcome.size
      guard growth.size <= Template.sizeLimit else {
        diagnostics.add(
          Diagnostic(
            .tooManyNodes, "the values are larger than \(Template.sizeLimit >> 20) MiB once variables are expanded",
            at: span))
        return nil
      }
      if let missing = outcome.missing {
        let message = missing.message.isEmpty ? "" : ": \(missing.message)"
        diagnostics.add(
          Diagnostic(
            .missingVariable, "required variable \(missing.variable.name) is missing a value\(message)", at: span))
        return nil
      }
      for variable in outcome.unset {
        diagnostics.add(
          Diagnostic(.unsetVariable, "the variable \(variable.name) is not set and counts as empty", at: span))
      }
      return outcome.text
    } catch {
      diagnostics.add(Diagnostic(.badInterpolation, error.words, at: span, help: [error.help]))
      return nil
    }
  }

  /// Inside single quotes, a backslash means something before a single quote only.
  private static func withoutEscapedQuotes(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
    var result: [UInt8] = []
    for byte in bytes {
      if byte == UInt8(ascii: "'"), result.last == UInt8(ascii: "\\") { result.removeLast() }
      result.append(byte)
    }
    return result
  }

  /// Backslashes inside double quotes; one before anything else stays.
  private static func unescaped(_ bytes: ArraySlice<UInt8>) -> String {
    let meanings: [UInt8: [UInt8]] = [
      UInt8(ascii: "n"): [0x0A], UInt8(ascii: "r"): [0x0D], UInt8(ascii: "t"): [0x09], UInt8(ascii: "a"): [0x07],
      UInt8(ascii: "b"): [0x08], UInt8(ascii: "f"): [0x0C], UInt8(ascii: "v"): [0x0B], UInt8(ascii: "\""): [0x22],
      UInt8(ascii: "\\"): [0x5C], UInt8(ascii: "$"): [0x24, 0x24],
    ]
    var result: [UInt8] = []
    var rest = bytes
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), let escaped = rest.first, let meaning = meanings[escaped] {
        result += meaning
        rest.removeFirst()
      } else {
        result.append(byte)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  private func report(_ message: String, at range: Range<Int>) {
    let range = range.clamped(to: 0..<source.bytes.count)
    diagnostics.add(
      Diagnostic(
        .badEnvironmentFile, message, at: Span(source, range), help: ["a line is NAME=value, or # and a comment"]))
  }
}

/// A place in the bytes of an environment file.
private struct Scanner {
  let bytes: [UInt8]
  var place = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  var next: UInt8? { place < bytes.count ? bytes[place] : nil }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"), 0x80...:
      true
    default: false
    }
  }

  mutating func skipBlanks() {
    while let byte = next, Self.isBlank(byte) { place += 1 }
  }

  mutating func skipLine() {
    while let byte = next, byte != 0x0A, byte != 0x0D { place += 1 }
  }

  /// False at the end of the file.
  mutating func skipToStatement() -> Bool {
    while let byte = next {
      if byte == UInt8(ascii: "#") {
        skipLine()
      } else if Self.isBlank(byte) || byte == 0x0A || byte == 0x0D {
        place += 1
      } else {
        return true
      }
    }
    return false
  }

  /// `export` and a blank.
  mutating func takeWord(_ word: String) -> Bool {
    let letters = Array(word.utf8)
    let end = place + letters.count
    guard end < bytes.count, bytes[place..<end].elementsEqual(letters), Self.isBlank(bytes[end]) else { return false }
    place = end
    return true
  }

  /// `=`, or `:` as in YAML.
  mutating func takeSign() -> Bool {
    guard let byte = next, byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":") else { return false }
    place += 1
    return true
  }

  /// Takes the text between two quotes, which may be lines apart. nil when the second is missing.
  mutating func takeQuoted() -> ArraySlice<UInt8>? {
    let quote = bytes[place]
    let start = place + 1
    var end = start
    while end < bytes.count {
      if bytes[end] == quote {
        place = end + 1
        return bytes[start..<end]
      }
      // A quote after a backslash is no end, in single quotes too.
      end += bytes[end] == UInt8(ascii: "\\") ? 2 : 1
    }
    return nil
  }

  /// Up to the end of the line or to a comment, which begins with # after a blank. A # that comes first is the value's.
  mutating func takeUnquoted() -> ArraySlice<UInt8> {
    let start = place
    var end = start
    while end < bytes.count, bytes[end] != 0x0A, bytes[end] != 0x0D {
      if bytes[end] == UInt8(ascii: "#"), end > start, Self.isBlank(bytes[end - 1]) { break }
      end += 1
    }
    place = end
    while end > start, Self.isBlank(bytes[end - 1]) { end -= 1 }
    return bytes[start..<end]
  }
}
