public import Netlink

/// Everything that should exist for one stack, with every name, address and number chosen.
///
/// A pure value: computed from the stack file and the facts of the host, recorded before the first effect, and
/// compared with its successor when the file changes.
public struct DesiredStack: Codable, Hashable, Sendable {
  /// The stack's name: the prefix of all that it owns on the host.
  public var name: String
  /// The first stack file, as an absolute path: for messages.
  public var file: String
  public var networks: [DesiredNetwork]
  /// Services with their replicas expanded; a service stands after those that it depends on.
  public var services: [DesiredService]
  @Sparse public var volumes: [DesiredVolume]
  /// The device group of the host's ends of all veth pairs, by which they can be deleted in one request.
  public var linkGroup: UInt32
  /// Who may talk to whom.
  @Sparse public var policy = StackPolicy()
  @Sparse public var links: [DesiredLink] = []
  /// Further bridges of networks with more services than one takes.
  @Sparse public var segments: [DesiredSegment] = []
  /// Services of other stacks on the same networks. They come and go without anything here being made anew.
  @Sparse public var neighbours: [StackNeighbour] = []
  /// Whether its ports are held to their own addresses. Those of a stack that an earlier release brought up are not, until its next `up`.
  @Sparse public var guardsPorts = false
  /// nil when no services are cut off from each other by hand.
  public var partition: Partition?

  public func service(named name: String) -> DesiredService? {
    services.first { $0.name == name }
  }

  /// Whether it has such a link, whatever befalls packets on it.
  func hasLink(_ link: DesiredLink) -> Bool { links.contains { $0.unshaped == link.unshaped } }

  /// Those that the stack makes and removes itself.
  var ownNetworks: [DesiredNetwork] { networks.filter { $0.owner == nil } }

  public func network(named name: String) -> DesiredNetwork? {
    networks.first { $0.name == name }
  }
}

/// A place in a stack file, for messages at run time: `web.stack:9`.
///
/// All places are equal: a thing that is declared on another line is still the same thing.
public struct SourceLine: Codable, Hashable, Sendable, CustomStringConvertible {
  public var description: String

  public init(_ description: String) {
    self.description = description
  }

  public init(from decoder: any Decoder) throws {
    description = try decoder.singleValueContainer().decode(String.self)
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  public static func == (left: Self, right: Self) -> Bool { true }
  public func hash(into hasher: inout Hasher) {}
}

/// A network: one bridge with a subnet.
public struct DesiredNetwork: Codable, Hashable, Sendable {
  /// Its key in the stack file.
  public var name: String
  /// The bridge's name on the host: at most 15 bytes.
  public var bridge: String
  public var mac: MACAddress
  public var subnet: IPv4Prefix
  /// The bridge's own address, and the default route of the services.
  public var gateway: IPv4Address
  /// No way out: neither a default route nor masquerading.
  @Sparse public var isInternal: Bool
  public var declaredAt: SourceLine?
  /// The largest packet in octets, where it is not the kernel's own choice.
  public var mtu: UInt32?
  /// The stack whose network it is, when that is another one: then it is neither made nor removed here.
  public var owner: String?
  /// The link of the host that the services' interfaces are on, of a macvlan network: it has no bridge.
  public var parent: String?
  /// What joins its bridge to another host's, of a vxlan network.
  public var tunnel: DesiredTunnel?
  /// The VLANs that its bridge tells apart; none where frames have no tags.
  @Sparse public var vlans: [DesiredVLAN] = []
  /// The name in the file, when it is another than the key: other stacks find the network by it.
  public var givenName: String?
  /// nil on a network of IPv4 alone.
  public var ipv6: IPv6?

  /// What a network with IPv6 has beside the rest.
  public struct IPv6: Codable, Hashable, Sendable {
    public var subnet: IPv6Prefix
    /// The bridge's own address, and the default route of the services.
    public var gateway: IPv6Address
  }
}

/// Who of another stack is on one of this stack's networks, for the files of names.
public struct StackNeighbour: Codable, Hashable, Sendable {
  /// The network's name in this stack.
  public var network: String
  public var address: IPAddress
  public var names: [String]
}

/// A named volume: a folder that outlives its services.
public struct DesiredVolume: Codable, Hashable, Sendable {
  public var name: String
  /// The folder on the host.
  public var folder: String
}
