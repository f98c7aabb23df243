import Addresses
import ImageReference
import Isolation
import Vocabulary

extension StackFile {
  /// One service: what to run, in what root, on which networks, after whom.
  package struct Service: Named, Sendable, Equatable {
    /// The key under `services:`: `[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}`.
    package var name: Located<String>
    package var rootfs: Located<RootFolder>
    /// Nil when the file has none. At least one of the two is there and not empty: see `arguments`.
    var entrypoint: Located<[String]>?
    var command: Located<[String]>?
    /// The environment of the process: the env_files' variables in order, then `environment`. The last of a name wins.
    package var environment: [EnvironmentVariable] = []
    /// Beside those that its networks give it.
    package var routes: [Route] = []
    /// Nil: it passes no frames on.
    package var switching: Located<Switch>?
    /// Addresses of its loopback beside 127.0.0.1 and ::1, each of the length of one address.
    package var loopback: [Located<InterfaceAddress>] = []
    /// True if packets of others pass through it. Nil: no.
    package var forwarding: Located<Bool>?
    /// Nil: a network namespace of its own, on networks.
    package var networkMode: Located<NetworkMode>?
    /// Further lines of its /etc/hosts.
    package var extraHosts: [ExtraHost] = []
    /// Absolute. Nil: `/`.
    package var workingDirectory: Located<String>?
    /// Nil: root.
    package var user: Located<User>?
    /// At most 64 bytes. Nil: the service's own name.
    package var hostname: Located<String>?
    package var domainname: Located<String>?
    /// In the order of the file: the implicit network `default` where the file names none. Empty with a `networkMode`.
    package var attachments: [Attachment] = []
    package var ports: [PublishedPort] = []
    /// Ports that the service says it listens on, without publishing them.
    package var exposed: [ExposedPort] = []
    package var nameResolution = NameResolution()
    /// `volumes:` and `tmpfs:`, one for each target. In the order of the file: mount parents before children.
    package var mounts: [Mount] = []
    package var dependencies: [Dependency] = []
    package var stopSignal: Located<Signal>?
    /// Between `stopSignal` and SIGKILL. 0 seconds to 24 hours.
    package var stopGracePeriod: Duration = .seconds(10)
    /// True if stack-init is PID 1. False: the service's own process is.
    package var hasInit = true
    package var hasTerminal = false
    package var keepsStandardInputOpen = false
    package var isReadOnly = false
    /// In the order of the file. `ALL` is nil.
    package var addedCapabilities: [Capability?] = []
    package var droppedCapabilities: [Capability?] = []
    /// True if the process may do all that stack itself may.
    package var isPrivileged = false
    /// Nil: a user namespace of its own wherever it can have one.
    package var userNamespace: Located<UserNamespaceMode>?
    /// True if the default seccomp filter decides on its system calls.
    package var isFiltered = true
    /// A profile that stands in for the default filter: its JSON text.
    package var seccompProfile: String?
    /// The absolute path of the file that it is from.
    var seccompPath: String?
    /// Nil: on, unless the service is privileged.
    package var forbidsNewPrivileges: Bool?
    package var limits = ResourceLimits()
    package var settings = DesiredSettings()
    package var labels: [Label] = []
    package var containerName: Located<String>?
    /// Empty: always active.
    var profiles: [Located<String>] = []
    /// The number of replicas: 0...10,000. 1 when the file sets none.
    package var scale: Located<Int>
    package var restart: RestartPolicy = .no
    package var healthCheck: HealthCheck?
    /// The changes that the file makes to an image's own health check.
    package var healthOverrides = HealthOverrides()
    /// The platform of the image. Nil means this machine's.
    package var platform: Located<String>?
    package var pullPolicy: Located<PullPolicy>?
    /// The way in which its image is made. Nil for one that is not built.
    package var build: Build?
    /// The image of the store that it runs from. Nil until that is known.
    package var image: ChosenImage?
    /// Commands that run in it once it has been started, and before it is stopped.
    package var postStart: [Hook] = []
    package var preStop: [Hook] = []
    /// Its secrets and configs.
    var files: [FileUse] = []
    /// Services whose mounts it has too.
    var volumesFrom: [VolumesFrom] = []
    /// Services and containers that it knows by further names.
    package var namedLinks: [NamedLink] = []
    /// What is done when files of the host change.
    package var watchRules: [WatchRule] = []

    init(name: Located<String>) {
      self.name = name
      self.rootfs = Located(.host, name.span)
      self.scale = Located(1, name.span)
    }

    /// The arguments of the process: the entrypoint followed by the command. Never empty.
    package var arguments: [String] { (entrypoint?.value ?? []) + (command?.value ?? []) }
  }

  /// A service as a switch: a bridge inside joins its cables.
  package struct Switch: Sendable, Hashable {
    /// The bridge's name inside.
    package var interface = "br0"
    /// True if it blocks ports so that frames have one way to everywhere.
    package var usesSpanningTree = false
  }

  /// The user namespace of a service: one of its own, or the host's.
  package enum UserNamespaceMode: String, Sendable, CaseIterable { case host, `private` }

  /// The root file system of a service.
  package enum RootFolder: Sendable, Hashable {
    /// The host's own /usr, read-only, under a private root.
    case host
    /// An absolute path. Overlay: the folder stays as it is, what is written goes to a layer of the service's own.
    /// Direct: the service writes to the folder itself.
    case folder(path: String, mode: Mode)
    /// An image, under a layer of the service's own.
    case image(ImageSource)

    package enum Mode: String, Sendable, CaseIterable { case overlay, direct }
  }

  /// An image of this host's store.
  package struct ChosenImage: Sendable, Hashable {
    /// As the file names it.
    package var name: String
    /// Of its manifest.
    package var digest: String
    /// The numbers of its layers' folders, the topmost first.
    package var layers: [Int]

    /// The highest number of a user or group that owns something in it.
    package var largestID: UInt32

    package init(name: String, digest: String, layers: [Int], largestID: UInt32 = 0) {
      (self.name, self.digest, self.layers, self.largestID) = (name, digest, layers, largestID)
    }
  }

  package struct EnvironmentVariable: Sendable, Hashable {
    /// Not empty, without `=` and NUL.
    package var name: Located<String>
    package var value: String
  }

  /// `user[:group]`, names or numbers; names are looked up in the service's own root.
  package struct User: Sendable, Hashable, CustomStringConvertible {
    package var user: String
    package var group: String?
    package var description: String { group.map { "\(user):\($0)" } ?? user }
  }

  /// A service's interface on a network.
  package struct Attachment: Sendable, Hashable {
    package var network: Located<String>
    /// A fixed address. Given only on networks with a `subnet`, inside it, and to one service.
    package var address: Located<IPv4Address>?
    /// The same of IPv6.
    package var address6: Located<IPv6Address>?
    /// Beside those two, in the network's subnet or in another.
    package var furtherAddresses: [Located<InterfaceAddress>] = []
    package var mac: Located<MACAddress>?
    /// The interface's name inside. Nil: `eth0` and so on, in the order of the file.
    package var interface: Located<String>?
    /// Nil: it is where frames without a tag are.
    package var vlan: Located<VLANMembership>?
    /// Further names of the service on this network. Several services may share one.
    package var aliases: [Located<String>] = []
    /// The default route is that of the attachment with the highest; of equals, the first in the file.
    package var gatewayPriority = 0
    /// The addresses that it may send from beside its own.
    package var claims: [Located<Claim>] = []
    /// Delay, loss and rate on the service's link to the network.
    package var conditions = DeclaredConditions()

    init(network: Located<String>) { self.network = network }
  }

  /// The resolver settings for names that are not the stack's.
  package struct NameResolution: Sendable, Hashable {
    /// The servers that are asked. Empty: the host's resolvers.
    package var servers: [Located<IPAddress>] = []
    /// Domains that are tried behind a short name; nil: the host's. A single `.` in the file: none.
    package var search: [Located<String>]?
    /// resolv.conf(5); nil: the host's.
    package var options: [Located<String>]?
  }

  /// A service that must have got somewhere before this one starts.
  package struct Dependency: Sendable, Hashable {
    package enum Condition: String, Sendable, CaseIterable {
      case started = "service_started"
      case healthy = "service_healthy"
      case completed = "service_completed_successfully"
    }

    package var service: Located<String>
    package var condition: Condition = .started
    /// False: a failure of it is a warning, and it may be absent or in a profile that is not active.
    package var isRequired = true
    /// This service is restarted when that one is.
    package var restartsWithIt = false

    init(service: Located<String>) { self.service = service }
  }

  /// The condition for starting a process again after its end. The delay is 100 ms, doubling, at most a minute.
  package enum RestartPolicy: Sendable, Hashable {
    case no
    case always
    /// Nil: no limit.
    case onFailure(maximumRetries: Int?)
    case unlessStopped
  }

  package struct HealthCheck: Sendable, Hashable {
    package enum Test: Sendable, Hashable {
      case command([String])
      /// Run by `/bin/sh -c`.
      case shell(String)
    }

    package var test: Located<Test>
    package var interval: Duration = .seconds(30)
    package var timeout: Duration = .seconds(30)
    package var startPeriod: Duration = .zero
    /// The interval inside `startPeriod`, while the service is still starting.
    package var startInterval: Duration = .seconds(5)
    /// Failures in a row that make the service unhealthy: at least 1.
    package var retries = 3

    init(test: Located<Test>) { self.test = test }
  }

  /// The fields of `healthcheck:` that the file has. An image's are used for the others.
  package struct HealthOverrides: Sendable, Hashable {
    package var test: Located<HealthCheck.Test>?
    package var isDisabled = false
    package var interval: Duration?
    package var timeout: Duration?
    package var startPeriod: Duration?
    package var startInterval: Duration?
    package var retries: Int?

    package init() {}
  }
}
