import Addresses

extension StackFile {
  /// A grant to send from other addresses than one's own on a network.
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
