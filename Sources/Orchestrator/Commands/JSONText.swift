import FoundationEssentials

/// JSON for people and scripts: sorted keys, slashes as they are.
enum JSONText {
  /// One object on a line.
  static func line(_ value: some Encodable) -> String { text(value, []) }

  /// On several lines.
  static func pretty(_ value: some Encodable) -> String { text(value, .prettyPrinted) }

  private static func text(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
    // Text, numbers and lists of them always encode.
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
