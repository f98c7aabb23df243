/// Where a stack keeps its state: what must not outlive a boot under /run, what must under /var/lib.
public struct StateFolders: Hashable, Sendable {
  /// `/run/stack`
  public var run: String
  /// `/var/lib/stack`
  public var lib: String
  /// `/var/cache/stack`: what only saves time.
  public var cache: String
  /// `/run/netns`: where ip-netns(8) looks for pinned namespaces.
  public var namespaces: String
  /// `/etc/stack/config`: what the host's administrator has set for all stacks.
  public var configuration: String

  public init(
    run: String = "/run/stack", lib: String = "/var/lib/stack", cache: String = "/var/cache/stack",
    namespaces: String = "/run/netns", configuration: String = "/etc/stack/config"
  ) {
    self.run = run
    self.lib = lib
    self.cache = cache
    self.namespaces = namespaces
    self.configuration = configuration
  }

  /// What belongs to the host, not to one stack: a name that no stack can have.
  public var host: String { "\(run)/.host" }

  /// Held by the command that is choosing subnets and ports.
  public var choosingLock: String { "\(host)/choosing.lock" }

  public func stack(_ name: String) -> StackFolder {
    StackFolder(folders: self, name: name)
  }
}

/// The paths of one stack.
public struct StackFolder: Hashable, Sendable {
  let folders: StateFolders
  let name: String

  public var path: String { "\(folders.run)/\(name)" }
  public var lib: String { "\(folders.lib)/\(name)" }
  /// The recorded ``DesiredStack``: written before the first effect, removed after the last.
  public var intent: String { "\(path)/stack.json" }
  /// There when the last `up` came to its end: without it, what is recorded may be half made.
  public var settled: String { "\(path)/settled" }
  /// What an `up` under way has chosen, so that others choose something else.
  public var claim: String { "\(path)/claim.json" }
  /// Held by the command that is changing the stack.
  public var lock: String { "\(folders.host)/\(name).lock" }
  /// The ``ProcessIdentity`` of the supervisor.
  public var supervisor: String { "\(path)/supervisor" }
  public var supervisorLog: String { "\(path)/supervisor.log" }
  /// What is on its way from a service's output to its log.
  public var staging: String { "\(path)/output" }
  /// A tmpfs of the stack's own: the writable layers of its services.
  public var layers: String { "\(path)/layers" }
  /// The lower folder of `rootfs: host`.
  public var hostRoot: String { "\(layers)/.host" }
  /// The same where a tmpfs cannot be shown under other ids.
  public var hostRootOnDisk: String { "\(lib)/host" }
  public var names: String { "\(path)/names" }
  public var services: String { "\(path)/services" }
  public var volumes: String { "\(lib)/volumes" }
  public var logs: String { "\(lib)/logs" }

  public func service(_ service: String) -> ServiceFolder {
    ServiceFolder(stack: self, name: service)
  }

  public func volume(_ volume: String) -> String { "\(volumes)/\(volume)" }
}

/// The paths of one service.
public struct ServiceFolder: Hashable, Sendable {
  let stack: StackFolder
  let name: String

  public var path: String { "\(stack.services)/\(name)" }
  /// The ``ServiceRecord``.
  public var record: String { "\(path)/record.json" }
  /// The ``ExecContext``.
  public var execContext: String { "\(path)/exec.json" }
  public var stdout: String { "\(path)/stdout" }
  public var stderr: String { "\(path)/stderr" }
  public var stdin: String { "\(path)/stdin" }
  /// Where stack-init writes how the service ended.
  public var exit: String { "\(path)/exit" }
  public var hostname: String { "\(path)/hostname" }
  public var layer: String { "\(stack.layers)/\(name)" }
  public var upper: String { "\(layer)/upper" }
  public var work: String { "\(layer)/work" }
  public var root: String { "\(layer)/root" }
  public func anonymousVolume(_ number: Int) -> String { "\(layer)/volume\(number)" }
  public var log: String { "\(stack.logs)/\(name).log" }
  /// The pinned network namespace, which ip-netns(8) shows as `web.web1`.
  public var namespace: String { "\(stack.folders.namespaces)/\(stack.name).\(name)" }
}
