import Intent
import Netfilter

/// Neighbour discovery, which counts only from the same link (RFC 4861, 7.1). Routers take one off the hop limit.
func neighbourDiscovery(_ types: ClosedRange<UInt8>) -> [NftMatch] {
  [.field(.hopLimit, .hopLimit(255)), .anyOf(.icmpv6Type, types.map { .icmpType($0) })]
}

/// The terms of nftables for the addresses of a family.
extension AddressFamily {
  var type: NftType { self == .v4 ? .ipv4Address : .ipv6Address }
  var source: NftField { self == .v4 ? .ipSource : .ip6Source }
  var destination: NftField { self == .v4 ? .ipDestination : .ip6Destination }

  var quotedType: NftType { self == .v4 ? .quotedAddress : .neighbourTarget }
  var quotedDestination: NftField { self == .v4 ? .quotedDestination : .quotedDestination6 }

  /// The ICMP types that connection tracking treats as errors.
  ///
  /// For ICMP these are the types in nf_conntrack_icmpv4_error, for ICMPv6 all below 128 (nf_conntrack_icmpv6_error).
  var icmpErrors: NftMatch {
    self == .v4
      ? .anyOf(.icmpType, [3, 4, 11, 12].map { .icmpType($0) }) : .field(.icmpv6Type, .icmpTypes(0...127))
  }

  /// A range of addresses inside the packet that an ICMP error quotes.
  func quoted(_ range: AddressRange) -> NftValue {
    switch (address(range.first), address(range.last)) {
    case (.v4(let first), .v4(let last)): .quoted(first, last)
    case (.v6(let first), .v6(let last)): .neighbours(first, last)
    default: value(range)
    }
  }

  func value(_ range: AddressRange) -> NftValue {
    range.first == range.last ? .address(address(range.first)) : .addresses(address(range.first), address(range.last))
  }
}
