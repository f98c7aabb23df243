import Intent
import Netfilter

/// The terms of nftables for the addresses of a family.
extension AddressFamily {
  var type: NftType { self == .v4 ? .ipv4Address : .ipv6Address }
  var source: NftField { self == .v4 ? .ipSource : .ip6Source }
  var destination: NftField { self == .v4 ? .ipDestination : .ip6Destination }

  func value(_ range: AddressRange) -> NftValue {
    range.first == range.last ? .address(address(range.first)) : .addresses(address(range.first), address(range.last))
  }
}
