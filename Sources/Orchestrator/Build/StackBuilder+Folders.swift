import CLinux
import Glibc
import Host
import Intent
import Kernel
import Loop
import Names
import Runtime
import Synchronization
import SystemPackage

extension StackBuilder {
  /// Before the first effect, what is going to exist is on disk: whatever happens from here on, it can be taken down.
  func record(_ desired: DesiredStack) throws(KernelError) {
    try Files.remove(folder.settled)
    try StackRecord(folder).write(desired)
  }

  /// The same for what a command has claimed: the file that says so already takes the record's name.
  func acceptClaim(of desired: DesiredStack) throws(KernelError) {
    try Files.remove(folder.settled)
    try Files.makeFolder(folder.lib, above: 0o700)
    try StackOrigin.record(desired, in: folder, isNew: !Files.exists(folder.intent))
    guard rename(folder.claim, folder.intent) == 0 else { return try record(desired) }
    StackRecord(folder).keepCopy()
  }

  /// Notes that everything recorded exists.
  package func settle() throws(KernelError) {
    try Files.overwrite(folder.settled, with: [], mode: [.ownerReadWrite])
  }

  /// Everything of a stack that lies in files, but for the writable layers.
  func makeFolders(_ desired: DesiredStack) throws(KernelError) {
    for path in [folder.path, folder.names, folder.services, folder.layers] { try Files.makeFolder(path) }
    try Files.remove(folder.failedLogs)
    // Services run as users of their own choice and must be able to walk to what is theirs.
    try Files.makeFolder(folder.logs, above: 0o700)
    try makeVolumes(desired.volumes)
    let names = Set(desired.services.map(\.name))
    for name in Files.list(folder.anonymousVolumes) where !names.contains(name) {
      try Files.remove("\(folder.anonymousVolumes)/\(name)")
    }
    let readable: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]
    for file in NameViews(desired).hostsFiles(for: desired) {
      // Written in place: services see the file through a bind mount, which a new file of the same name would not reach.
      try Files.overwrite("\(folder.names)/\(file.name)", with: [UInt8](file.text.utf8), mode: readable)
    }
    for file in ResolverFiles(desired).files {
      try Files.overwrite("\(folder.names)/\(file.name)", with: [UInt8](file.text.utf8), mode: readable)
    }
  }

  /// Makes the folder of one service. It is made on the way to the service's start, beside the other services', not
  /// before all of them.
  func makeFolder(of service: DesiredService) throws(KernelError) {
    let paths = folder.service(service.name)
    try Files.makeFolder(paths.path)
    for fifo in [paths.stdout, paths.stderr] { try Files.makeFIFO(fifo) }
    if service.process.keepsStdinOpen { try Files.makeFIFO(paths.stdin) }
    try Files.overwrite(
      paths.hostname, with: [UInt8]("\(service.hostname)\n".utf8), mode: [.ownerReadWrite, .groupRead, .otherRead])
    for mount in service.mounts { try makeSource(of: mount) }
  }

  /// The most that is not privileged, on a host as it comes (pipe(7)).
  private static let outputCapacity: Int32 = 1 << 20

  /// Opens the FIFOs before a process writes to them. A FIFO that nobody has open holds nothing, so the output of a
  /// process that ends at once would be lost.
  func openOutput(of service: DesiredService) throws(KernelError) -> [SharedDescriptor] {
    let paths = folder.service(service.name)
    var ends: [SharedDescriptor] = []
    for path in [paths.stdout, paths.stderr] {
      let number = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
      guard number >= 0 else { throw KernelError("open", path, errno: .last) }
      // A service blocks once the pipe is full and no supervisor reads it. The kernel takes memory for a pipe as it is
      // filled.
      _ = stack_set_pipe_capacity(number, Self.outputCapacity)
      ends.append(SharedDescriptor(Descriptor(adopting: number).raised()))
    }
    return ends
  }

  /// Compose makes the host's folder of a bind mount that is not there yet.
  private func makeSource(of mount: DesiredMount) throws(KernelError) {
    guard mount.sharedFolder == nil, case .folder(let path, createIfMissing: true) = mount.source, !Files.exists(path)
    else { return }
    try Files.makeFolder(path, mode: 0o755)
  }

  func mountLayers() throws(KernelError) {
    guard try !Mounts.below(folder.layers).contains(where: { $0.mountPoint == folder.layers }) else { return }
    try Mounts.tmpfs(at: folder.layers, mode: 0o711)
  }

  func makeHostRoot() throws(KernelError) {
    _ = try builtHostRoot()
  }

  /// The root around the host's /usr, built once by each supervisor: a host that was upgraded meanwhile is seen as it is.
  func builtHostRoot() throws(KernelError) -> HostRoot {
    // The others wait: two that make the same files would take them from each other.
    try hostRoot.withLock { root throws(KernelError) in
      if let root { return root }
      let built = try HostRoot.build(in: try placeOfHostRoot())
      root = built
      return built
    }
  }

  private func placeOfHostRoot() throws(KernelError) -> String {
    // A host that has no user namespaces has no services that want it.
    guard let mapsTmpfs = try? IdentityProbe().canMapTmpfs(), !mapsTmpfs else { return folder.hostRoot }
    try Files.makeFolder(folder.lib, above: 0o700)
    return folder.hostRootOnDisk
  }

  /// Unmounts the layers with all mounts below. That costs one RCU grace period, not one for each service.
  func unmountLayers() throws(KernelError) {
    try unguardVolumes()
    try unmountVolumes()
    while Mounts.isMounted(at: folder.layers) { try Mounts.unmount(folder.layers, detach: true) }
  }

  func removeLayer(of service: String) throws(KernelError) {
    let layer = folder.service(service).layer
    while Mounts.isMounted(at: layer) { try Mounts.unmount(layer, detach: true) }
    try Files.remove(layer)
    try Files.remove(folder.service(service).layerOnDisk)
    try Files.remove(folder.service(service).path)
  }

  func removeControlGroups() throws(KernelError) {
    let group = controlGroups.group("stack/\(stack)")
    // A group that still has processes cannot be removed, and nobody else waits for this.
    try group.kill(within: .seconds(2))
    try group.remove(upTo: "stack")
  }

  /// The last step of all: with the folder goes the record of what the stack was.
  func removeFolders() throws(KernelError) {
    try Files.remove(folder.failedLogs)
    // Nobody could say otherwise why services of a stack that is gone have failed.
    if !Files.exists(folder.failed) || rename(folder.logs, folder.failedLogs) != 0 { try Files.remove(folder.logs) }
    try Files.remove(folder.hostRootOnDisk)
    try Files.remove(folder.layersOnDisk)
    try Files.remove(folder.anonymousVolumes)
    Files.removeIfEmpty(folder.volumes)
    if !Files.exists(folder.volumes), !Files.exists(folder.failedLogs) { try Files.remove(folder.origin) }
    Files.removeIfEmpty(folder.lib)
    Files.removeIfEmpty(folders.lib)
    try StackRecord(folder).removeCopies()
    try Files.remove(folder.path)
  }
}
