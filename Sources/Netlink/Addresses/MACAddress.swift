/// A 48-bit hardware address (IEEE 802), written `02:73:0a:00:00:02`.
public struct MACAddress: Hashable, Sendable {
  /// The address as a number: the first octet on the wire is the most significant.
  public let bits: UInt64

  /// Takes the lower 48 bits.
  public init(bits: UInt64) {
    self.bits = bits & 0xFFFF_FFFF_FFFF
  }

  /// The six octets as they travel.
  public var octets: [UInt8] {
    (0..<6).map { UInt8(truncatingIfNeeded: bits >> (40 - 8 * $0)) }
  }

  /// The group bit: such an address names no single interface.
  public var isMulticast: Bool { bits >> 40 & 1 == 1 }

  /// The link-local address of IPv6 that an interface makes of it (RFC 4291, appendix A).
  public var linkLocalAddress: IPv6Address {
    let identifier = (bits >> 24) << 40 | 0xFFFE << 24 | bits & 0xFF_FFFF
    return IPv6Address(high: 0xFE80 << 48, low: identifier ^ 0x0200 << 48)
  }
}

extension MACAddress: LosslessStringConvertible {
  /// Reads six octets of two hexadecimal digits, between colons.
  public init?(_ description: String) {
    let parts = description.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 6, parts.allSatisfy({ $0.utf8.count == 2 && $0.allSatisfy(\.isHexDigit) }) else { return nil }
    self.init(bits: parts.reduce(0) { $0 << 8 | (UInt64($1, radix: 16) ?? 0) })
  }

  public var description: String {
    octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
  }
}

extension MACAddress: Codable {
  public init(from decoder: any Decoder) throws { self = try decoder.decodeText() }
  public func encode(to encoder: any Encoder) throws { try encoder.encodeText(self) }
}
