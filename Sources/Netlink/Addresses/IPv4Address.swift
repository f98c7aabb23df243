import Glibc

/// An IPv4 address (RFC 791), written in dotted decimal.
public struct IPv4Address: Hashable, Comparable, Sendable {
  /// The address as a number in host byte order: 10.0.0.1 is 0x0A00_0001.
  public var bits: UInt32

  public init(bits: UInt32) {
    self.bits = bits
  }

  /// The four octets, most significant first, as they travel.
  public var octets: [UInt8] {
    [
      UInt8(truncatingIfNeeded: bits >> 24), UInt8(truncatingIfNeeded: bits >> 16),
      UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits),
    ]
  }

  public static let any = IPv4Address(bits: 0)
  public static let loopback = IPv4Address(bits: 0x7F00_0001)

  /// In 127.0.0.0/8 (RFC 1122, 3.2.1.3).
  public var isLoopback: Bool { bits >> 24 == 127 }

  public static func < (left: Self, right: Self) -> Bool { left.bits < right.bits }
}

extension IPv4Address: LosslessStringConvertible {
  /// Reads four decimal octets; leading zeros, short forms and spaces are refused, as by inet_pton(3).
  public init?(_ description: String) {
    var address = in_addr()
    guard !description.utf8.contains(0), inet_pton(AF_INET, description, &address) == 1 else { return nil }
    self.init(bits: UInt32(bigEndian: address.s_addr))
  }

  public var description: String {
    octets.map(String.init).joined(separator: ".")
  }
}

extension IPv4Address: Codable {
  public init(from decoder: any Decoder) throws { self = try decoder.decodeText() }
  public func encode(to encoder: any Encoder) throws { try encoder.encodeText(self) }
}
