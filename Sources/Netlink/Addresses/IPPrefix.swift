/// An IPv4 network in CIDR notation (RFC 4632): `10.0.0.0/24`. Bits beyond the length are zero.
public struct IPv4Prefix: Hashable, Comparable, Sendable {
  /// The network's own address.
  public let network: IPv4Address
  /// How many leading bits are the network's: 0...32.
  public let length: Int

  /// The network that holds an address; nil when the length is outside 0...32.
  public init?(containing address: IPv4Address, length: Int) {
    guard (0...32).contains(length) else { return nil }
    self.length = length
    self.network = IPv4Address(bits: address.bits & Self.mask(length))
  }

  /// The last address, which is the broadcast address where there is one.
  public var last: IPv4Address { IPv4Address(bits: network.bits | ~Self.mask(length)) }

  public func contains(_ address: IPv4Address) -> Bool {
    address.bits & Self.mask(length) == network.bits
  }

  public func overlaps(_ other: IPv4Prefix) -> Bool {
    contains(other.network) || other.contains(network)
  }

  private static func mask(_ length: Int) -> UInt32 {
    length == 0 ? 0 : ~0 << UInt32(32 - length)
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.network, left.length) < (right.network, right.length)
  }
}

extension IPv4Prefix: LosslessStringConvertible {
  /// Reads `address/length`; set bits beyond the length are refused, so that a typing error is not silently rounded.
  public init?(_ description: String) {
    let parts = description.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPv4Address(String(parts[0])), let length = decimalLength(parts[1]),
      let prefix = Self(containing: address, length: length), prefix.network == address
    else { return nil }
    self = prefix
  }

  public var description: String { "\(network)/\(length)" }
}

extension IPv4Prefix: Codable {
  public init(from decoder: any Decoder) throws { self = try decoder.decodeText() }
  public func encode(to encoder: any Encoder) throws { try encoder.encodeText(self) }
}

/// An IPv6 network: `fd00:1::/64`. Bits beyond the length are zero.
public struct IPv6Prefix: Hashable, Comparable, Sendable {
  /// The network's own address.
  public let network: IPv6Address
  /// How many leading bits are the network's: 0...128.
  public let length: Int

  /// The network that holds an address; nil when the length is outside 0...128.
  public init?(containing address: IPv6Address, length: Int) {
    guard (0...128).contains(length) else { return nil }
    self.length = length
    self.network = Self.masked(address, length)
  }

  public func contains(_ address: IPv6Address) -> Bool {
    Self.masked(address, length) == network
  }

  public func overlaps(_ other: IPv6Prefix) -> Bool {
    contains(other.network) || other.contains(network)
  }

  private static func masked(_ address: IPv6Address, _ length: Int) -> IPv6Address {
    func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? ~0 : ~0 << UInt64(64 - bits) }
    return IPv6Address(high: address.high & mask(length), low: address.low & mask(length - 64))
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.network, left.length) < (right.network, right.length)
  }
}

extension IPv6Prefix: LosslessStringConvertible {
  /// Reads `address/length`; set bits beyond the length are refused.
  public init?(_ description: String) {
    let parts = description.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let address = IPv6Address(String(parts[0])), let length = decimalLength(parts[1]),
      let prefix = Self(containing: address, length: length), prefix.network == address
    else { return nil }
    self = prefix
  }

  public var description: String { "\(network)/\(length)" }
}

extension IPv6Prefix: Codable {
  public init(from decoder: any Decoder) throws { self = try decoder.decodeText() }
  public func encode(to encoder: any Encoder) throws { try encoder.encodeText(self) }
}

/// A prefix length in plain decimal: no sign, no leading zero, at most three digits.
private func decimalLength(_ text: Substring) -> Int? {
  guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
    text.utf8.count == 1 || text.utf8.first != 0x30
  else { return nil }
  return Int(text)
}
