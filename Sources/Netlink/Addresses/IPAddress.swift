/// An address of either family.
public enum IPAddress: Hashable, Comparable, Sendable {
  case v4(IPv4Address)
  case v6(IPv6Address)

  /// The octets, most significant first: four or sixteen.
  public var octets: [UInt8] {
    switch self {
    case .v4(let address): address.octets
    case .v6(let address): address.octets
    }
  }
}

extension IPAddress {
  /// As it stands before a colon and a port: an IPv6 address in brackets (RFC 3986, 3.2.2).
  public var beforePort: String {
    switch self {
    case .v4(let address): address.description
    case .v6(let address): "[\(address)]"
    }
  }

  /// The address that stands for all of its family.
  public var isWildcard: Bool { self == .v4(.any) || self == .v6(.any) }
}

extension IPAddress: LosslessStringConvertible {
  public init?(_ description: String) {
    if let address = IPv4Address(description) {
      self = .v4(address)
    } else if let address = IPv6Address(description) {
      self = .v6(address)
    } else {
      return nil
    }
  }

  public var description: String {
    switch self {
    case .v4(let address): address.description
    case .v6(let address): address.description
    }
  }
}

extension IPAddress: Codable {
  public init(from decoder: any Decoder) throws { self = try decoder.decodeText() }
  public func encode(to encoder: any Encoder) throws { try encoder.encodeText(self) }
}

extension IPAddress {
  package var isV4: Bool { if case .v4 = self { true } else { false } }

  /// True in fe80::/10 (RFC 4291, 2.5.6).
  package var isLinkLocal6: Bool { !isV4 && octets[0] == 0xfe && octets[1] & 0xc0 == 0x80 }
}
