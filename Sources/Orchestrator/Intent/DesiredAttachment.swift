import Addresses
import Vocabulary

/// A service's interface in a network.
package struct DesiredAttachment: Codable, Hashable, Sendable {
  package var network: String
  /// The interface's name inside: `eth0`.
  package var interface: String
  /// The name of the veth's end on the host: at most 15 bytes.
  package var link: String
  package var address: IPv4Address
  package var mac: MACAddress
  /// Further names by which services of this network find this one.
  @Sparse package var aliases: [String]
  /// True if the default route goes through this network.
  package var isDefaultRoute: Bool
  package var vlan: DesiredVLANMembership?
  /// The number of the further bridge of a large network that it is on; nil for the network's own.
  package var segment: Int?
  /// The link of the host that the interface is on, in a macvlan network: then there is no veth.
  package var parent: String?
  /// True on a network that the host has no address in.
  @Sparse package var isWithoutHost = false
  /// nil on a network of IPv4 alone.
  package var ipv6: IPv6?

  package struct IPv6: Codable, Hashable, Sendable {
    package var address: IPv6Address
    /// True if the default route of IPv6 goes through this network.
    package var isDefaultRoute = false

    package init(address: IPv6Address, isDefaultRoute: Bool = false) {
      self.address = address
      self.isDefaultRoute = isDefaultRoute
    }
  }

  /// Beside its own addresses: in the network's subnet or in another.
  @Sparse package var furtherAddresses: [DesiredAddress] = []

  /// nil for its own addresses alone.
  package var claims: AttachmentClaims?

  /// Delay, loss and rate on the link, as the file says; nil for none.
  package var conditions: LinkConditions?
  /// The change by hand while it was up; nil for none.
  package var override: LinkOverride?

  package init(
    network: String, interface: String, link: String, address: IPv4Address, mac: MACAddress, aliases: [String],
    isDefaultRoute: Bool, vlan: DesiredVLANMembership? = nil, segment: Int? = nil, parent: String? = nil,
    ipv6: IPv6? = nil, claims: AttachmentClaims? = nil, conditions: LinkConditions? = nil,
    override: LinkOverride? = nil
  ) {
    self.network = network
    self.interface = interface
    self.link = link
    self.address = address
    self.mac = mac
    self.aliases = aliases
    self.isDefaultRoute = isDefaultRoute
    self.vlan = vlan
    self.segment = segment
    self.parent = parent
    self.ipv6 = ipv6
    self.claims = claims
    self.conditions = conditions
    self.override = override
  }

  /// True if its interface is an end of a veth pair whose other end is a port of a bridge.
  package var isOnBridge: Bool { parent == nil }

  /// The conditions in force: those changed by hand, else those of the file.
  package var currentConditions: LinkConditions {
    (conditions ?? LinkConditions()).changed(by: override?.current)
  }

  package var isSetDown: Bool { override?.current.isDown ?? false }

  /// The attachment without what can change while the service runs.
  var unshaped: DesiredAttachment {
    var bare = self
    (bare.conditions, bare.override, bare.claims) = (nil, nil, nil)
    bare.furtherAddresses = []
    return bare
  }
}
