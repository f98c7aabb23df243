import Glibc
import Host
import Intent
import Isolation
import Kernel
import Loop
import Runtime
import SystemPackage
import Vocabulary

extension StackBuilder {
  /// Makes the service's container and starts its command in it.
  func start(_ service: DesiredService) throws(KernelError) -> ServiceProcess {
    let paths = folder.service(service.name)
    try makeFolder(of: service)
    let output = try openOutput(of: service)
    let namespace = try namespace(of: service)
    let exitRecord = try emptyFile(paths.exit)
    let entrance = try makeControlGroup(of: service).entrance(with: service.limits)
    let context = ProcessContext(service, entrance)
    try StateFile(path: paths.execContext).write(context)
    let birthplace = try entrance.birthplace()

    let shared = try sharedSources(of: service)
    let rootFolder = try sharedRoot(of: service)
    var process = try context.process(
      service.process.arguments, terminal: service.terminalKind, openFiles: openFiles, filters: filters)
    (process.cgroup, process.cgroupEntrances) = (birthplace.descriptor, entrance.open)
    var spec = ContainerSpec(
      hostname: service.hostname, root: try root(of: service, paths, rootFolder), process: process)
    spec.domainname = service.domainname
    spec.networkNamespace = namespace.descriptor.fileDescriptor
    spec.readOnlyRoot = service.process.isRootReadOnly
    spec.mounts = try mounts(of: service, paths, shared, rootFolder)
    spec.stdio = stdio(of: service, paths)
    let neighbours = try neighbours(of: service)
    spec.settings = try settings(of: service, neighbours)
    spec.settings.controlGroups = controlGroups.trees(enteredBy: entrance.open)
    if service.settings.ipc == .host { spec.mounts.insert(.bind("/dev/shm", at: "/dev/shm"), at: 0) }
    spec.usesInit = service.process.usesInit
    spec.exitRecord = exitRecord.fileDescriptor
    do {
      let process = try launch(spec, for: service, in: namespace)
      withExtendedLifetime((neighbours, shared, rootFolder)) {}
      return ServiceProcess(process, output: output)
    } catch {
      throw explained(error, service)
    }
  }

  /// Starts the container, in the user namespace that owns its network, if there is one.
  private func launch(
    _ spec: ContainerSpec, for service: DesiredService, in network: SharedNamespace
  ) throws(KernelError) -> LaunchedProcess {
    let shared = try launchers.shared()
    guard let range = service.identityRange else { return try shared.launcher.launch(spec) }
    let users = try UserNamespace(owning: network.namespace, range: range)
    var spec = spec
    spec.identities = users.identities
    return try shared.launcher.launch(spec)
  }

  /// Says what to do where it is the file that has to be corrected.
  private func explained(_ error: KernelError, _ service: DesiredService) -> KernelError {
    guard error.remedy == nil else { return error }
    if error.execShellCode != nil { return explainedExecution(error, service) }
    let mount = service.mounts.first { $0.target == error.subject }
    guard let mount, error.action == "mount on", error.errno == .invalidArgument else { return error }
    return explainedMount(error, mount)
  }

  /// The kernel mounts files on files and folders on folders (mount(2)), and says no more than that it does not.
  private func explainedMount(_ error: KernelError, _ mount: DesiredMount) -> KernelError {
    var status = stat()
    let kind: String
    switch mount.source {
    case .folder(let path, _):
      kind = "\(path) is a \(stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR ? "folder" : "file")"
    case .contents: kind = "a secret or config is a file"
    case .volume, .anonymous, .anonymousOf, .tmpfs: kind = "a volume is a folder"
    }
    let place = mount.declaredAt.map { " (\($0))" } ?? ""
    var error = error
    error.remedy =
      "a file can be mounted on a file alone, a folder on a folder, and \(kind): correct the volume\(place)"
    return error
  }

  private func explainedExecution(_ error: KernelError, _ service: DesiredService) -> KernelError {
    var error = error
    let place = service.declaredAt.map { " (\($0))" } ?? ""
    error.remedy =
      switch error.errno {
      case .noSuchFileOrDirectory: "see that the service's root has this program, or correct its command\(place)"
      case .argListTooLong: "shorten the service's command or environment\(place)"
      default: "see that the file is a program and may be executed, or correct the command\(place)"
      }
    return error
  }

  private func root(
    of service: DesiredService, _ paths: ServiceFolder, _ shared: SharedDescriptor?
  ) throws(KernelError) -> ContainerRoot {
    let lower: String
    let opened = shared.map { "/proc/self/fd/\($0.descriptor.rawValue)" }
    switch service.root {
    case .direct(let folder): return .direct(opened ?? folder)
    case .overlay(let folder): lower = opened ?? folder
    case .host: lower = try builtHostRoot().lower
    case .image(let image):
      try makeUpper(of: service, paths)
      return .layered(
        within: folder.imageLayers, lower: image.layers.map { "\($0)/fs" }, upper: paths.upper, work: paths.work)
    }
    try makeUpper(of: service, paths)
    return .overlay(lower: [lower], upper: paths.upper, work: paths.work)
  }

  private func makeUpper(of service: DesiredService, _ paths: ServiceFolder) throws(KernelError) {
    try makeLayer(of: service, paths)
    for path in [paths.upper, paths.work] { try Files.makeFolder(path, mode: 0o755) }
  }

  private func stdio(of service: DesiredService, _ paths: ServiceFolder) -> ContainerStdio {
    var stdio = ContainerStdio()
    stdio.output = .fifo(paths.stdout)
    stdio.error = .fifo(paths.stderr)
    if service.process.keepsStdinOpen { stdio.input = .fifo(paths.stdin) }
    stdio.terminal = service.process.hasTerminal
    return stdio
  }

  /// The files that make the container know its place come first, so that a volume over /etc covers them if it is meant to.
  private func mounts(
    of service: DesiredService, _ paths: ServiceFolder, _ shared: [Int: SharedDescriptor], _ root: SharedDescriptor?
  ) throws(KernelError) -> [ContainerMount] {
    var mounts: [ContainerMount] = []
    if service.root == .host { mounts += try builtHostRoot().mounts }
    let hosts = service.hostsFile
    let names: [ContainerMount] = [
      .bind("\(folder.names)/\(hosts)", at: "/etc/hosts", readOnly: true),
      .bind(resolverFile(of: service), at: "/etc/resolv.conf", readOnly: true),
      .bind(paths.hostname, at: "/etc/hostname", readOnly: true),
    ]
    for var mount in names {
      mount.identityMapping = .whenPossible
      (mount.noSuid, mount.noDev) = (true, true)
      mounts.append(mount)
    }
    for (number, mount) in service.mounts.enumerated() {
      var place = try containerMount(mount, number, of: service, paths, root)
      if let source = shared[number] { place.source = .descriptor(source.descriptor.fileDescriptor) }
      mounts.append(place)
    }
    return mounts
  }

  /// The root folder, where services can write to a folder around it.
  private func sharedRoot(of service: DesiredService) throws(KernelError) -> SharedDescriptor? {
    guard let folder = service.sharedFolderOfRoot, let path = service.root.folder else { return nil }
    return SharedDescriptor(try SharedFolder(folder).open(String(path.dropFirst(folder.count)), creates: false))
  }

  /// Sources in folders that services can write to, by the numbers of their mounts. A service could put a link to any other
  /// folder of the host in their place, also between a look and a start.
  private func sharedSources(of service: DesiredService) throws(KernelError) -> [Int: SharedDescriptor] {
    var sources: [Int: SharedDescriptor] = [:]
    for (number, mount) in service.mounts.enumerated() {
      guard let folder = mount.sharedFolder, case .folder(let path, let creates) = mount.source else { continue }
      let below = String(path.dropFirst(folder.count))
      sources[number] = SharedDescriptor(try SharedFolder(folder).open(below, creates: creates))
    }
    return sources
  }

  /// The resolv.conf of a service. On the host's own network, a resolver on the host's loopback is reachable too.
  private func resolverFile(of service: DesiredService) -> String {
    let hosts = "/etc/resolv.conf"
    return service.namespace == .host && Files.exists(hosts) ? hosts : "\(folder.names)/\(service.resolverFile)"
  }

  private func containerMount(
    _ mount: DesiredMount, _ number: Int, of service: DesiredService, _ paths: ServiceFolder, _ root: SharedDescriptor?
  ) throws(KernelError) -> ContainerMount {
    switch mount.source {
    case .folder(let path, _):
      var bind = ContainerMount.bind(path, at: mount.target, readOnly: mount.isReadOnly, recursive: true)
      // If the mount cannot be idmapped, its files belong to nobody inside. The file systems that matter were checked
      // before.
      bind.identityMapping = .whenPossible
      bind.followsHost = mount.followsHost
      return bind
    case .volume(let name):
      return try volume(mount.volumeFolder ?? folder.volume(name), mount, of: service, paths, root)
    case .anonymous where service.image != nil || mount.isLent:
      let path = paths.keptVolume(mount.target)
      try Files.makeFolder(path, mode: 0o755, above: 0o700)
      return try volume(path, mount, of: service, paths, root)
    case .anonymousOf(let lender):
      return try volume(folder.service(lender).keptVolume(mount.target), mount, of: service, paths, root)
    case .contents(let text, let mode, let user, let group):
      let path = paths.madeFile(number)
      try makeFile(path, text, mode: mode, user: user, group: group, of: service)
      var bind = ContainerMount.bind(path, at: mount.target, readOnly: true)
      bind.identityMapping = .none
      (bind.noSuid, bind.noDev) = (true, true)
      return bind
    case .anonymous:
      try makeAnonymousVolume(number, of: service, paths)
      try fill(
        paths.anonymousVolume(number), for: mount, of: service, paths, root: root, first: service.firstIdentity ?? 0)
      var bind = ContainerMount.bind(paths.anonymousVolume(number), at: mount.target, readOnly: mount.isReadOnly)
      bind.identityMapping = .none
      bind.noDev = !makesDevices(service)
      return bind
    case .tmpfs(let size, let mode):
      var tmpfs = ContainerMount.tmpfs(at: mount.target, size: size, mode: UInt16(truncatingIfNeeded: mode ?? 0o1777))
      tmpfs.readOnly = mount.isReadOnly
      tmpfs.noExec = !mount.tmpfs.isExecutable
      tmpfs.owner = (mount.tmpfs.user, mount.tmpfs.group)
      tmpfs.keepsAccessTimes = mount.tmpfs.options.contains("noatime")
      tmpfs.options = mount.tmpfs.options.filter { $0 != "noatime" }
      return tmpfs
    }
  }

  /// A service without this capability has no device nodes in its volumes, unless somebody else put them there.
  private func makesDevices(_ service: DesiredService) -> Bool {
    service.process.security.capabilities.contains(.mknod)
  }

  /// A volume on disk, which holds the ids of inside.
  private func volume(
    _ path: String, _ mount: DesiredMount, of service: DesiredService, _ paths: ServiceFolder, _ root: SharedDescriptor?
  ) throws(KernelError) -> ContainerMount {
    try fill(path, for: mount, of: service, paths, root: root, first: 0)
    var bind = ContainerMount.bind(path, at: mount.target, readOnly: mount.isReadOnly)
    bind.isOwn = true
    // An attribute that is set counts before one that is cleared (mount_setattr(2)).
    bind.noDev = !makesDevices(service)
    // What lies elsewhere may be on a file system whose ids cannot be changed.
    if mount.volumeFolder != nil { bind.identityMapping = .whenPossible }
    if let below = mount.subpath {
      bind.source = .path(try insideVolume(path, below))
    }
    return bind
  }

  /// A folder or file of a volume.
  ///
  /// - Throws: that it is not there, or that a link on the way leads out of the volume, which services can write to.
  private func insideVolume(_ volume: String, _ below: String) throws(KernelError) -> String {
    let path = "\(volume)/\(below)"
    guard let real = realpath(path, nil) else { throw KernelError("mount", path, errno: .last) }
    defer { free(real) }
    let found = String(cString: real)
    guard found == volume || found.hasPrefix("\(volume)/") else {
      throw KernelError(
        "mount", path, errno: .tooManySymbolicLinkLevels, remedy: "a link on the way leads out of the volume: remove it"
      )
    }
    return found
  }

  /// A file of a service's own, with the ids of outside.
  private func makeFile(
    _ path: String, _ text: String, mode: UInt32, user: UInt32, group: UInt32, of service: DesiredService
  ) throws(KernelError) {
    try Files.remove(path)
    try Files.overwrite(path, with: [UInt8](text.utf8), mode: [.ownerReadWrite])
    let first = service.firstIdentity ?? 0
    guard lchown(path, first + user, first + group) == 0 else { throw KernelError("give away", path, errno: .last) }
    guard chmod(path, mode) == 0 else { throw KernelError("set the mode of", path, errno: .last) }
  }

  /// It lies beside the writable layer and like that holds what is in it with the ids of outside.
  private func makeAnonymousVolume(
    _ number: Int, of service: DesiredService, _ paths: ServiceFolder
  ) throws(KernelError) {
    let path = paths.anonymousVolume(number)
    if Files.exists(path) { return }
    try makeLayer(of: service, paths)
    try Files.makeFolder(path, mode: 0o755)
    guard let owner = service.firstIdentity else { return }
    if lchown(path, owner, owner) != 0 {
      throw KernelError("give to the service's root", path, errno: .last)
    }
  }

  /// The exit record of a former run must not be taken for one of this run.
  private func emptyFile(_ path: String) throws(KernelError) -> Descriptor {
    let number = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
    guard number >= 0 else { throw KernelError("open", path, errno: .last) }
    return Descriptor(adopting: number)
  }
}

extension DesiredService {
  /// The ids that its users are outside; nil where they are the host's.
  var identityRange: IdentityRange? { firstIdentity.map(IdentityRange.init) }
}
