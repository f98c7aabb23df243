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
  /// The rules about which services may reach which.
  @Sparse package var policy = StackPolicy()
  @Sparse package var links: [DesiredLink] = []
  /// Further bridges of networks with more services than one takes.
  @Sparse package var segments: [DesiredSegment] = []
  /// Services of other stacks on the same networks. They come and go without anything here being made anew.
  @Sparse package var neighbours: [StackNeighbour] = []
  /// True if its ports are held to their own addresses. Those of a stack that an earlier release brought up are not,
  /// until its next `up`.
  @Sparse package var guardsPorts = false
  /// The release of the guards on its ports. `up` gives a stack with an older one the current guards, and restarts nobody.
  package var guardRevision: Int?
  /// True if services find all others of the stack by name, and not only those of their own networks.
  @Sparse package var namesWholeStack = false
  /// Places in the host's table of connections, of which each service has a share; nil if nobody looked.
  package var connectionTable: Int?
  /// nil when no services are cut off from each other by hand.
  package var partition: Partition?

  /// Counts up with each change of what stands at a port itself. 2: ports take no ARP in. 3: addresses
  /// of other networks.
  package static let currentGuardRevision = 3

  /// The number of tracked connections that each service may have opened at a time: one in 32 of the host's table.
  package var connectionShare: UInt32 {
    UInt32(clamping: max(Self.leastConnections, (connectionTable ?? Self.usualConnectionTable) / 32))
  }

  private static let leastConnections = 1024
  /// nf_conntrack_max of a host with 4 GB of memory and more.
  private static let usualConnectionTable = 262_144

  /// False for a stack of an earlier release.
  package var hasCurrentGuards: Bool { guardsPorts && guardRevision == Self.currentGuardRevision }

  /// The highest device group that ip(8) takes: rtnl_group_a2n reads a signed number.
  package static let highestLinkGroup: UInt32 = 0x7fff_ffff

  package func service(named name: String) -> DesiredService? {
    services.first { $0.name == name }
  }

  /// True if it has such a link, whatever its delay, loss and rate.
  package func hasLink(_ link: DesiredLink) -> Bool { links.contains { $0.unshaped == link.unshaped } }

  /// The networks that the stack makes and removes itself.
  package var ownNetworks: [DesiredNetwork] { networks.filter { $0.owner == nil } }

  package init(
    name: String, file: String, networks: [DesiredNetwork], services: [DesiredService], volumes: [DesiredVolume],
    linkGroup: UInt32, policy: StackPolicy = StackPolicy(), links: [DesiredLink] = [], segments: [DesiredSegment] = [],
    neighbours: [StackNeighbour] = [], guardsPorts: Bool = false, guardRevision: Int? = nil,
    connectionTable: Int? = nil, partition: Partition? = nil
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
    self.guardRevision = guardRevision
    self.connectionTable = connectionTable
    self.partition = partition
  }

  package func network(named name: String) -> DesiredNetwork? {
    networks.first { $0.name == name }
  }
}

/// A service of another stack on one of this stack's networks, for /etc/hosts and the name server.
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
  /// The name that other stacks know it by too. nil for a volume of this stack alone.
  package var sharedName: String?
  /// True if it must be there already, and stays whatever happens to the stack.
  @Sparse package var isExternal = false
  /// The file system that is mounted at the folder; nil for the folder itself.
  package var mounted: MountedFileSystem?

  package init(name: String, folder: String) {
    self.name = name
    self.folder = folder
  }

  /// A file system as mount(8) takes it.
  package struct MountedFileSystem: Codable, Hashable, Sendable {
    package var type: String
    package var device: String
    package var options: String

    package init(type: String, device: String, options: String) {
      (self.type, self.device, self.options) = (type, device, options)
    }
  }
}
