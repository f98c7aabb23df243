/// An IPv4 network in CIDR notation (RFC 4632): `10.0.0.0/24`. Bits beyond the length are zero.
public struct IPv4Prefix: Hashable, Comparable, Sendable {
  /// The network's own address.
  public let network: IPv4Address
  /// The number of leading bits that name the network: 0...32.
  public let length: Int

  /// All of the family's addresses: where a default route leads.
  public static let any = IPv4Prefix()

  private init() {
    network = .any
    length = 0
  }

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

  /// True for a range within this one, and for this one itself.
  public func contains(_ other: IPv4Prefix) -> Bool { length <= other.length && contains(other.network) }

  private static func mask(_ length: Int) -> UInt32 {
    length == 0 ? 0 : ~0 << UInt32(32 - length)
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.network, left.length) < (right.network, right.length)
  }
}

extension IPv4Prefix {
  /// 0.0.0.0/0: all addresses.
  public static let everything = IPv4Prefix(network: .any, length: 0)
  /// 127.0.0.0/8 (RFC 1122, 3.2.1.3).
  public static let loopback = IPv4Prefix(network: IPv4Address(bits: 127 << 24), length: 8)
  /// 169.254.0.0/16 (RFC 3927). No router forwards packets to it, by section 7.
  public static let linkLocal = IPv4Prefix(network: IPv4Address(bits: 0xA9FE_0000), length: 16)

  private init(network: IPv4Address, length: Int) {
    self.network = network
    self.length = length
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

/// A prefix length in plain decimal: no sign, no leading zero, at most three digits.
func decimalLength(_ text: Substring) -> Int? {
  guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
    text.utf8.count == 1 || text.utf8.first != 0x30
  else { return nil }
  return Int(text)
}
