import Addresses
import Intent

/// The facts that one stack needs of this host. `HostFacts.observe(_:)` answers it.
package struct HostQuestion: Hashable, Sendable {
  /// The stack that is chosen for. Its own links, tables and ranges are in nobody's way, so they are left out.
  package var stack: String
  /// The device group of its links, if it has any: a link that is just being made has no alias yet.
  package var linkGroup: UInt32?
  /// The names of its links, if it is up.
  package var links: Set<String> = []
  /// The host's addresses on its networks, if it is up.
  package var gateways: [IPAddress] = []
  /// The pools that new subnets come from.
  package var pools: [IPv4Prefix]
  /// The folders with the records of other stacks.
  package var folders: StateFolders
  /// Paths of the host that its services see.
  package var paths: Set<String> = []
  /// Ports whose listening process is looked up. That takes a walk through /proc.
  package var ports: Set<UInt16> = []
  /// Links of the host that its networks are on.
  package var parents: Set<String> = []
  /// Links of the host that its cables end at.
  package var hostLinks: Set<String> = []
  /// True if it joins networks of other stacks, so that these and their members are read.
  package var joinsNetworks = false
  /// True if it has volumes by names that other stacks know too.
  package var joinsVolumes = false
  /// True if it needs netem, so that the kernel is tried for it.
  package var needsEmulator = false
  /// True if it has VLANs, so that the kernel's bridges are tried for them.
  package var hasVLANs = false

  package init(stack: String, pools: [IPv4Prefix], folders: StateFolders) {
    self.stack = stack
    self.pools = pools
    self.folders = folders
  }
}
