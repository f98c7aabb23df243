import Addresses

extension StackFile {
  /// A part of a network that frames leave only through a trunk.
  package struct VLAN: Sendable, Equatable {
    /// 2...4094: 1 is where untagged frames are.
    package var id: Located<Int>
    /// Nil: services in it have addresses of the network's own subnet.
    package var subnet: Located<IPv4Prefix>?
    /// The router's address, which is the default route of the services in it. Nil: they have none through this network.
    package var gateway: Located<IPv4Address>?
  }

  /// The VLANs that a service's interface is in.
  package enum VLANMembership: Sendable, Hashable {
    /// One, whose tag the service never sees.
    case access(Located<Int>)
    /// Several, with an interface for each beside the untagged one.
    case trunk([TrunkVLAN])
  }

  package struct TrunkVLAN: Sendable, Hashable {
    package var id: Located<Int>
    package var address: Located<IPv4Address>?
  }
}
