/// An IPv6 network: `fd00:1::/64`. Bits beyond the length are zero.
public struct IPv6Prefix: Hashable, Comparable, Sendable {
  /// The network's own address.
  public let network: IPv6Address
  /// The number of leading bits that name the network: 0...128.
  public let length: Int

  /// All of the family's addresses: where a default route leads.
  public static let any = IPv6Prefix()

  private init() {
    network = .any
    length = 0
  }

  /// The network that holds an address; nil when the length is outside 0...128.
  public init?(containing address: IPv6Address, length: Int) {
    guard (0...128).contains(length) else { return nil }
    self.length = length
    self.network = Self.masked(address, length)
  }

  /// The last address.
  public var last: IPv6Address {
    let mask = Self.masked(IPv6Address(high: ~0, low: ~0), length)
    return IPv6Address(high: network.high | ~mask.high, low: network.low | ~mask.low)
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

extension IPv6Prefix {
  /// The first address after the network's own, which stands for any router (RFC 4291, 2.6.1).
  package var firstHost: IPv6Address { IPv6Address(high: network.high, low: network.low | 1) }
}
