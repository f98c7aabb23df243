import CLinux
import Glibc
import Isolation
import Kernel
import SystemPackage

/// Compiles a ``ContainerSpec`` to the operations that its process runs.
///
/// The order: everything that needs the host's paths is opened first, then the namespaces are entered and made, the root
/// is entered, and from there on every path is inside it. Descriptors are closed before the working directory is
/// entered (CVE-2024-21626), privileges dropped last.
///
/// A user namespace is entered when all is mounted, by its root with the host's rights, and the mount namespace is then
/// made once more, as one that it owns: in that, no mount can be taken from what it covers, nor a read-only one be made
/// writable, whatever the service may do (mount_namespaces(7), "Restrictions on mount namespaces").
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
    case .own: try program.spawn(flags: CloneFlag.pid, cgroup: spec.cgroup, sharesMemory: true)
    // Processes that see nothing of the caller would see its memory.
    case .host: try program.spawn(cgroup: spec.cgroup)
    case .process(let pidfd): try program.spawn(cgroup: spec.cgroup, pidNamespaceOf: pidfd)
    }
  }

  mutating func build(
    root mount: borrowing RootMount, launcher: borrowing ContainerLauncher
  ) throws(KernelError) {
    let root = Handle(mount.tree.fileDescriptor)
    try program.enter(spec.cgroupEntrances)
    try program.limit(spec.openFiles)
    try program.raise(spec.settings.limits)
    try program.offsetClocks(by: spec.settings.timeOffsets)
    try program.adjustOOMScore(by: spec.oomScoreAdjustment, of: spec.hostname)
    try program.add(STACK_OP_UMASK, for: "set", "the umask", number: 0)
    if let network = spec.networkNamespace {
      try program.add(
        STACK_OP_SETNS, for: "join", "the network namespace", .init(network), flags: CloneFlag.network)
    }
    let memory = try program.openSharedMemory(of: spec.settings.sharedMemoryOf)
    let sources = try openSources()
    let streams = try openStreams()
    try enterNamespaces(launcher.template.namespace.fileDescriptor)
    let masks = try open("/", .currentFolder, "the masks")
    for layer in mount.layers.descriptors {
      try program.add(
        STACK_OP_MOVE_MOUNT, for: "take along", "what the root folder is made of", Handle(layer), onto: masks)
    }
    try program.add(STACK_OP_ENTER_ROOT, for: "enter", "the root folder", root)
    if let identities = spec.identities {
      try program.add(
        STACK_OP_MAKE_FILES_AS, for: "make files as", "the container's root", number: UInt64(identities.range.first))
    }
    try mountKernelFileSystems(root: root, masks: masks)
    try mountDevices(root: root)
    try mountQueues()
    try mountTemporary("/tmp", root: root)
    if let memory {
      let place = try open("/dev/shm", .currentFolder, "/dev/shm")
      try program.add(STACK_OP_MOVE_MOUNT, for: "mount on", "/dev/shm", memory, onto: place)
    }
    try attach(sources, root: root)
    if !spec.settings.usesHostNames {
      try program.add(STACK_OP_HOSTNAME, for: "set hostname", spec.hostname, text: spec.hostname)
    }
    if let domainname = spec.domainname, !spec.settings.usesHostNames {
      try program.add(STACK_OP_DOMAINNAME, for: "set domainname", domainname, text: domainname)
    }
    let folder = spec.process.workingDirectory
    if ContainerPath.normalized(folder) != "/" {
      try program.add(STACK_OP_MAKE_PATH, for: "make working directory", folder, path: folder)
    }
    if spec.readOnlyRoot {
      try program.add(
        STACK_OP_MOUNT_SETATTR, for: "make read-only", "the root folder", root, number: MountAttribute.readOnly)
    }
    if let identities = spec.identities { try enter(identities) }
    try arrangeDescriptors(streams: streams, launcher: launcher)
    try dropPrivileges()
    try execute(launcher: launcher)
  }

  // MARK: What needs the host's paths

  private mutating func openSources() throws(KernelError) -> [(mount: ContainerMount, handle: Handle, isFile: Bool)] {
    var sources: [(mount: ContainerMount, handle: Handle, isFile: Bool)] = []
    let own = MountAttribute.noSuid | MountAttribute.noDev
    for mount in spec.mounts {
      var attributes: UInt64 = 0
      if mount.readOnly { attributes |= MountAttribute.readOnly }
      if mount.noSuid { attributes |= MountAttribute.noSuid }
      if mount.noDev { attributes |= MountAttribute.noDev }
      if mount.noExec { attributes |= MountAttribute.noExec }
      var status = stat()
      let from: (folder: Handle, path: String)
      switch mount.source {
      case .tmpfs:
        sources.append((mount, .none, false))
        continue
      case .path(let path):
        try check("mount", path) { fstatat(AT_FDCWD, path, &status, 0) }
        from = (.currentFolder, path)
      case .descriptor(let descriptor):
        try check("mount", mount.target) { fstat(descriptor.rawValue, &status) }
        from = (Handle(descriptor), "")
      }
      let (handle, slot) = program.newSlot()
      try program.add(
        STACK_OP_OPEN_TREE, for: "mount", from.path.isEmpty ? mount.target : from.path, from.folder, slot: slot,
        flags: mount.recursive ? At.recursive : 0, number: attributes, clear: mount.isOwn ? own : 0, path: from.path)
      if let identities = spec.identities, mount.identityMapping != .none {
        try program.add(
          STACK_OP_MAP_MOUNT, for: RootMount.mapping, from.path.isEmpty ? mount.target : from.path, handle,
          onto: Handle(identities.namespace), flags: mount.recursive ? At.recursive : 0,
          number: mount.identityMapping == .whenPossible ? 1 : 0)
      }
      sources.append((mount, handle, status.st_mode & S_IFMT != S_IFDIR))
    }
    return sources
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
        let (handle, slot) = program.newSlot()
        try program.add(
          STACK_OP_OPEN, for: "open", path, .currentFolder, slot: slot, flags: UInt64(O_RDWR | O_NOCTTY), path: path)
        let owner = spec.identities.map { $0.range.first + credentials.uid } ?? credentials.uid
        try program.giveTo(owner, handle, path)
        handles.append(handle)
      }
    }
    return handles
  }

  private mutating func enterNamespaces(_ template: FileDescriptor) throws(KernelError) {
    try program.add(
      STACK_OP_SETNS, for: "enter", "the empty mount namespace", Handle(template), flags: CloneFlag.mount)
    var own = CloneFlag.mount | CloneFlag.cgroup
    if !spec.settings.usesHostNames { own |= CloneFlag.uts }
    switch spec.settings.ipc {
    case .own: own |= CloneFlag.ipc
    case .host: break
    case .process(let pidfd):
      try program.add(STACK_OP_SETNS, for: "join", "the ipc namespace", .init(pidfd), flags: CloneFlag.ipc)
    }
    try program.add(STACK_OP_UNSHARE, for: "make", "namespaces", flags: own)
  }

  /// From here on the mounts that were made are locked together, and nobody of the container can undo one of them
  /// (mount_namespaces(7)).
  private mutating func enter(_ identities: ContainerIdentities) throws(KernelError) {
    try program.add(
      STACK_OP_SETNS, for: "enter", "the user namespace", Handle(identities.namespace), flags: CloneFlag.user)
    try program.becomeRoot()
    try program.add(
      STACK_OP_UNSHARE, for: "make", "a mount namespace in the user namespace", flags: CloneFlag.mount)
  }

  // MARK: Inside the root

  private mutating func open(
    _ path: String, _ folder: Handle, _ subject: String
  ) throws(KernelError) -> Handle {
    let (handle, slot) = program.newSlot()
    try program.add(
      STACK_OP_OPEN, for: "open", subject, folder, slot: slot,
      flags: UInt64(OpenFlag.path | O_DIRECTORY | O_NOFOLLOW), path: path)
    return handle
  }

  private mutating func target(
    _ path: String, root: Handle, isFile: Bool = false, rules: UInt64 = 0
  ) throws(KernelError) -> Handle {
    let (handle, slot) = program.newSlot()
    try program.add(
      STACK_OP_TARGET, for: rules & Resolve.noSymlinks == 0 ? "make mount target" : "use, as a folder and not a link,",
      path, root, slot: slot, flags: rules, number: isFile ? 1 : 0, path: path)
    return handle
  }

  private mutating func mount(
    _ type: String, _ options: String?, on handle: Handle, _ subject: String, flags: UInt64
  ) throws(KernelError) {
    var data: UnsafeRawPointer?
    if let options { data = UnsafeRawPointer(try program.string(options)) }
    try program.add(STACK_OP_MOUNT, for: "mount", subject, handle, flags: flags, text: type, data: data)
  }

  private mutating func mountKernelFileSystems(root: Handle, masks: Handle) throws(KernelError) {
    let safe = MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec
    let proc = try target("/proc", root: root, rules: Resolve.noSymlinks)
    try mount("proc", nil, on: proc, "/proc", flags: safe)
    try program.set(spec.settings.kernelParameters)
    // Masks are placed from the root of the fresh mount, where every name is the kernel's own.
    let masked = spec.process.confinement.masksKernelPaths
    let mountedProc = try open("/proc", .currentFolder, "/proc")
    let parameters = masked ? try networkParameters(below: mountedProc) : nil
    for path in masked ? KernelPaths.readOnlyInProc : [] {
      try program.add(STACK_OP_READ_ONLY, for: "make read-only", "/proc/\(path)", mountedProc, path: path)
    }
    for path in masked ? KernelPaths.maskedInProc : [] {
      try program.add(STACK_OP_MASK, for: "mask", "/proc/\(path)", mountedProc, onto: masks, path: path)
    }
    if let parameters {
      let place = try open(KernelPaths.networkParameters, mountedProc, "/proc/\(KernelPaths.networkParameters)")
      try program.add(
        STACK_OP_MOVE_MOUNT, for: "mount on", "/proc/\(KernelPaths.networkParameters)", parameters, onto: place)
    }
    let sys = try target("/sys", root: root, rules: Resolve.noSymlinks)
    try mount("sysfs", nil, on: sys, "/sys", flags: masked ? safe | MountFlag.readOnly : safe)
    let mountedSys = try open("/sys", .currentFolder, "/sys")
    for path in masked ? KernelPaths.maskedInSys : [] {
      try program.add(STACK_OP_MASK, for: "mask", "/sys/\(path)", mountedSys, onto: masks, path: path)
    }
    try mountControlGroups(isReadOnly: masked)
  }

  /// The parameters of its network, as a mount that stays writable when all of /proc/sys is made read-only; nil where it may
  /// not write to them.
  private mutating func networkParameters(below proc: Handle) throws(KernelError) -> Handle? {
    guard spec.settings.hasOwnNetwork, spec.process.confinement.capabilities.contains(.netAdmin) else { return nil }
    let (parameters, slot) = program.newSlot()
    try program.add(
      STACK_OP_OPEN_TREE, for: "mount", "/proc/\(KernelPaths.networkParameters)", proc, slot: slot,
      path: KernelPaths.networkParameters)
    return parameters
  }

  /// The cgroups as the container's own namespace shows them: itself at the top.
  private mutating func mountControlGroups(isReadOnly: Bool) throws(KernelError) {
    let flags = MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec | (isReadOnly ? MountFlag.readOnly : 0)
    let trees = spec.settings.controlGroups
    guard !trees.isEmpty else { return }
    let place = try open("/sys/fs/cgroup", .currentFolder, "/sys/fs/cgroup")
    if trees.count == 1, trees[0].controllers == nil {
      return try mount("cgroup2", nil, on: place, "/sys/fs/cgroup", flags: flags)
    }
    try mount("tmpfs", "mode=0755,size=64k", on: place, "/sys/fs/cgroup", flags: flags & ~MountFlag.readOnly)
    let folder = try open("/sys/fs/cgroup", .currentFolder, "/sys/fs/cgroup")
    for tree in trees {
      let path = "/sys/fs/cgroup/\(tree.name)"
      try program.add(STACK_OP_MKDIR, for: "make", path, folder, number: 0o755, path: tree.name)
      let inner = try open(tree.name, folder, path)
      try mount(tree.controllers == nil ? "cgroup2" : "cgroup", tree.controllers, on: inner, path, flags: flags)
    }
    if isReadOnly {
      try program.add(
        STACK_OP_MOUNT_SETATTR, for: "make read-only", "/sys/fs/cgroup", folder, number: MountAttribute.readOnly)
    }
  }

  private mutating func mountDevices(root: Handle) throws(KernelError) {
    let place = try target("/dev", root: root, rules: Resolve.noSymlinks)
    try mount("tmpfs", "mode=0755,size=64k", on: place, "/dev", flags: MountFlag.noSuid)
    let dev = try open("/dev", .currentFolder, "/dev")
    for (name, major, minor) in KernelPaths.devices {
      try program.add(
        STACK_OP_MKNOD, for: "make", "/dev/\(name)", dev, flags: KernelPaths.characterDevice,
        number: makeDevice(major, minor), path: name)
    }
    try program.make(spec.settings.devices, in: dev)
    for (name, destination) in KernelPaths.deviceLinks {
      try program.add(STACK_OP_SYMLINK, for: "make", "/dev/\(name)", dev, path: name, text: destination)
    }
    for name in ["pts", "shm", "mqueue"] {
      try program.add(STACK_OP_MKDIR, for: "make", "/dev/\(name)", dev, number: 0o755, path: name)
    }
    let quiet = MountFlag.noSuid | MountFlag.noExec
    let ptsPlace = try open("pts", dev, "/dev/pts")
    let terminals = (spec.identities?.range.first ?? 0) + 5
    // Of all terminals, which the kernel counts for the host as a whole (kernel.pty.max), one container has no more than a share.
    let options = "newinstance,ptmxmode=0666,mode=0620,gid=\(terminals),max=\(KernelPaths.terminals)"
    try mount("devpts", options, on: ptsPlace, "/dev/pts", flags: quiet)
    if !replacesDefault("/dev/shm") {
      let shm = try open("shm", dev, "/dev/shm")
      try mount(
        "tmpfs", "mode=1777,size=\(spec.settings.sharedMemorySize ?? 64 << 20)", on: shm, "/dev/shm",
        flags: quiet | MountFlag.noDev)
    }
  }

  /// Those of the ipc namespace that the process is in.
  private mutating func mountQueues() throws(KernelError) {
    let queues = try open("/dev/mqueue", .currentFolder, "/dev/mqueue")
    try mount(
      "mqueue", nil, on: queues, "/dev/mqueue", flags: MountFlag.noSuid | MountFlag.noDev | MountFlag.noExec)
  }

  private func replacesDefault(_ path: String) -> Bool {
    spec.mounts.contains { ContainerPath.normalized($0.target) == path }
  }

  private mutating func mountTemporary(_ path: String, root: Handle) throws(KernelError) {
    if replacesDefault(path) { return }
    let place = try target(path, root: root)
    try mount(
      "tmpfs", TemporaryFileSystem.options(mode: 0o1777, size: spec.settings.temporarySize), on: place, path,
      flags: MountFlag.noSuid | MountFlag.noDev)
  }

  private mutating func attach(
    _ sources: [(mount: ContainerMount, handle: Handle, isFile: Bool)], root: Handle
  ) throws(KernelError) {
    for (mount, handle, isFile) in sources {
      let path = ContainerPath.normalized(mount.target)
      if path == "/" { throw KernelError("mount on", mount.target, errno: .invalidArgument) }
      let place = try target(path, root: root, isFile: isFile)
      guard case .tmpfs(let size, let mode) = mount.source else {
        try program.add(STACK_OP_MOVE_MOUNT, for: "mount on", path, handle, onto: place)
        continue
      }
      var flags: UInt64 = 0
      if mount.readOnly { flags |= MountFlag.readOnly }
      if mount.noSuid { flags |= MountFlag.noSuid }
      if mount.noDev { flags |= MountFlag.noDev }
      if mount.noExec { flags |= MountFlag.noExec }
      let options = TemporaryFileSystem.options(mode: mode, size: size ?? spec.settings.temporarySize)
      try self.mount("tmpfs", options, on: place, path, flags: flags)
    }
  }

  // MARK: The way out

  private mutating func arrangeDescriptors(
    streams: [Handle], launcher: borrowing ContainerLauncher
  ) throws(KernelError) {
    var table = [CInt](repeating: -1, count: Int(STACK_FD_COUNT))
    if spec.stdio.terminal {
      let (master, masterSlot) = program.newSlot()
      let (peer, peerSlot) = program.newSlot()
      let terminals = try open("/dev/pts", .currentFolder, "/dev/pts")
      try program.add(
        STACK_OP_TERMINAL, for: "open", "a terminal", terminals, slot: masterSlot, slot2: peerSlot, path: "ptmx")
      try program.add(
        STACK_OP_SEND, for: "hand over", "the terminal", master, number: UInt64(Report.Mark.terminal.rawValue))
      try program.giveTo(credentials.uid, peer, "the terminal")
      for index in 0..<3 { table[index] = peer.rawValue }
      if spec.usesInit { table[Int(STACK_FD_TERMINAL)] = master.rawValue }
    } else {
      for (index, stream) in streams.enumerated() { table[index] = stream.rawValue }
    }
    if spec.usesInit {
      let initProgram = launcher.initNumber
      if initProgram < 0 {
        throw KernelError("run", "stack-init", errno: .noSuchFileOrDirectory, remedy: "say where it is installed")
      }
      table[Int(STACK_FD_PROGRAM)] = initProgram
      table[Int(STACK_FD_RECORD)] = spec.exitRecord?.rawValue ?? -1
    }
    let list = program.values(table)
    try program.add(STACK_OP_DESCRIPTORS, for: "arrange", "descriptors", data: list)
    try program.add(
      STACK_OP_CHDIR, for: "enter working directory", spec.process.workingDirectory,
      path: spec.process.workingDirectory)
    if !spec.usesInit {
      try program.add(STACK_OP_SETSID, for: "start", "a session")
      if spec.stdio.terminal { try program.add(STACK_OP_CONTROLLING_TERMINAL, for: "take", "the terminal") }
    }
  }

  private mutating func dropPrivileges() throws(KernelError) {
    // Only now: with few descriptors, or little memory, nothing of the above could be done.
    try program.limit(spec.settings.limits)
    try program.add(STACK_OP_UMASK, for: "set", "the umask", number: UInt64(spec.process.umask))
    try program.drop(to: credentials, spec.process.confinement)
  }

  private mutating func execute(launcher: borrowing ContainerLauncher) throws(KernelError) {
    let process = spec.process
    guard let name = process.arguments.first else {
      throw KernelError("execute", "an empty command", errno: .invalidArgument)
    }
    let environment = credentials.completing(process.environment)
    if spec.usesInit {
      let command = try program.command(argv: ["stack-init"] + process.arguments, env: environment)
      try program.add(STACK_OP_EXEC_DESCRIPTOR, for: "execute", "stack-init", number: 1, data: command)
    } else {
      let command = try program.command(
        argv: process.arguments, env: environment,
        candidates: ContainerPath.candidates(for: name, environment: environment))
      try program.add(STACK_OP_EXEC, for: "execute", name, data: command)
    }
  }
}

extension Program {
  /// The host's, so it comes before the first namespace is entered: what a service has made of its own may be a link to a
  /// descriptor of the process that opens it.
  mutating func openNull() throws(KernelError) -> Handle {
    let (null, slot) = newSlot()
    try add(
      STACK_OP_OPEN, for: "open", "/dev/null", .currentFolder, slot: slot, flags: UInt64(O_RDWR | O_NOCTTY),
      path: "/dev/null")
    return null
  }

  mutating func limit(_ openFiles: OpenFileLimit?) throws(KernelError) {
    guard let openFiles else { return }
    let limit = values([openFiles.value])
    try add(STACK_OP_LIMIT, for: "set", "the limit of open files", flags: UInt64(RLIMIT_NOFILE.rawValue), data: limit)
  }

  /// While the host's /proc is there, and the right to lower it.
  mutating func adjustOOMScore(by adjustment: Int32?, of subject: String) throws(KernelError) {
    guard let adjustment else { return }
    try add(
      STACK_OP_WRITE, for: "set the OOM score of", subject, path: "/proc/self/oom_score_adj", text: String(adjustment))
  }

  /// So that the command can open it again, as /dev/stdout or /dev/pts/0, whoever it runs as.
  mutating func giveTo(_ user: UInt32, _ handle: Handle, _ subject: String) throws(KernelError) {
    if user == 0 { return }
    try add(STACK_OP_CHOWN, for: "give to the container's user", subject, handle, number: UInt64(user))
  }

  /// Whoever has just entered a user namespace has all rights in it but is still nobody there.
  mutating func becomeRoot() throws(KernelError) {
    try drop(to: Credentials())
  }

  mutating func drop(to credentials: Credentials) throws(KernelError) {
    let groups = values(credentials.groups)
    try add(
      STACK_OP_SETGROUPS, for: "set", "supplementary groups", number: UInt64(credentials.groups.count), data: groups)
    try add(STACK_OP_SETGID, for: "become", "group \(credentials.gid)", number: UInt64(credentials.gid))
    try add(STACK_OP_SETUID, for: "become", "user \(credentials.uid)", number: UInt64(credentials.uid))
  }
}
