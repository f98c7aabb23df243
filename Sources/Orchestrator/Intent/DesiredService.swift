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

extension DesiredService {
  /// True if any of its networks has IPv6.
  package var hasIPv6: Bool { attachments.contains { $0.ipv6 != nil } }

  /// True if there is IPv6 in its namespace.
  package var speaksIPv6: Bool { hasIPv6 || linksHaveIPv6 || loopback.contains { !$0.address.isV4 } }
}
