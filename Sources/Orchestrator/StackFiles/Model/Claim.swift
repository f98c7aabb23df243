import Addresses

extension StackFile {
  /// What a service may send as on a network beside its own addresses.
  package enum Claim: Sendable, Hashable, CustomStringConvertible {
    /// One address, or any of a range.
    case prefix(IPPrefix)
    case hardware(MACAddress)
    /// A question for an address, before it has one.
    case dhcp
    /// As whoever is nobody else of the stack: the service bridges.
    case any

    package var description: String {
      switch self {
      case .prefix(let prefix): prefix.isSingle ? "\(prefix.network)" : "\(prefix)"
      case .hardware(let address): address.description
      case .dhcp: "dhcp"
      case .any: "any"
      }
    }
  }
}
