import Addresses
import Vocabulary

/// A network: a subnet, and the links that carry its frames.
package struct DesiredNetwork: Hashable, Sendable {
  /// Its key in the stack file.
  package var name: String
  /// Names the network among all stacks, and the bridge on the host where ``Kind/hasBridge`` is true: at most 15 bytes.
  package var bridge: String
  package var mac: MACAddress
  package var subnet: IPv4Prefix
  /// The bridge's own address, and the default route of the services. On a network without the host it is a router's, and
  /// services have a default route only if the file names it.
  package var gateway: IPv4Address
  /// False if the host has no address in it (`host: false`): then nothing goes in or out but by services, and its subnet may be
  /// another network's too.
  package var hasHost = true
  /// No way out: neither a default route nor masquerading.
  package var isInternal: Bool
  /// False: packets leave the host with the services' own addresses.
  package var masquerades = true
  package var declaredAt: SourceLine?
  /// The largest packet in octets, where it is not the kernel's own choice.
  package var mtu: UInt32?
  /// The stack whose network it is, when that is another one: then it is neither made nor removed here.
  package var owner: String?
  package var kind: Kind
  /// The VLANs that its bridge tells apart; none where frames have no tags.
  package var vlans: [DesiredVLAN] = []
  /// The name in the file, when it is another than the key: other stacks find the network by it.
  package var givenName: String?
  /// nil on a network of IPv4 alone.
  package var ipv6: IPv6?

  /// True if its links can have IPv6 at all: they take packets of 1,280 octets (RFC 8200, 5).
  package var canCarryIPv6: Bool { mtu.map { $0 >= 1280 } ?? true }

  package init(
    name: String, bridge: String, mac: MACAddress, subnet: IPv4Prefix, gateway: IPv4Address, isInternal: Bool,
    declaredAt: SourceLine? = nil, mtu: UInt32? = nil, owner: String? = nil, kind: Kind = .bridge,
    vlans: [DesiredVLAN] = [], givenName: String? = nil, ipv6: IPv6? = nil
  ) {
    self.name = name
    self.bridge = bridge
    self.mac = mac
    self.subnet = subnet
    self.gateway = gateway
    self.isInternal = isInternal
    self.declaredAt = declaredAt
    self.mtu = mtu
    self.owner = owner
    self.kind = kind
    self.vlans = vlans
    self.givenName = givenName
    self.ipv6 = ipv6
  }

  /// The links that carry a network's frames (`driver:` in the file).
  package enum Kind: Hashable, Sendable {
    /// A bridge of this host.
    case bridge
    /// A bridge of this host, joined to another host's by a VXLAN.
    case vxlan(DesiredTunnel)
    /// A link of the host, with a macvlan interface on it for each service. Frames pass no bridge and no firewall.
    case macvlan(parent: String)

    package var hasBridge: Bool {
      switch self {
      case .bridge, .vxlan: true
      case .macvlan: false
      }
    }

    /// The link of the host that a macvlan network is on; nil for other kinds.
    package var parent: String? {
      if case .macvlan(let parent) = self { parent } else { nil }
    }

    /// The largest packet in octets; nil for the kernel's own choice.
    package var largestPacket: UInt32? {
      if case .vxlan(let tunnel) = self { tunnel.largestPacket } else { nil }
    }
  }

  package var hasBridge: Bool { kind.hasBridge }

  /// The VXLAN of a vxlan network; nil for other kinds.
  package var tunnel: DesiredTunnel? {
    if case .vxlan(let tunnel) = kind { tunnel } else { nil }
  }

  /// The addresses that a network with IPv6 has beside those of IPv4.
  package struct IPv6: Codable, Hashable, Sendable {
    package var subnet: IPv6Prefix
    /// The bridge's own address, and the default route of the services.
    package var gateway: IPv6Address

    package init(subnet: IPv6Prefix, gateway: IPv6Address) {
      self.subnet = subnet
      self.gateway = gateway
    }
  }
}
