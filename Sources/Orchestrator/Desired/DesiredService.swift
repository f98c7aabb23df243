public import Netlink
public import Runtime

/// One running instance of a service: a replica counts as one of its own.
public struct DesiredService: Codable, Hashable, Sendable {
  /// The instance's name, unique in the stack: `web1`, or `web-2` for the second replica of `web`.
  public var name: String
  /// The service's key in the stack file: the same for all replicas.
  public var service: String
  /// Which replica this is, from 1.
  public var index: Int
  public var containerName: String?
  public var hostname: String
  public var domainname: String?
  public var root: DesiredRoot
  public var process: DesiredProcess
  /// What root inside is outside, the first of 65,536 ids of the service's own; nil where it is the host's own root.
  public var firstIdentity: UInt32?
  @Sparse public var mounts: [DesiredMount]
  public var attachments: [DesiredAttachment]
  @Sparse public var nameResolution = DesiredNameResolution()
  @Sparse public var ports: [PublishedPort]
  /// Ports that the service says it listens on, published or exposed: it is ready when something listens on each.
  @Sparse public var readyPorts: [ListeningPort]
  /// The first and the last port of each range that it is said to listen somewhere in: what `verify` asks for.
  @Sparse public var rangePorts: [ListeningPort] = []
  @Sparse public var dependencies: [Dependency]
  @Sparse public var stop: StopPolicy
  @Sparse public var restart: RestartPolicy
  public var healthCheck: HealthCheck?
  @Sparse public var limits = ResourceLimits()
  @Sparse public var settings = DesiredSettings()
  @Sparse public var labels: [String: String]
  public var declaredAt: SourceLine?
  /// Further lines of its /etc/hosts.
  @Sparse public var extraHosts: [DesiredHost] = []
  /// Whose network namespace it runs in. Only in its own it has attachments, links and routes.
  @Sparse public var namespace = NamespaceOwner.own
  /// Whether packets of others pass through it.
  @Sparse public var forwards = false
  /// Beside those that its attachments give it.
  @Sparse public var routes: [DesiredRoute] = []
  /// Whether an end of a link in it has an IPv6 address.
  @Sparse public var linksHaveIPv6 = false
}

/// A name with its address.
public struct DesiredHost: Codable, Hashable, Sendable {
  public var name: String
  public var address: IPAddress
}

/// The file system a service sees at `/`.
public enum DesiredRoot: Codable, Hashable, Sendable {
  /// The host's /usr, read-only, under a private root with a writable layer.
  case host
  /// A writable layer over a folder, which stays as it is.
  case overlay(folder: String)
  /// The folder itself: what the service writes stays in it.
  case direct(folder: String)
}

/// The service's own command and what it starts with.
public struct DesiredProcess: Codable, Hashable, Sendable {
  /// The program and its arguments: entrypoint, then command.
  public var arguments: [String]
  @Sparse public var environment: [String: String]
  public var workingDirectory: String?
  public var user: String?
  /// Whether stack-init is PID 1, reaping and forwarding signals.
  public var usesInit: Bool
  @Sparse public var hasTerminal: Bool
  @Sparse public var keepsStdinOpen: Bool
  @Sparse public var isRootReadOnly: Bool
  @Sparse public var security: DesiredSecurity
}

/// What the service's processes may do of what root may.
public struct DesiredSecurity: Usual, Sendable {
  /// The most that they can have.
  public var capabilities = CapabilitySet.standard
  /// What the file adds by name or as ALL: what a user other than root gets.
  public var added: CapabilitySet = []
  public var isPrivileged = false
  public var forbidsNewPrivileges = true
  /// Whether their system calls are filtered.
  public var isFiltered = true
  /// The profile that says how, as JSON; nil for the default.
  public var seccompProfile: String?

  public init() {}
}

/// A folder or file of the host, a volume, or a tmpfs that a service sees at a path of its own.
public struct DesiredMount: Codable, Hashable, Sendable {
  public enum Source: Codable, Hashable, Sendable {
    case folder(String, createIfMissing: Bool)
    case volume(String)
    /// A volume of this service alone, gone with it.
    case anonymous
    /// Size in bytes, mode in octal notation's value.
    case tmpfs(size: UInt64?, mode: UInt32?)
  }
  public var source: Source
  public var target: String
  public var isReadOnly: Bool
  public var declaredAt: SourceLine?

  /// The mount, wherever it is declared, if that was recorded at all.
  var unplaced: DesiredMount {
    var bare = self
    bare.declaredAt = nil
    return bare
  }
}

/// A service's interface in a network.
public struct DesiredAttachment: Codable, Hashable, Sendable {
  public var network: String
  /// The interface's name inside: `eth0`.
  public var interface: String
  /// The name of the veth's end on the host: at most 15 bytes.
  public var link: String
  public var address: IPv4Address
  public var mac: MACAddress
  /// Further names by which services of this network find this one.
  @Sparse public var aliases: [String]
  /// Whether the default route goes through this network.
  public var isDefaultRoute: Bool
  public var vlan: DesiredVLANMembership?
  /// Which of the bridges of a large network it is on; nil for the network's own.
  public var segment: Int?
  /// The link of the host that the interface is on, in a macvlan network: then there is no veth.
  public var parent: String?
  /// nil on a network of IPv4 alone.
  public var ipv6: IPv6?

  public struct IPv6: Codable, Hashable, Sendable {
    public var address: IPv6Address
    /// Whether the default route of IPv6 goes through this network.
    public var isDefaultRoute = false
  }

  /// nil for its own addresses alone.
  public var claims: AttachmentClaims?

  /// What befalls packets on the link, as the file says; nil for nothing.
  public var conditions: LinkConditions?
  /// What was changed by hand while it was up; nil for nothing.
  public var override: LinkOverride?

  /// What holds: what was changed by hand, else what the file says.
  public var currentConditions: LinkConditions {
    (conditions ?? LinkConditions()).changed(by: override?.current)
  }

  public var isSetDown: Bool { override?.current.isDown ?? false }

  /// The attachment without what can change while the service runs.
  var unshaped: DesiredAttachment {
    var bare = self
    (bare.conditions, bare.override, bare.claims) = (nil, nil, nil)
    return bare
  }
}

extension DesiredService {
  /// Whether any of its networks has IPv6.
  public var hasIPv6: Bool { attachments.contains { $0.ipv6 != nil } }

  /// Whether there is IPv6 in its namespace.
  public var speaksIPv6: Bool { hasIPv6 || linksHaveIPv6 }
}

/// How a service looks up names that are not the stack's.
public struct DesiredNameResolution: Usual, Sendable {
  /// Whom to ask; empty for the host's resolvers.
  public var servers: [IPAddress] = []
  /// nil for the host's.
  public var search: [String]?
  /// nil for the host's.
  public var options: [String]?

  public init() {}
}

public enum TransportProtocol: String, Codable, Hashable, Sendable, CaseIterable {
  case tcp, udp
}

/// A port inside a service's namespace.
public struct ListeningPort: Codable, Hashable, Sendable, CustomStringConvertible {
  public var port: UInt16
  public var transport: TransportProtocol

  public var description: String { "\(transport.rawValue) \(port)" }
}

/// A port of the host that leads to a port of a service.
public struct PublishedPort: Hashable, Sendable {
  /// The host's address it is published on; `0.0.0.0` or `::` for all of a family, nil for all of both families that the
  /// service has.
  public var hostAddress: IPAddress?
  public var hostPort: UInt16
  public var target: ListeningPort
  public var declaredAt: SourceLine?
  /// Who may reach it; nil for everybody. None lies within another.
  public var sources: [IPPrefix]?

  /// `8081->80/tcp`, as `ps` shows it.
  public var summary: String {
    "\(hostAddress.map { "\($0.beforePort):" } ?? "")\(hostPort)->\(target.port)/\(target.transport.rawValue)"
  }
}

/// What must have happened to another service before this one starts.
public struct Dependency: Codable, Hashable, Sendable {
  public enum Condition: String, Codable, Hashable, Sendable {
    case started, healthy, completed
  }
  /// The service's key in the stack file.
  public var service: String
  public var condition: Condition
  /// Whether the dependent may start all the same when the condition cannot come true.
  public var isRequired: Bool
  /// Whether the dependent is restarted when a command restarts the other service or makes it anew.
  public var restartsWithIt = false
}

public struct StopPolicy: Usual, Sendable {
  /// The signal's number.
  public var signal: Int32
  /// How long to wait before SIGKILL.
  public var grace: Duration

  public init(signal: Int32, grace: Duration) {
    self.signal = signal
    self.grace = grace
  }

  /// SIGTERM, and ten seconds.
  public init() {
    self.init(signal: 15, grace: .seconds(10))
  }
}

public enum RestartPolicy: Usual, Sendable {
  case no
  case always
  /// At most so many times; 0 for no limit.
  case onFailure(limit: Int)
  case unlessStopped

  public init() { self = .no }
}

public struct HealthCheck: Codable, Hashable, Sendable {
  public var command: [String]
  public var interval: Duration
  public var timeout: Duration
  public var retries: Int
  public var startPeriod: Duration
  public var startInterval: Duration
}
