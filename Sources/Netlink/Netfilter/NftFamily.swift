import CNetfilter

/// The packets that a table sees (nft(8), ADDRESS FAMILIES).
public enum NftFamily: UInt8, Hashable, Sendable {
  /// IPv4 and IPv6.
  case inet = 1
  case ip = 2
  case netdev = 5
  case bridge = 7
  case ip6 = 10

  /// As nft writes it.
  public var rendered: String {
    switch self {
    case .inet: "inet"
    case .ip: "ip"
    case .netdev: "netdev"
    case .bridge: "bridge"
    case .ip6: "ip6"
    }
  }

  /// True if its packets may be of a protocol that a match on IPv4 or IPv6 fields must rule out first.
  package var isMixed: Bool { self != .ip && self != .ip6 }
}
