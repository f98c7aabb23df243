/// A fraction, in parts per million: `1%` is 10,000.
package struct Share: Codable, Hashable, Comparable, Sendable {
  package var partsPerMillion: UInt32

  package static let none = Share(partsPerMillion: 0)
  package static let all = Share(partsPerMillion: 1_000_000)

  init(partsPerMillion: UInt32) {
    self.partsPerMillion = partsPerMillion
  }

  package init(from decoder: any Decoder) throws {
    partsPerMillion = try decoder.singleValueContainer().decode(UInt32.self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(partsPerMillion)
  }

  package static func < (left: Share, right: Share) -> Bool { left.partsPerMillion < right.partsPerMillion }
}

extension Share: CustomStringConvertible {
  package enum Problem: Error {
    case malformed
    case missingUnit
    /// Over 100 %.
    case tooLarge
    /// Below what can be told apart, 0.0001 %.
    case tooFine
  }

  /// From `1%` or `0.05%`.
  package init(parsing text: String) throws(Problem) {
    guard let sign = text.last else { throw .malformed }
    let number = sign == "%" ? text.dropLast() : Substring(text)
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(isDigit) }) else {
      throw .malformed
    }
    guard sign == "%" else { throw .missingUnit }
    guard let whole = UInt32(parts[0]), whole <= 100 else { throw .tooLarge }
    var decimals = parts.count == 2 ? parts[1] : ""
    while decimals.last == "0" { decimals.removeLast() }
    guard decimals.count <= 4 else { throw .tooFine }
    let fraction = UInt32(decimals + String(repeating: "0", count: 4 - decimals.count)) ?? 0
    let parsed = whole * 10_000 + fraction
    guard parsed <= Self.all.partsPerMillion else { throw .tooLarge }
    self.init(partsPerMillion: parsed)
  }

  /// `1%`, `0.05%`.
  package var description: String {
    var decimals = String(partsPerMillion % 10_000)
    decimals = String(repeating: "0", count: 4 - decimals.count) + decimals
    while decimals.last == "0" { decimals.removeLast() }
    return "\(partsPerMillion / 10_000)" + (decimals.isEmpty ? "" : ".\(decimals)") + "%"
  }
}

private func isDigit(_ octet: UInt8) -> Bool { (0x30...0x39).contains(octet) }
