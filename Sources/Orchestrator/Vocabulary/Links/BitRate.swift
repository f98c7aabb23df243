/// Bits a second. Units are powers of 1,000, as everywhere with links.
package struct BitRate: Codable, Hashable, Comparable, Sendable {
  package var bitsPerSecond: UInt64

  init(bitsPerSecond: UInt64) {
    self.bitsPerSecond = bitsPerSecond
  }

  package init(from decoder: any Decoder) throws {
    bitsPerSecond = try decoder.singleValueContainer().decode(UInt64.self)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(bitsPerSecond)
  }

  package static func < (left: BitRate, right: BitRate) -> Bool { left.bitsPerSecond < right.bitsPerSecond }
}

extension BitRate: CustomStringConvertible {
  package enum Problem: Error {
    case malformed
    case missingUnit
    /// tc's `mbps`, which is octets and which many take for bits.
    case octets(bits: String)
    case unknownUnit(String)
    case outOfRange
  }

  /// The rates that a queue accepts here. Below the least, a single packet would take seconds.
  package static let range = BitRate(bitsPerSecond: 1000)...BitRate(bitsPerSecond: 1_000_000_000_000)

  private static let units: [(name: String, bits: UInt64)] = [
    ("bit", 1), ("kbit", 1000), ("mbit", 1_000_000), ("gbit", 1_000_000_000), ("tbit", 1_000_000_000_000),
  ]

  /// From `10mbit`, `1.5gbit`, `64kbit`; capitals do not matter.
  package init(parsing text: String) throws(Problem) {
    let number = text.prefix { $0 == "." || $0.isASCII && $0.isNumber }
    let unit = text.dropFirst(number.count).lowercased()
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }), let whole = UInt64(parts[0]) else {
      throw .malformed
    }
    guard !unit.isEmpty else { throw .missingUnit }
    if let prefix = ["bps", "kbps", "mbps", "gbps", "tbps"].first(where: { $0 == unit })?.dropLast(3) {
      throw .octets(bits: "\(number)\(prefix)bit")
    }
    guard let size = Self.units.first(where: { $0.name == unit })?.bits else { throw .unknownUnit(unit) }
    var (bits, isTooLarge) = whole.multipliedReportingOverflow(by: size)
    guard !isTooLarge else { throw .outOfRange }
    var scale = size
    for digit in parts.count == 2 ? parts[1] : "" {
      scale /= 10
      bits += UInt64(digit.wholeNumberValue ?? 0) * scale
    }
    self.init(bitsPerSecond: bits)
    guard Self.range.contains(self) else { throw .outOfRange }
  }

  /// In the largest unit that it is a whole number of: `10mbit`, `1500kbit`.
  package var description: String {
    let unit = Self.units.last { bitsPerSecond >= $0.bits && bitsPerSecond % $0.bits == 0 } ?? Self.units[0]
    return "\(bitsPerSecond / unit.bits)\(unit.name)"
  }
}
