import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

/// Compiles a ``ContainerSpec`` to the operations that its process runs.
///
/// The order: paths of the host are opened first. Then namespaces are entered and made, and the root is entered. From
/// there on every path is inside it. Descriptors are closed before the working directory is entered (CVE-2024-21626),
/// and privileges are dropped last.
///
/// A user namespace is entered when all is mounted, by its root with the host's rights. Then the mount namespace is
/// copied once more, as one that the user namespace owns. In the copy, no mount can be removed from what it covers, and
/// no read-only mount can be made writable, whatever the service may do (mount_namespaces(7), "Restrictions on mount
/// namespaces").
struct ContainerProgram: ~Copyable {
  typealias Handle = Program.Handle

  let spec: ContainerSpec
  let credentials: Credentials
  private var program = Program()

  init(spec: ContainerSpec, credentials: Credentials) {
    self.spec = spec
    self.credentials = credentials
  }

  var purposes: [(action: StaticString, subject: String)] { program.purposes }

  func spawn() throws(KernelError) -> stack_spawned {
    switch spec.settings.pid {
    case .own: try program.spawn(.sharedUnseen, flags: CloneFlag.pid, cgroup: spec.process.cgroup)
    // Processes that see nothing of the caller would see its memory.
    case .host: try program.spawn(.copied, cgroup: spec.process.cgroup)
    case .process(let pidfd): try program.spawn(.copied, cgroup: spec.process.cgroup, pidNamespaceOf: pidfd)
    }
  }

  mutating func build(
    root mount: borrowing RootMount, launcher: borrowing ContainerLauncher
  ) throws(KernelError) {
    let root = Handle(mount.tree.fileDescriptor)
    try program.begin(spec.process, of: spec.hostname)
    try program.offsetClocks(by: spec.settings.timeOffsets)
    program.setUmask(0)
    if let network = spec.networkNamespace {
      program.enter(CloneFlag.network, of: .init(network), for: "join", "the network namespace")
    }
    let memory = try program.openSharedMemory(of: spec.settings.sharedMemoryOf)
    var sources = try openSources()
    let streams = try openStreams()
    enterNamespaces(launcher.template.namespace.fileDescriptor)
    let masks = try open("/", .currentFolder, "the masks")
    for layer in mount.layers.descriptors {
      program.move(Handle(layer), onto: masks, for: "take along", "what the root folder is made of")
    }
    for index in sources.indices {
      guard let carrier = sources[index].mount.carrier else { continue }
      program.move(Handle(carrier), onto: masks, for: "take along", sources[index].mount.target)
      sources[index].handle = try copy(sources[index].mount)
    }
    program.enterRoot(root, "the root folder")
    if let identities = spec.identities { program.makeFiles(as: identities.range.first, "the container's root") }
    try mountKernelFileSystems(root: root, masks: masks)
    try mountDevices(root: root)
    try mountQueues()
    if !spec.settings.keepsTemporaryFolder { try mountTemporary("/tmp", root: root) }
    if let memory {
      let place = try open("/dev/shm", .currentFolder, "/dev/shm")
      program.move(memory, onto: place, for: "mount on", "/dev/shm")
    }
    try attach(sources, root: root)
    if !spec.settings.usesHostNames {
      try program.setHostname(spec.hostname)
      if let domainname = spec.domainname { try program.setDomainname(domainname) }
    }
    let folder = spec.process.workingDirectory
    if ContainerPath.normalized(folder) != "/" {
      try program.makePath(folder, for: "make working directory")
    }
    if spec.readOnlyRoot {
      program.setMount(root, MountAttribute.readOnly, for: "make read-only", "the root folder")
    }
    if let identities = spec.identities { enter(identities) }
    try arrangeDescriptors(streams: streams, launcher: launcher)
    program.confine(spec.process, as: credentials)
    // A change of user forgets it.
    if spec.endsWithCaller { program.endWithCaller() }
    try execute()
  }

  // MARK: What needs the host's paths

  private mutating func openSources() throws(KernelError) -> [(mount: ContainerMount, handle: Handle, isFile: Bool)] {
    var sources: [(mount: ContainerMount, handle: Handle, isFile: Bool)] = []
    for mount in spec.mounts {
      var status = stat()
      switch mount.source {
      case .tmpfs:
        sources.append((mount, .none, false))
        continue
      case .path(let path): try check("mount", path) { fstatat(AT_FDCWD, path, &status, 0) }
      case .descriptor(let descriptor):
        try check("mount", mount.target) { fstat(descriptor.rawValue, &status) }
      }
      let handle: Handle = if mount.carrier == nil { try copy(mount) } else { .none }
      sources.append((mount, handle, status.st_mode & S_IFMT != S_IFDIR))
    }
    return sources
  }

  /// Copies the mount of a source, with the container's attributes and ids.
  private mutating func copy(_ mount: ContainerMount) throws(KernelError) -> Handle {
    let from: (folder: Handle, path: String)
    switch mount.source {
    case .tmpfs: return .none
    case .path(let path): from = (.currentFolder, path)
    case .descriptor(let descriptor): from = (Handle(descriptor), "")
    }
    let own = MountAttribute.noSuid | MountAttribute.noDev
    var attributes: UInt64 = 0
    if mount.readOnly { attributes |= MountAttribute.readOnly }
    if mount.noSuid { attributes |= MountAttribute.noSuid }
    if mount.noDev { attributes |= MountAttribute.noDev }
    if mount.noExec { attributes |= MountAttribute.noExec }
    let subject = from.path.isEmpty ? mount.target : from.path
    let handle = try program.openTree(
      from.path, in: from.folder, isRecursive: mount.recursive, setting: attributes,
      clearing: mount.isOwn ? own : 0, propagation: mount.followsHost ? MountFlag.slave : MountFlag.private,
      for: "mount", subject)
    if let identities = spec.identities, mount.identityMapping != .none {
      program.map(
        handle, to: Handle(identities.namespace), isRecursive: mount.recursive,
        leavesUnmappable: mount.identityMapping == .whenPossible, for: RootMount.mapping, subject)
    }
    return handle
  }

  private mutating func openStreams() throws(KernelError) -> [Handle] {
    var handles: [Handle] = []
    // One for all, as most services read nothing.
    var null: Handle?
    for stream in [spec.stdio.input, spec.stdio.output, spec.stdio.error] {
      switch stream {
      case .null:
        let handle = if let null { null } else { try program.openNull() }
        handles.append(handle)
        null = handle
      case .descriptor(let descriptor): handles.append(Handle(descriptor))
      case .fifo(let path):
        let handle = try program.open(path, O_RDWR | O_NOCTTY)
        let owner = spec.identities.map { $0.range.first + credentials.uid } ?? credentials.uid
        program.giveTo(owner, handle, path)
        handles.append(handle)
      }
    }
    return handles
  }

  private mutating func enterNamespaces(_ template: FileDescriptor) {
    program.enter(CloneFlag.mount, of: Handle(template), for: "enter", "the empty mount namespace")
    var own = CloneFlag.mount | CloneFlag.cgroup
    if !spec.settings.usesHostNames { own |= CloneFlag.uts }
    switch spec.settings.ipc {
    case .own: own |= CloneFlag.ipc
    case .host: break
    case .process(let pidfd):
      program.enter(CloneFlag.ipc, of: .init(pidfd), for: "join", "the ipc namespace")
    }
    program.unshare(own, "namespaces")
  }

  /// Enters the user namespace. From here on the mounts are locked together, and nobody in the container can undo one
  /// of them (mount_namespaces(7)).
  private mutating func enter(_ identities: ContainerIdentities) {
    program.enter(CloneFlag.user, of: Handle(identities.namespace), for: "enter", "the user namespace")
    program.becomeRoot()
    program.unshare(CloneFlag.mount, "a mount namespace in the user namespace")
  }

  // MARK: Inside the root

  private mutating func open(
    _ path: String, _ folder: Handle, _ subject: String
  ) throws(KernelError) -> Handle {
    try program.open(path, in: folder, OpenFlag.path | O_DIRECTORY | O_NOFOLLOW, subject)
  }

  private mutating func target(
    _ path: String, root: Handle, isFile: Bool = false, rules: UInt64 = 0
  ) throws(KernelError) -> Handle {
    try program.makeTarget(
      path, below: root, isFile: isFile, rules: rules,
      for: rules & ResolveFlag.noSymlinks == 0 ? "make mount target" : "use, as a folder and not a link,", path)
  }

  private mutating func mountKernelFileSystems(root: Handle, masks: Handle) throws(KernelError) {
    let safe = MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec
    let proc = try target("/proc", root: root, rules: ResolveFlag.noSymlinks)
    try program.mount("proc", options: nil, on: proc, flags: safe, "/proc")
    try program.set(spec.settings.kernelParameters)
    // Masks are placed from the root of the fresh mount, where every name is the kernel's own.
    let masked = spec.process.confinement.masksKernelPaths
    let mountedProc = try open("/proc", .currentFolder, "/proc")
    let parameters = masked ? try networkParameters(below: mountedProc) : nil
    for path in masked ? KernelPaths.readOnlyInProc : [] {
      try program.makeReadOnly(path, below: mountedProc, "/proc/\(path)")
    }
    for path in masked ? KernelPaths.maskedInProc : [] {
      try program.mask(path, below: mountedProc, with: masks, "/proc/\(path)")
    }
    if let parameters {
      let place = try open(KernelPaths.networkParameters, mountedProc, "/proc/\(KernelPaths.networkParameters)")
      program.move(parameters, onto: place, for: "mount on", "/proc/\(KernelPaths.networkParameters)")
    }
    let sys = try target("/sys", root: root, rules: ResolveFlag.noSymlinks)
    try program.mount("sysfs", options: nil, on: sys, flags: masked ? safe | MountFlag.readOnly : safe, "/sys")
    let mountedSys = try open("/sys", .currentFolder, "/sys")
    for path in masked ? KernelPaths.maskedInSys : [] {
      try program.mask(path, below: mountedSys, with: masks, "/sys/\(path)")
    }
    try mountControlGroups(isReadOnly: masked)
  }

  /// The parameters of its network, as a mount that stays writable when all of /proc/sys is made read-only; nil where it may
  /// not write to them.
  private mutating func networkParameters(below proc: Handle) throws(KernelError) -> Handle? {
    guard spec.settings.hasOwnNetwork, spec.process.confinement.capabilities.contains(.netAdmin) else { return nil }
    return try program.openTree(
      KernelPaths.networkParameters, in: proc, for: "mount", "/proc/\(KernelPaths.networkParameters)")
  }

  /// The cgroups as the container's own namespace shows them: itself at the top.
  private mutating func mountControlGroups(isReadOnly: Bool) throws(KernelError) {
    let flags = MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec | (isReadOnly ? MountFlag.readOnly : 0)
    let trees = spec.settings.controlGroups
    guard !trees.isEmpty else { return }
    let place = try open("/sys/fs/cgroup", .currentFolder, "/sys/fs/cgroup")
    if trees.count == 1, trees[0].controllers == nil {
      return try program.mount("cgroup2", options: nil, on: place, flags: flags, "/sys/fs/cgroup")
    }
    try program.mount(
      "tmpfs", options: "mode=0755,size=64k", on: place, flags: flags & ~MountFlag.readOnly, "/sys/fs/cgroup")
    let folder = try open("/sys/fs/cgroup", .currentFolder, "/sys/fs/cgroup")
    for tree in trees {
      let path = "/sys/fs/cgroup/\(tree.name)"
      try program.makeFolder(tree.name, in: folder, path)
      let inner = try open(tree.name, folder, path)
      try program.mount(
        tree.controllers == nil ? "cgroup2" : "cgroup", options: tree.controllers, on: inner, flags: flags, path)
    }
    if isReadOnly { program.setMount(folder, MountAttribute.readOnly, for: "make read-only", "/sys/fs/cgroup") }
  }

  private mutating func mountDevices(root: Handle) throws(KernelError) {
    let place = try target("/dev", root: root, rules: ResolveFlag.noSymlinks)
    try program.mount("tmpfs", options: "mode=0755,size=64k", on: place, flags: MountFlag.noSuid, "/dev")
    let dev = try open("/dev", .currentFolder, "/dev")
    for (name, major, minor) in KernelPaths.devices {
      try program.makeNode(
        name, in: dev, mode: KernelPaths.characterDevice, device: makeDevice(major, minor), "/dev/\(name)")
    }
    try program.make(spec.settings.devices, in: dev)
    for (name, destination) in KernelPaths.deviceLinks {
      try program.makeLink(name, in: dev, to: destination, "/dev/\(name)")
    }
    for name in ["pts", "shm", "mqueue"] {
      try program.makeFolder(name, in: dev, "/dev/\(name)")
    }
    let quiet = MountFlag.noSuid | MountFlag.noExec
    let ptsPlace = try open("pts", dev, "/dev/pts")
    let terminals = (spec.identities?.range.first ?? 0) + 5
    // Of all terminals, which the kernel counts for the host as a whole (kernel.pty.max), one container has no more than a share.
    let options = "newinstance,ptmxmode=0666,mode=0620,gid=\(terminals),max=\(KernelPaths.terminals)"
    try program.mount("devpts", options: options, on: ptsPlace, flags: quiet, "/dev/pts")
    if !replacesDefault("/dev/shm") {
      let shm = try open("shm", dev, "/dev/shm")
      try program.mount(
        "tmpfs", options: "mode=1777,size=\(spec.settings.sharedMemorySize ?? 64 << 20)", on: shm,
        flags: quiet | MountFlag.noDev, "/dev/shm")
    }
  }

  /// Mounts the message queues of the ipc namespace that the process is in.
  private mutating func mountQueues() throws(KernelError) {
    let queues = try open("/dev/mqueue", .currentFolder, "/dev/mqueue")
    try program.mount(
      "mqueue", options: nil, on: queues, flags: MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec, "/dev/mqueue")
  }

  private func replacesDefault(_ path: String) -> Bool {
    spec.mounts.contains { ContainerPath.normalized($0.target) == path }
  }

  private mutating func mountTemporary(_ path: String, root: Handle) throws(KernelError) {
    if replacesDefault(path) { return }
    let place = try target(path, root: root)
    try program.mount(
      "tmpfs", options: TemporaryFileSystem.options(mode: 0o1777, size: spec.settings.temporarySize), on: place,
      flags: MountFlag.noSuid | MountFlag.noDev, path)
  }

  private mutating func attach(
    _ sources: [(mount: ContainerMount, handle: Handle, isFile: Bool)], root: Handle
  ) throws(KernelError) {
    for (mount, handle, isFile) in sources {
      let path = ContainerPath.normalized(mount.target)
      if path == "/" { throw KernelError("mount on", mount.target, errno: .invalidArgument) }
      let place = try target(path, root: root, isFile: isFile)
      guard case .tmpfs(let size, let mode) = mount.source else {
        program.move(handle, onto: place, for: "mount on", path)
        continue
      }
      var flags: UInt64 = 0
      if mount.readOnly { flags |= MountFlag.readOnly }
      if mount.noSuid { flags |= MountFlag.noSuid }
      if mount.noDev { flags |= MountFlag.noDev }
      if mount.noExec { flags |= MountFlag.noExec }
      if mount.keepsAccessTimes { flags |= MountFlag.noAccessTime }
      let hasShare = mount.options.contains { $0.hasPrefix("size=") }
      var options = TemporaryFileSystem.options(
        mode: mode, size: size ?? (hasShare ? nil : spec.settings.temporarySize))
      let first = spec.identities?.range.first ?? 0
      if let user = mount.owner.user { options += ",uid=\(first + user)" }
      if let group = mount.owner.group { options += ",gid=\(first + group)" }
      for option in mount.options { options += ",\(option)" }
      try program.mount("tmpfs", options: options, on: place, flags: flags, path)
    }
  }

  // MARK: The way out

  private mutating func arrangeDescriptors(
    streams: [Handle], launcher: borrowing ContainerLauncher
  ) throws(KernelError) {
    var descriptors = Program.Descriptors(input: streams[0], output: streams[1], error: streams[2])
    if spec.stdio.terminal {
      let terminals = try open("/dev/pts", .currentFolder, "/dev/pts")
      let (master, peer) = try program.openTerminal(in: terminals)
      program.send(master, as: .terminal, "the terminal")
      program.giveTo(credentials.uid, peer, "the terminal")
      descriptors = Program.Descriptors(input: peer, output: peer, error: peer)
      if spec.usesInit { descriptors.terminal = master }
    }
    if spec.usesInit {
      let initProgram = launcher.initNumber
      if initProgram < 0 {
        throw KernelError("run", "stack-init", errno: .noSuchFileOrDirectory, remedy: "say where it is installed")
      }
      descriptors.program = Handle(rawValue: initProgram)
      descriptors.record = spec.exitRecord.map { Handle($0) } ?? .none
    }
    program.arrange(descriptors)
    try program.changeFolder(to: spec.process.workingDirectory, for: "enter working directory")
    if !spec.usesInit {
      program.startSession()
      if spec.stdio.terminal { program.takeTerminal() }
    }
  }

  private mutating func execute() throws(KernelError) {
    guard spec.usesInit else { return try program.execute(spec.process, as: credentials) }
    _ = try spec.process.command()
    try program.executeDescriptor(
      ["stack-init"] + spec.process.arguments, environment: credentials.completing(spec.process.environment),
      keepsReport: true, "stack-init")
  }
}

extension Program {
  /// The host's /proc, so it comes before the first namespace is entered. In a service's own tree, the name may be a
  /// link to a descriptor of the process that opens it.
  mutating func openNull() throws(KernelError) -> Handle {
    try open("/dev/null", O_RDWR | O_NOCTTY)
  }

  /// Gives a descriptor to a user, so that the command can open it again, as /dev/stdout or /dev/pts/0.
  mutating func giveTo(_ user: UInt32, _ handle: Handle, _ subject: String) {
    if user != 0 { give(handle, to: user, subject) }
  }

  /// Whoever has just entered a user namespace has all rights in it but is still nobody there.
  mutating func becomeRoot() {
    drop(to: Credentials())
  }

  mutating func drop(to credentials: Credentials) {
    setGroups(credentials.groups)
    setGroup(credentials.gid)
    setUser(credentials.uid)
  }
}
