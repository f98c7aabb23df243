import FoundationEssentials
import ImageFormat

/// JSON for people and scripts: sorted keys, slashes as they are.
enum JSONText {
  /// One object on a line.
  static func line(_ value: some Encodable) -> String { text(value, []) }

  /// On several lines.
  static func pretty(_ value: some Encodable) -> String { text(value, .prettyPrinted) }

  /// On several lines, without the names that Swift gives to values of a case: `{"volume": "data"}`. Durations are in
  /// seconds.
  static func plain(_ value: some Encodable) -> String {
    let text = line(value)
    guard let tree = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) else { return text }
    return pretty(unwrapped(tree))
  }

  private static func unwrapped(_ value: JSONValue) -> JSONValue {
    switch value {
    case .object(let fields):
      if fields.count == 1, let only = fields["_0"] { return unwrapped(only) }
      return .object(
        Dictionary(
          uniqueKeysWithValues: fields.map { name, value in
            (name, durations.contains(name) ? seconds(value) ?? unwrapped(value) : unwrapped(value))
          }))
    case .list(let items): return .list(items.map(unwrapped))
    case .null, .bool, .integer, .number, .text: return value
    }
  }

  private static let durations: Set<String> = ["interval", "timeout", "startPeriod", "startInterval", "grace"]

  /// Swift writes a duration as the two halves of a number of attoseconds, of 64 bits each.
  private static func seconds(_ value: JSONValue) -> JSONValue? {
    guard case .list(let halves) = value, halves.count == 2, let high = number(halves[0]), let low = number(halves[1])
    else { return nil }
    let nanoseconds = (high * 0x1p64 / 1e9 + low / 1e9).rounded()
    return .number(nanoseconds / 1e9)
  }

  private static func number(_ value: JSONValue) -> Double? {
    switch value {
    case .integer(let number): Double(number)
    case .number(let number): number
    default: nil
    }
  }

  private static func text(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
    // Text, numbers and lists of them always encode.
    return (try? encoder.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }
}
