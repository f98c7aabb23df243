import Addresses
import Vocabulary

/// A stack as its file declares it: checked, interpolated and merged, with the place of everything that a later
/// stage may need to point at. Nothing is chosen yet that the file leaves open: addresses, free ports, ids.
package struct StackFile: Sendable, Equatable {
  /// From `name:`, else from the file's name: `[a-z0-9][a-z0-9_-]{0,62}`.
  package var name: Located<String>
  /// Absolute path of the folder of the first file. Relative paths in the files start here; in the model they are resolved.
  package var folder: String
  /// Absolute path of the file that gives the stack its name, which mostly is the only one.
  package var path: String { folder == "/" ? "/\(fileName)" : "\(folder)/\(fileName)" }
  private var fileName: String { Path.split(name.span.file.path).name }
  /// Every network that is declared, and `default` when some service names none.
  package var networks: NamedList<Network>
  package var volumes: NamedList<Volume>
  package var secrets = NamedList<FileSource>()
  package var configs = NamedList<FileSource>()
  /// Every service, whatever its profiles: see `activeServices(profiles:named:)`.
  package var services: NamedList<Service>
  /// In the order of the file: the first that is about a packet decides.
  package var policies: [Rule] = []
  /// The rules that `stack verify` must find true.
  package var expectations: [Rule] = []
  package var links: [Link] = []
  package var verification: Verification?
  /// The scope in which services find one another by name.
  package var names = NameScope.network

  package enum NameScope: String, Sendable, CaseIterable {
    /// Services find the others on their networks.
    case network
    /// Services find all others of the stack.
    case stack
  }
}

extension StackFile {
  /// The settings of `stack verify` for a stack whose network is changed by daemons or people.
  package struct Verification: Sendable, Equatable {
    /// True if predictions use the present state of the namespaces instead of the file.
    package var isLive = false
    /// The longest time that `up --verify` waits for two verifications in a row to agree. At most a day.
    package var settle: Duration?
  }
}

extension StackFile {
  /// A bridge that services attach to.
  package struct Network: Named, Sendable, Equatable {
    /// The key under `networks:`, which is how services refer to it.
    package var name: Located<String>
    /// `name:`, when the file gives it one other than its key.
    package var givenName: Located<String>?
    /// Nil: the allocator chooses. Length 8...30, unicast, and apart from the file's other subnets.
    package var subnet: Located<IPv4Prefix>?
    /// The bridge's own address, inside `subnet`. Nil: the first one.
    package var gateway: Located<IPv4Address>?
    /// The range of addresses for services without a fixed one, inside `subnet`. nil for the whole subnet.
    package var addressRange: Located<IPv4Prefix>?
    /// The largest packet in octets, on the bridge and on every interface: 68...65535. Nil: the kernel's 1500.
    package var mtu: Located<Int>?
    /// In the order of the file.
    package var vlans: [VLAN] = []
    /// The kind of network. nil for a bridge.
    package var driver: Located<Driver>?
    /// Of a macvlan network: the link of the host that its interfaces are on.
    package var parent: Located<String>?
    /// Of a vxlan network: its number, 1...16,777,215, the other host, this host's own address and the UDP port.
    package var tunnelID: Located<Int>?
    package var remote: Located<IPAddress>?
    package var local: Located<IPAddress>?
    package var tunnelPort: Located<Int>?
    /// The place where the file says that it is another stack's. nil for the stack's own.
    package var external: Span?
    /// The place where the file asks for IPv6 beside IPv4. Subnets and gateways of both may be left to be chosen.
    var ipv6: Located<Bool>?
    package var subnet6: Located<IPv6Prefix>?
    package var gateway6: Located<IPv6Address>?
    /// False: the host has no address in it.
    var host: Located<Bool>?
    /// No way out of the host and none in.
    package var isInternal = false
    /// Addresses that no service is given.
    package var reserved: [Located<IPv4Address>] = []
    /// True if its services do not reach each other.
    package var isolatesServices = false
    /// False: packets leave the host with the services' own addresses.
    package var masquerades = true
    /// The action on packets in it that no rule of `policies` matches.
    package var defaultAction = PolicyRule.Action.allow
    package var labels: [Label] = []
    /// It is not in the file: services that name no network share it.
    package var isImplicit = false

    init(name: Located<String>) { self.name = name }

    package enum Driver: String, Sendable, CaseIterable {
      /// A bridge on this host.
      case bridge
      /// Interfaces with hardware addresses of their own on a link of the host.
      case macvlan
      /// A bridge on this host, joined to one on another host.
      case vxlan
    }

    package var hasIPv6: Bool { ipv6?.value ?? false }

    /// True if the host has an address in it.
    package var hasHost: Bool { host?.value ?? true }
  }

  /// A folder that outlives the services that mount it.
  package struct Volume: Named, Sendable, Equatable {
    /// The key under `volumes:`, which is how services refer to it.
    package var name: Located<String>
    /// `name:`, when the file gives it one other than its key.
    package var givenName: Located<String>?
    /// The place where the file says that it is there already, and is not removed. Nil for the stack's own.
    package var external: Span?
    /// The file system that is mounted as the volume. Nil: a folder on the host's disk.
    package var mounted: VolumeSource?
    package var labels: [Label] = []

    init(name: Located<String>) { self.name = name }

    /// The name that all stacks know it by. Nil for a volume of this stack alone.
    package var sharedName: String? { givenName?.value ?? (external == nil ? nil : name.value) }
  }

  /// The file system of a volume, as mount(8) takes it: `driver_opts` of Docker's local driver.
  package struct VolumeSource: Sendable, Hashable {
    /// `none` for a folder of the host.
    package var type = "none"
    package var device = ""
    package var options = ""
  }

  package struct Label: Sendable, Hashable {
    package var name: Located<String>
    package var value: String
  }
}
