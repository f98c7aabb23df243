/// A network of either family in CIDR notation.
public enum IPPrefix: Hashable, Comparable, Sendable {
  case v4(IPv4Prefix)
  case v6(IPv6Prefix)

  /// The network that holds an address; nil when the length is more than the family has.
  public init?(containing address: IPAddress, length: Int) {
    switch address {
    case .v4(let address):
      guard let prefix = IPv4Prefix(containing: address, length: length) else { return nil }
      self = .v4(prefix)
    case .v6(let address):
      guard let prefix = IPv6Prefix(containing: address, length: length) else { return nil }
      self = .v6(prefix)
    }
  }

  /// `0.0.0.0/0`: where a default route leads.
  public static let anyV4 = IPPrefix.v4(.any)
  /// `::/0`.
  public static let anyV6 = IPPrefix.v6(.any)

  /// The network's own address.
  public var network: IPAddress {
    switch self {
    case .v4(let prefix): .v4(prefix.network)
    case .v6(let prefix): .v6(prefix.network)
    }
  }

  /// The number of leading bits that name the network.
  public var length: Int {
    switch self {
    case .v4(let prefix): prefix.length
    case .v6(let prefix): prefix.length
    }
  }

  public func contains(_ address: IPAddress) -> Bool {
    switch (self, address) {
    case (.v4(let prefix), .v4(let address)): prefix.contains(address)
    case (.v6(let prefix), .v6(let address)): prefix.contains(address)
    default: false
    }
  }
}

extension IPPrefix: LosslessStringConvertible {
  public init?(_ description: String) {
    if let prefix = IPv4Prefix(description) {
      self = .v4(prefix)
    } else if let prefix = IPv6Prefix(description) {
      self = .v6(prefix)
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .v4(let prefix): prefix.description
    case .v6(let prefix): prefix.description
    }
  }
}

extension IPPrefix: Codable {
  public init(from decoder: any Decoder) throws { self = try decoder.decodeText() }
  public func encode(to encoder: any Encoder) throws { try encoder.encodeText(self) }
}

extension IPPrefix {
  /// True for a range of one address.
  package var isSingle: Bool { length == network.octets.count * 8 }
}
