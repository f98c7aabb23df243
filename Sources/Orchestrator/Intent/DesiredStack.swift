import Addresses
import Vocabulary

/// Everything that should exist for one stack, with every name, address and number chosen.
///
/// A pure value: computed from the stack file and the facts of the host, recorded before the first effect, and
/// compared with its successor when the file changes.
package struct DesiredStack: Codable, Hashable, Sendable {
  /// The stack's name: the prefix of all that it owns on the host.
  package var name: String
  /// The first stack file, as an absolute path: for messages.
  package var file: String
  package var networks: [DesiredNetwork]
  /// Services with their replicas expanded; a service stands after those that it depends on.
  package var services: [DesiredService]
  @Sparse package var volumes: [DesiredVolume]
  /// The device group of the host's ends of all veth pairs, by which they can be deleted in one request.
  package var linkGroup: UInt32
  /// Who may talk to whom.
  @Sparse package var policy = StackPolicy()
  @Sparse package var links: [DesiredLink] = []
  /// Further bridges of networks with more services than one takes.
  @Sparse package var segments: [DesiredSegment] = []
  /// Services of other stacks on the same networks. They come and go without anything here being made anew.
  @Sparse package var neighbours: [StackNeighbour] = []
  /// Whether its ports are held to their own addresses. Those of a stack that an earlier release brought up are not, until its next `up`.
  @Sparse package var guardsPorts = false
  /// nil when no services are cut off from each other by hand.
  package var partition: Partition?

  /// The highest device group that ip(8) takes: rtnl_group_a2n reads a signed number.
  package static let highestLinkGroup: UInt32 = 0x7fff_ffff

  package func service(named name: String) -> DesiredService? {
    services.first { $0.name == name }
  }

  /// Whether it has such a link, whatever befalls packets on it.
  package func hasLink(_ link: DesiredLink) -> Bool { links.contains { $0.unshaped == link.unshaped } }

  /// Those that the stack makes and removes itself.
  package var ownNetworks: [DesiredNetwork] { networks.filter { $0.owner == nil } }

  package init(
    name: String, file: String, networks: [DesiredNetwork], services: [DesiredService], volumes: [DesiredVolume],
    linkGroup: UInt32, policy: StackPolicy = StackPolicy(), links: [DesiredLink] = [], segments: [DesiredSegment] = [],
    neighbours: [StackNeighbour] = [], guardsPorts: Bool = false, partition: Partition? = nil
  ) {
    self.name = name
    self.file = file
    self.networks = networks
    self.services = services
    self.volumes = volumes
    self.linkGroup = linkGroup
    self.policy = policy
    self.links = links
    self.segments = segments
    self.neighbours = neighbours
    self.guardsPorts = guardsPorts
    self.partition = partition
  }

  package func network(named name: String) -> DesiredNetwork? {
    networks.first { $0.name == name }
  }
}

/// A network: one bridge with a subnet.
package struct DesiredNetwork: Codable, Hashable, Sendable {
  /// Its key in the stack file.
  package var name: String
  /// The bridge's name on the host: at most 15 bytes.
  package var bridge: String
  package var mac: MACAddress
  package var subnet: IPv4Prefix
  /// The bridge's own address, and the default route of the services.
  package var gateway: IPv4Address
  /// No way out: neither a default route nor masquerading.
  @Sparse package var isInternal: Bool
  package var declaredAt: SourceLine?
  /// The largest packet in octets, where it is not the kernel's own choice.
  package var mtu: UInt32?
  /// The stack whose network it is, when that is another one: then it is neither made nor removed here.
  package var owner: String?
  /// The link of the host that the services' interfaces are on, of a macvlan network: it has no bridge.
  package var parent: String?
  /// What joins its bridge to another host's, of a vxlan network.
  package var tunnel: DesiredTunnel?
  /// The VLANs that its bridge tells apart; none where frames have no tags.
  @Sparse package var vlans: [DesiredVLAN] = []
  /// The name in the file, when it is another than the key: other stacks find the network by it.
  package var givenName: String?
  /// nil on a network of IPv4 alone.
  package var ipv6: IPv6?

  /// Whether its links can have IPv6 at all: it takes packets of 1,280 octets (RFC 8200, 5).
  package var canCarryIPv6: Bool { mtu.map { $0 >= 1280 } ?? true }

  package init(
    name: String, bridge: String, mac: MACAddress, subnet: IPv4Prefix, gateway: IPv4Address, isInternal: Bool,
    declaredAt: SourceLine? = nil, mtu: UInt32? = nil, owner: String? = nil, parent: String? = nil,
    tunnel: DesiredTunnel? = nil, vlans: [DesiredVLAN] = [], givenName: String? = nil, ipv6: IPv6? = nil
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
    self.parent = parent
    self.tunnel = tunnel
    self.vlans = vlans
    self.givenName = givenName
    self.ipv6 = ipv6
  }

  /// What a network with IPv6 has beside the rest.
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

/// Who of another stack is on one of this stack's networks, for the files of names.
package struct StackNeighbour: Codable, Hashable, Sendable {
  /// The network's name in this stack.
  package var network: String
  package var address: IPAddress
  package var names: [String]

  package init(network: String, address: IPAddress, names: [String]) {
    self.network = network
    self.address = address
    self.names = names
  }
}

/// A named volume: a folder that outlives its services.
package struct DesiredVolume: Codable, Hashable, Sendable {
  package var name: String
  /// The folder on the host.
  package var folder: String

  package init(name: String, folder: String) {
    self.name = name
    self.folder = folder
  }
}
