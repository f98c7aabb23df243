/// The folders of all state. /run has what must not outlive a boot, /var/lib what must.
package struct StateFolders: Hashable, Sendable {
  /// `/run/stack`
  package var run: String
  /// `/var/lib/stack`
  package var lib: String
  /// `/var/cache/stack`: files that only save time.
  package var cache: String
  /// `/run/netns`: pinned namespaces, as ip-netns(8) expects them.
  package var namespaces: String
  /// `/etc/stack/config`: the administrator's settings for all stacks.
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

  /// The folder of what belongs to the host and not to one stack. No stack can have its name.
  package var host: String { "\(run)/.host" }

  /// Held by the command that is choosing subnets and ports.
  package var choosingLock: String { "\(host)/choosing.lock" }

  /// The images of this host. No stack can have this name.
  package var images: String { "\(lib)/.images" }
  /// Their place in an earlier build, which is also that of a stack called `images`.
  package var formerImages: String { "\(lib)/images" }
  package var imageLayers: String { "\(images)/layers" }

  /// Volumes that all stacks know by a name. No stack can have this name.
  package var sharedVolumes: String { "\(lib)/.volumes" }
  /// The files of networks that belong to no stack. No stack can have this name.
  package var networks: String { "\(lib)/.networks" }
  package func sharedVolume(_ name: String) -> String { "\(sharedVolumes)/\(name)" }

  package func stack(_ name: String) -> StackFolder {
    StackFolder(folders: self, name: name)
  }
}

/// The paths of one stack.
package struct StackFolder: Hashable, Sendable {
  package let folders: StateFolders
  package let name: String

  package var path: String { "\(folders.run)/\(name)" }
  package var lib: String { "\(folders.lib)/\(name)" }
  /// The recorded ``DesiredStack``: written before the first effect, removed after the last.
  package var intent: String { "\(path)/stack.json" }
  /// Exists if the last `up` ran to its end. Without it, the recorded stack may be half made.
  package var settled: String { "\(path)/settled" }
  /// There while the stack's bridges are let through firewalld's chains (`stack doctor --fix`).
  package var firewalldPassage: String { "\(path)/firewalld" }
  /// The choices of an `up` that has not begun, so that others choose something else.
  package var claim: String { "\(path)/claim.json" }
  /// Held by the command that is changing the stack.
  package var lock: String { "\(folders.host)/\(name).lock" }
  /// The `ProcessIdentity` of the supervisor.
  package var supervisor: String { "\(path)/supervisor" }
  package var supervisorLog: String { "\(path)/supervisor.log" }
  /// The ends of processes that killed supervisors have left to their watcher.
  package var ends: String { "\(path)/ends" }
  /// A second copy of ``intent``, which survives the removal of the folder.
  package func intentCopy(ofBoot boot: String) -> String { "\(folders.host)/\(name)@\(boot).json" }
  /// Output that has left a service's FIFO and is not yet in its log.
  package var staging: String { "\(path)/output" }
  /// A tmpfs of the stack's own: the writable layers of its services.
  package var layers: String { "\(path)/layers" }
  /// The writable layers of services with an image: on disk, unlike those of others.
  package var layersOnDisk: String { "\(lib)/writable" }
  /// Volumes without a name of services with an image, which are handed on when a service is made anew.
  package var anonymousVolumes: String { "\(lib)/anonymous" }
  package var imageLayers: String { folders.imageLayers }
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
  /// The `ServiceRecord`.
  package var record: String { "\(path)/record.json" }
  /// The `ProcessContext`.
  package var execContext: String { "\(path)/exec.json" }
  package var stdout: String { "\(path)/stdout" }
  package var stderr: String { "\(path)/stderr" }
  package var stdin: String { "\(path)/stdin" }
  /// The file into which stack-init writes how the service ended.
  package var exit: String { "\(path)/exit" }
  package var hostname: String { "\(path)/hostname" }
  package var layer: String { "\(stack.layers)/\(name)" }
  package var layerOnDisk: String { "\(stack.layersOnDisk)/\(name)" }
  package var upper: String { "\(layer)/upper" }
  package var work: String { "\(layer)/work" }
  package var root: String { "\(layer)/root" }
  /// The file of a secret or a config, by the number of its mount.
  package func madeFile(_ number: Int) -> String { "\(path)/file\(number)" }
  package func anonymousVolume(_ number: Int) -> String { "\(layer)/volume\(number)" }
  package var keptVolumes: String { "\(stack.anonymousVolumes)/\(name)" }

  /// A volume without a name, by the path that it is mounted on: that is what a service made anew has in common with the one before.
  package func keptVolume(_ target: String) -> String {
    let name = target.utf8.dropFirst().map { byte in
      let isPlain =
        byte == 0x2D || byte == 0x2E || byte == 0x5F || (0x30...0x39).contains(byte)
        || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
      return isPlain ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    guard name.utf8.count > Self.longestName else { return "\(keptVolumes)/\(name)" }
    // FNV-1a: the rest of a name that is too long for a file.
    let sum = target.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    return "\(keptVolumes)/\(name.prefix(Self.longestName))%\(String(sum, radix: 16))"
  }

  private static let longestName = 200
  package var log: String { "\(stack.logs)/\(name).log" }
  /// The pinned network namespace, which ip-netns(8) shows as `web.web1`.
  package var namespace: String { "\(stack.folders.namespaces)/\(stack.name).\(name)" }
}
