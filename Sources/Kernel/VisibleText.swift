/// Text of somebody else's as it may stand on a terminal: file names, process titles, log lines. What would move the cursor, colour
/// what follows or set the window's title is shown in caret notation, as cat -v has it: ESC as `^[`.
public enum VisibleText {
  /// All of it on one line.
  public static func line(_ text: some StringProtocol) -> String { shown(text, keeping: ["\t"]) }

  /// Lines stay lines.
  public static func lines(_ text: some StringProtocol) -> String { shown(text, keeping: ["\t", "\n"]) }

  /// A line's bytes, which need not be UTF-8.
  public static func line(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    let bytes = Array(bytes)
    if bytes.allSatisfy(isPlain) { return bytes }
    return Array(line(String(decoding: bytes, as: UTF8.self)).utf8)
  }

  /// JSON, whose encoders leave what is beyond ASCII as it is.
  public static func json(_ text: String) -> String {
    if text.utf8.allSatisfy({ isPlain($0) || $0 == 0x0A }) { return text }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if scalar.isASCII ? scalar.value != 0x7F : isSafe(scalar) {
        shown.append(scalar)
      } else {
        shown += escape("\\u", scalar, "").unicodeScalars
      }
    }
    return String(shown)
  }

  /// Most text is of nothing else.
  private static func isPlain(_ byte: UInt8) -> Bool { (0x20..<0x7F).contains(byte) || byte == 0x09 }

  private static func shown(_ text: some StringProtocol, keeping kept: Set<Unicode.Scalar>) -> String {
    if text.utf8.allSatisfy(isPlain) { return String(text) }
    var shown = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      if kept.contains(scalar) || isSafe(scalar) {
        shown.append(scalar)
      } else {
        shown += name(of: scalar).unicodeScalars
      }
    }
    return String(shown)
  }

  /// False for what a terminal obeys, and for what rearranges the text beside it.
  public static func isSafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: false
    // Bidirectional overrides rearrange what stands beside them. Joiners shape letters and emoji.
    case .format: scalar == "\u{200C}" || scalar == "\u{200D}"
    default: true
    }
  }

  private static func name(of scalar: Unicode.Scalar) -> String {
    switch scalar.value {
    case ..<0x20, 0x7F: "^\(character(scalar.value ^ 0x40))"
    // Eight-bit controls stand for ESC and the character 0x40 before (ECMA-48, 5.3).
    case 0x80..<0xA0: "^[\(character(scalar.value - 0x40))"
    default: escape("<U+", scalar, ">")
    }
  }

  private static func character(_ value: UInt32) -> Character { Character(Unicode.Scalar(value) ?? "?") }

  private static func escape(_ before: String, _ scalar: Unicode.Scalar, _ after: String) -> String {
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return before + String(repeating: "0", count: max(4 - digits.count, 0)) + digits + after
  }
}
