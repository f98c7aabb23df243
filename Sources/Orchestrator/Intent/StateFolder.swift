/// Where a stack keeps its state: what must not outlive a boot under /run, what must under /var/lib.
package struct StateFolders: Hashable, Sendable {
  /// `/run/stack`
  package var run: String
  /// `/var/lib/stack`
  package var lib: String
  /// `/var/cache/stack`: what only saves time.
  package var cache: String
  /// `/run/netns`: where ip-netns(8) looks for pinned namespaces.
  package var namespaces: String
  /// `/etc/stack/config`: what the host's administrator has set for all stacks.
  package var configuration: String

  package init(
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
  package var host: String { "\(run)/.host" }

  /// Held by the command that is choosing subnets and ports.
  package var choosingLock: String { "\(host)/choosing.lock" }

  package func stack(_ name: String) -> StackFolder {
    StackFolder(folders: self, name: name)
  }
}

/// The paths of one stack.
package struct StackFolder: Hashable, Sendable {
  let folders: StateFolders
  package let name: String

  package var path: String { "\(folders.run)/\(name)" }
  package var lib: String { "\(folders.lib)/\(name)" }
  /// The recorded ``DesiredStack``: written before the first effect, removed after the last.
  package var intent: String { "\(path)/stack.json" }
  /// There when the last `up` came to its end: without it, what is recorded may be half made.
  package var settled: String { "\(path)/settled" }
  /// What an `up` under way has chosen, so that others choose something else.
  package var claim: String { "\(path)/claim.json" }
  /// Held by the command that is changing the stack.
  package var lock: String { "\(folders.host)/\(name).lock" }
  /// The ``ProcessIdentity`` of the supervisor.
  package var supervisor: String { "\(path)/supervisor" }
  package var supervisorLog: String { "\(path)/supervisor.log" }
  /// What is on its way from a service's output to its log.
  package var staging: String { "\(path)/output" }
  /// A tmpfs of the stack's own: the writable layers of its services.
  package var layers: String { "\(path)/layers" }
  /// The lower folder of `rootfs: host`.
  package var hostRoot: String { "\(layers)/.host" }
  /// The same where a tmpfs cannot be shown under other ids.
  package var hostRootOnDisk: String { "\(lib)/host" }
  package var names: String { "\(path)/names" }
  package var services: String { "\(path)/services" }
  package var volumes: String { "\(lib)/volumes" }
  package var logs: String { "\(lib)/logs" }

  package func service(_ service: String) -> ServiceFolder {
    ServiceFolder(stack: self, name: service)
  }

  package func volume(_ volume: String) -> String { "\(volumes)/\(volume)" }
}

/// The paths of one service.
package struct ServiceFolder: Hashable, Sendable {
  package let stack: StackFolder
  package let name: String

  package var path: String { "\(stack.services)/\(name)" }
  /// The ``ServiceRecord``.
  package var record: String { "\(path)/record.json" }
  /// The ``ExecContext``.
  package var execContext: String { "\(path)/exec.json" }
  package var stdout: String { "\(path)/stdout" }
  package var stderr: String { "\(path)/stderr" }
  package var stdin: String { "\(path)/stdin" }
  /// Where stack-init writes how the service ended.
  package var exit: String { "\(path)/exit" }
  package var hostname: String { "\(path)/hostname" }
  package var layer: String { "\(stack.layers)/\(name)" }
  package var upper: String { "\(layer)/upper" }
  package var work: String { "\(layer)/work" }
  package var root: String { "\(layer)/root" }
  package func anonymousVolume(_ number: Int) -> String { "\(layer)/volume\(number)" }
  package var log: String { "\(stack.logs)/\(name).log" }
  /// The pinned network namespace, which ip-netns(8) shows as `web.web1`.
  package var namespace: String { "\(stack.folders.namespaces)/\(stack.name).\(name)" }
}
