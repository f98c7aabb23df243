import Addresses
import Isolation
import Vocabulary

/// One running instance of a service: a replica counts as one of its own.
package struct DesiredService: Codable, Hashable, Sendable {
  /// The instance's name, unique in the stack: `web1`, or `web-2` for the second replica of `web`.
  package var name: String
  /// The service's key in the stack file: the same for all replicas.
  package var service: String
  /// The number of the replica, from 1.
  package var index: Int
  package var containerName: String?
  package var hostname: String
  package var domainname: String?
  package var root: DesiredRoot
  /// As ``DesiredMount/sharedFolder`` says of a mount.
  package var sharedFolderOfRoot: String?
  package var process: DesiredProcess
  /// The uid outside that root has inside: the first of 65,536 ids of the service's own. nil for the host's root.
  package var firstIdentity: UInt32?
  @Sparse package var mounts: [DesiredMount]
  package var attachments: [DesiredAttachment]
  @Sparse package var nameResolution = DesiredNameResolution()
  @Sparse package var ports: [PublishedPort]
  /// Ports that the service says it listens on, published or exposed: it is ready when something listens on each.
  @Sparse package var readyPorts: [ListeningPort]
  /// The first and the last port of each range in which it may listen: `verify` probes these.
  @Sparse package var rangePorts: [ListeningPort] = []
  @Sparse package var dependencies: [Dependency]
  @Sparse package var stop: StopPolicy
  @Sparse package var restart: RestartPolicy
  package var healthCheck: HealthCheck?
  @Sparse package var limits = ResourceLimits()
  @Sparse package var settings = DesiredSettings()
  @Sparse package var labels: [String: String]
  package var declaredAt: SourceLine?
  /// Further lines of its /etc/hosts.
  @Sparse package var extraHosts: [DesiredHost] = []
  /// The name of its /etc/hosts, where it was made with another one than it would be given now.
  package var keptHostsFile: String?
  /// The owner of its network namespace. A service has attachments, links and routes only in its own.
  @Sparse package var namespace = NamespaceOwner.own
  /// True if it forwards packets of others.
  @Sparse package var forwards = false
  /// Beside those that its attachments give it.
  @Sparse package var routes: [DesiredRoute] = []
  /// True if an end of a link in it has an IPv6 address.
  @Sparse package var linksHaveIPv6 = false
  /// The bridge between its cables; nil for a service that is no switch.
  package var switching: DesiredSwitch?
  /// Addresses of its loopback beside 127.0.0.1 and ::1.
  @Sparse package var loopback: [DesiredAddress] = []
  /// Commands that run in it once a command has started it, and before one stops it.
  @Sparse package var postStart: [DesiredHook] = []
  @Sparse package var preStop: [DesiredHook] = []
  /// The command that `stack run` starts in it, while its own process only waits; empty for an ordinary service.
  @Sparse package var heldCommand: [String] = []

  package init(
    name: String, service: String, index: Int, containerName: String? = nil, hostname: String,
    domainname: String? = nil, root: DesiredRoot, process: DesiredProcess, firstIdentity: UInt32? = nil,
    mounts: [DesiredMount], attachments: [DesiredAttachment],
    nameResolution: DesiredNameResolution = DesiredNameResolution(), ports: [PublishedPort],
    readyPorts: [ListeningPort], rangePorts: [ListeningPort] = [], dependencies: [Dependency], stop: StopPolicy,
    restart: RestartPolicy, healthCheck: HealthCheck? = nil, limits: ResourceLimits = ResourceLimits(),
    settings: DesiredSettings = DesiredSettings(), labels: [String: String], declaredAt: SourceLine? = nil,
    extraHosts: [DesiredHost] = [], namespace: NamespaceOwner = NamespaceOwner.own, forwards: Bool = false,
    routes: [DesiredRoute] = [], linksHaveIPv6: Bool = false
  ) {
    self.name = name
    self.service = service
    self.index = index
    self.containerName = containerName
    self.hostname = hostname
    self.domainname = domainname
    self.root = root
    self.process = process
    self.firstIdentity = firstIdentity
    self.mounts = mounts
    self.attachments = attachments
    self.nameResolution = nameResolution
    self.ports = ports
    self.readyPorts = readyPorts
    self.rangePorts = rangePorts
    self.dependencies = dependencies
    self.stop = stop
    self.restart = restart
    self.healthCheck = healthCheck
    self.limits = limits
    self.settings = settings
    self.labels = labels
    self.declaredAt = declaredAt
    self.extraHosts = extraHosts
    self.namespace = namespace
    self.forwards = forwards
    self.routes = routes
    self.linksHaveIPv6 = linksHaveIPv6
  }
}

/// A name with its address.
package struct DesiredHost: Codable, Hashable, Sendable {
  package var name: String
  package var address: IPAddress

  package init(name: String, address: IPAddress) {
    self.name = name
    self.address = address
  }
}

/// The file system a service sees at `/`.
package enum DesiredRoot: Codable, Hashable, Sendable {
  /// The host's /usr, read-only, under a private root with a writable layer.
  case host
  /// A writable layer over a folder, which stays as it is.
  case overlay(folder: String)
  /// The folder itself: what the service writes stays in it.
  case direct(folder: String)
  /// A writable layer over those of an image.
  case image(DesiredImage)

  /// Of the stack file; nil for the host's.
  package var folder: String? {
    switch self {
    case .host, .image: nil
    case .overlay(let folder), .direct(let folder): folder
    }
  }
}

/// The service's own command and what it starts with.
package struct DesiredProcess: Codable, Hashable, Sendable {
  /// The program and its arguments: entrypoint, then command.
  package var arguments: [String]
  @Sparse package var environment: [String: String]
  package var workingDirectory: String?
  package var user: String?
  /// True if stack-init is PID 1, reaping and forwarding signals.
  package var usesInit: Bool
  @Sparse package var hasTerminal: Bool
  @Sparse package var keepsStdinOpen: Bool
  @Sparse package var isRootReadOnly: Bool
  @Sparse package var security: DesiredSecurity

  package init(
    arguments: [String], environment: [String: String], workingDirectory: String? = nil, user: String? = nil,
    usesInit: Bool, hasTerminal: Bool, keepsStdinOpen: Bool, isRootReadOnly: Bool, security: DesiredSecurity
  ) {
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
    self.user = user
    self.usesInit = usesInit
    self.hasTerminal = hasTerminal
    self.keepsStdinOpen = keepsStdinOpen
    self.isRootReadOnly = isRootReadOnly
    self.security = security
  }
}

/// The capabilities of a service's processes, and the filter of their system calls.
package struct DesiredSecurity: Usual, Sendable {
  /// The most that they can have.
  package var capabilities = CapabilitySet.standard
  /// The capabilities that the file adds by name or as ALL. A user other than root gets these.
  package var added: CapabilitySet = []
  package var isPrivileged = false
  package var forbidsNewPrivileges = true
  /// True if their system calls are filtered.
  package var isFiltered = true
  /// The profile that says how, as JSON; nil for the default.
  package var seccompProfile: String?

  package init() {}
}

/// A folder or file of the host, a volume, or a tmpfs that a service sees at a path of its own.
package struct DesiredMount: Codable, Hashable, Sendable {
  package enum Source: Codable, Hashable, Sendable {
    case folder(String, createIfMissing: Bool)
    case volume(String)
    /// A volume of this service alone, gone with it.
    case anonymous
    /// Size in bytes, mode in octal notation's value.
    case tmpfs(size: UInt64?, mode: UInt32?)
    /// The volume without a name that another service, by its instance's name, has at the same target.
    case anonymousOf(String)
    /// A file with these contents, permission bits and ids of inside.
    case contents(String, mode: UInt32, user: UInt32, group: UInt32)
  }
  package var source: Source
  package var target: String
  package var isReadOnly: Bool
  /// True if an empty volume takes over nothing of the folder that it covers.
  @Sparse package var staysEmpty = false
  /// True for a volume without a name that other services have too: it lies where they find it.
  @Sparse package var isLent = false
  /// The folder of the volume, where it is another than the stack's own of that name.
  package var volumeFolder: String?
  /// The part of a volume that is mounted in place of the whole.
  package var subpath: String?
  /// True if mounts that the host makes below the source appear inside.
  @Sparse package var followsHost = false
  @Sparse package var tmpfs = DesiredTmpfs()
  package var declaredAt: SourceLine?
  /// The outermost folder of the host that contains the source and that services can write to; nil if there is none.
  package var sharedFolder: String?

  package init(source: Source, target: String, isReadOnly: Bool, declaredAt: SourceLine? = nil) {
    self.source = source
    self.target = target
    self.isReadOnly = isReadOnly
    self.declaredAt = declaredAt
  }

  /// The mount, wherever it is declared, if that was recorded at all, and whoever else has a mount.
  var unplaced: DesiredMount {
    var bare = self
    (bare.declaredAt, bare.sharedFolder) = (nil, nil)
    return bare
  }

  /// True for what outlives a start of the service.
  package var isVolume: Bool {
    switch source {
    case .volume, .anonymous, .anonymousOf: true
    case .folder, .tmpfs, .contents: false
    }
  }

  /// The folder or file of the host.
  package var hostPath: String? {
    guard case .folder(let path, _) = source else { return nil }
    return path
  }
}

/// A tmpfs beside its size and its mode.
package struct DesiredTmpfs: Usual, Sendable {
  /// The owner of its root, as the service sees it. nil for its root.
  package var user: UInt32?
  package var group: UInt32?
  package var isExecutable = false
  /// Further options, as mount(8) takes them.
  package var options: [String] = []

  package init() {}

  package init(user: UInt32?, group: UInt32?, isExecutable: Bool, options: [String]) {
    (self.user, self.group, self.isExecutable, self.options) = (user, group, isExecutable, options)
  }
}

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

extension DesiredService {
  /// True if any of its networks has IPv6.
  package var hasIPv6: Bool { attachments.contains { $0.ipv6 != nil } }

  /// True if there is IPv6 in its namespace.
  package var speaksIPv6: Bool { hasIPv6 || linksHaveIPv6 || loopback.contains { !$0.address.isV4 } }
}

/// The resolver settings for names that are not the stack's.
package struct DesiredNameResolution: Usual, Sendable {
  /// The servers that are asked; empty for the host's resolvers.
  package var servers: [IPAddress] = []
  /// nil for the host's.
  package var search: [String]?
  /// nil for the host's.
  package var options: [String]?

  package init() {}
}

package enum TransportProtocol: String, Codable, Hashable, Sendable, CaseIterable {
  case tcp, udp
}

/// A port inside a service's namespace.
package struct ListeningPort: Codable, Hashable, Sendable, CustomStringConvertible {
  package var port: UInt16
  package var transport: TransportProtocol

  package init(port: UInt16, transport: TransportProtocol) {
    self.port = port
    self.transport = transport
  }

  package var description: String { "\(transport.rawValue) \(port)" }
}

/// A port of the host that leads to a port of a service.
package struct PublishedPort: Hashable, Sendable {
  /// The host's address it is published on; `0.0.0.0` or `::` for all of a family, nil for all of both families that the
  /// service has.
  package var hostAddress: IPAddress?
  package var hostPort: UInt16
  package var target: ListeningPort
  package var declaredAt: SourceLine?
  /// The sources that may reach it, none within another; nil for all.
  package var sources: [IPPrefix]?

  package init(
    hostAddress: IPAddress? = nil, hostPort: UInt16, target: ListeningPort, declaredAt: SourceLine? = nil,
    sources: [IPPrefix]? = nil
  ) {
    self.hostAddress = hostAddress
    self.hostPort = hostPort
    self.target = target
    self.declaredAt = declaredAt
    self.sources = sources
  }

  /// `8081->80/tcp`, as `ps` shows it.
  package var summary: String {
    "\(hostAddress.map { "\($0.beforePort):" } ?? "")\(hostPort)->\(target.port)/\(target.transport.rawValue)"
  }
}

/// The condition on another service that this one waits for before it starts.
package struct Dependency: Codable, Hashable, Sendable {
  package enum Condition: String, Codable, Hashable, Sendable {
    case started, healthy, completed
  }
  /// The service's key in the stack file.
  package var service: String
  package var condition: Condition
  /// True if the dependent does not start when the condition cannot come true.
  package var isRequired: Bool
  /// True if the dependent is restarted when a command restarts the other service or makes it anew.
  package var restartsWithIt = false

  package init(service: String, condition: Condition, isRequired: Bool, restartsWithIt: Bool = false) {
    self.service = service
    self.condition = condition
    self.isRequired = isRequired
    self.restartsWithIt = restartsWithIt
  }
}

package struct StopPolicy: Usual, Sendable {
  /// The signal's number.
  package var signal: Int32
  /// The time between the stop signal and SIGKILL.
  package var grace: Duration

  package init(signal: Int32, grace: Duration) {
    self.signal = signal
    self.grace = grace
  }

  /// SIGTERM, and ten seconds.
  package init() {
    self.init(signal: 15, grace: .seconds(10))
  }
}

package enum RestartPolicy: Usual, Sendable {
  case no
  case always
  /// Restarts after a failure, at most `limit` times; 0 for no limit.
  case onFailure(limit: Int)
  case unlessStopped

  package init() { self = .no }
}

package struct HealthCheck: Codable, Hashable, Sendable {
  package var command: [String]
  package var interval: Duration
  package var timeout: Duration
  package var retries: Int
  package var startPeriod: Duration
  package var startInterval: Duration

  package init(
    command: [String], interval: Duration, timeout: Duration, retries: Int, startPeriod: Duration,
    startInterval: Duration
  ) {
    self.command = command
    self.interval = interval
    self.timeout = timeout
    self.retries = retries
    self.startPeriod = startPeriod
    self.startInterval = startInterval
  }
}
