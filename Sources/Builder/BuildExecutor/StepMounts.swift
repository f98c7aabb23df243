import BuildIgnore
import CLinux
import Digests
import Dockerfile
import Glibc
import ImageStore
import Kernel
import Runtime
import SystemPackage

/// The mounts of one RUN step, by its `--mount` flags. All that was made for it goes with this value.
final class StepMounts {
  private let builder: StageBuilder
  private let place: StepPlace
  private(set) var mounts: [ContainerMount] = []
  private(set) var points: [(path: String, isFile: Bool)] = []
  /// `NAME=value`, of secrets.
  private(set) var environment: [String] = []
  /// Values that are not shown.
  private(set) var secrets: [[UInt8]] = []
  private var descriptors: [FileDescriptor] = []
  private var locks: [LockBox] = []
  private var roots: [RootBox] = []
  private var steps: [String] = []
  private var files: [String] = []

  private final class LockBox {
    let lock: FileLock
    init(_ lock: consuming FileLock) { self.lock = lock }
  }

  private final class RootBox {
    let root: MappedRoot
    init(_ root: consuming MappedRoot) { self.root = root }
  }

  init(_ builder: StageBuilder, _ place: StepPlace) { (self.builder, self.place) = (builder, place) }

  deinit {
    for file in files { unlink(file) }
    for descriptor in descriptors { try? descriptor.close() }
    for step in steps { builder.store.abandon(step: step) }
  }

  func add(_ mount: RunMount) throws {
    switch mount.kind {
    case .cache: try addCache(mount)
    case .bind: try addBind(mount)
    case .tmpfs:
      append(.tmpfs(at: try target(mount), size: mount.size, mode: 0o1777), isFile: false)
    case .secret: try addSecret(mount)
    case .ssh:
      throw BuildFailure(
        nil, "a mount of type ssh is not built: stack forwards no agent",
        remedy: "give the key as a secret: --mount=type=secret,id=…")
    }
  }

  private func append(_ mount: ContainerMount, isFile: Bool) {
    mounts.append(mount)
    points.append((mount.target, isFile))
  }

  private func target(_ mount: RunMount) throws -> String {
    guard let text = mount.target, !text.isEmpty else {
      throw BuildFailure(nil, "a mount of type \(mount.kind.rawValue) has no target", remedy: "add target=/path")
    }
    let path = builder.absolute(text)
    guard path != "/" else { throw BuildFailure(nil, "a mount cannot cover the whole root", remedy: "name a folder") }
    return path
  }

  // MARK: Caches

  private func addCache(_ mount: RunMount) throws {
    let target = try target(mount)
    let name = try ContentHash.digest(of: Array((mount.id ?? target).utf8)).hex
    let folder = try openCache(name, mount)
    var path = "\(folder)/fs"
    // Nobody else writes to the folder's name, and its root cannot be a link.
    var number = try check("open", path) { open(path, OpenFlag.path | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
    descriptors.append(FileDescriptor(rawValue: number))
    if let source = mount.source, mount.from == nil {
      // Steps write to what is in it, also at this moment: no link is followed.
      path += "/\(source)"
      number = try check("open", path) {
        stack_openat2(
          number, source, UInt64(OpenFlag.path | O_DIRECTORY | O_CLOEXEC), 0,
          ResolveFlag.inRoot | ResolveFlag.noSymlinks | ResolveFlag.noMagicLinks)
      }
      descriptors.append(FileDescriptor(rawValue: number))
    }
    var bind = ContainerMount(.descriptor(FileDescriptor(rawValue: number)), at: target, readOnly: false)
    bind.isOwn = true
    append(bind, isFile: false)
  }

  /// The folder of a cache, made with its lock taken where the mount's sharing says so.
  private func openCache(_ name: String, _ mount: RunMount) throws -> String {
    let store = builder.store
    for number in 0..<1000 {
      let folder = "\(store.cachesFolder)/\(number == 0 ? name : "\(name).\(number)")"
      let lockPath = "\(folder).lock"
      switch mount.sharing {
      case .shared: break
      case .locked:
        if let lock = try FileLock.take(lockPath, .exclusive, wait: { true }) { locks.append(LockBox(lock)) }
      case .private:
        guard let lock = try FileLock.take(lockPath, .exclusive, wait: { false }) else { continue }
        locks.append(LockBox(lock))
      }
      try make(folder, mount)
      utimensat(AT_FDCWD, folder, nil, 0)
      return folder
    }
    throw BuildFailure(nil, "the cache \(mount.id ?? mount.target ?? "") is in use by 1,000 steps")
  }

  /// Makes a cache's folder with what it begins with, so that others see it whole or not at all.
  private func make(_ folder: String, _ mount: RunMount) throws {
    guard !Files.exists("\(folder)/fs") else { return }
    let fresh = "\(folder).new.\(getpid()).\(builder.lane)"
    try Files.remove(fresh)
    try Files.makeFolder(fresh)
    try Files.makeFolder("\(fresh)/fs", mode: 0o755)
    if mount.from != nil { try seed("\(fresh)/fs", mount) }
    if chown("\(fresh)/fs", mount.uid ?? 0, mount.gid ?? 0) != 0 || chmod("\(fresh)/fs", mount.mode ?? 0o755) != 0 {
      throw KernelError("make", folder, errno: .last)
    }
    if rename(fresh, folder) != 0 {
      let failure = Errno.last
      try Files.remove(fresh)
      guard Files.exists("\(folder)/fs") else { throw KernelError("make", folder, errno: failure) }
    }
  }

  private func seed(_ folder: String, _ mount: RunMount) throws {
    let source = try builder.source(from: mount.from)
    let number = try check("open", folder) { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    let target = Descriptor(adopting: number)
    var writer = CopyWriter(to: target.fileDescriptor, CopyAttributes(), stop: builder.services.stop)
    try writer.enter("/")
    for found in try source.root.sources(Array((mount.source ?? "/").utf8)) where found.isFolder {
      try source.copy(found, excluding: IgnorePatterns(), with: &writer) { $0.path }
    }
    try writer.finish()
  }

  // MARK: Binds

  /// Files of the context or of another stage. What is written to them goes with the step.
  private func addBind(_ mount: RunMount) throws {
    let target = try target(mount)
    let source = mount.source ?? "/"
    let layers: [ImageRecord.Layer]
    var own: String?
    if let known = try builder.layers(from: mount.from) {
      layers = known
    } else {
      // Files of a folder of the host are copied, so that nothing of it changes while the step runs.
      let step = try builder.store.beginStep()
      steps.append(step)
      own = step
      layers = []
      try builder.copyWhole(from: mount.from, source, to: step)
    }
    let root = RootBox(try MappedRoot(builder, layers, own.map { ["\($0)/fs"] } ?? [], place.users.identities))
    roots.append(root)
    let opened = try root.root.open(source)
    var bind = ContainerMount(.descriptor(opened.descriptor), at: target, readOnly: mount.isReadOnly)
    descriptors.append(opened.descriptor)
    bind.carrier = root.root.fileDescriptor
    bind.identityMapping = .none
    append(bind, isFile: opened.isFile)
  }

  // MARK: Secrets

  private func addSecret(_ mount: RunMount) throws {
    let id = mount.id ?? mount.target.map { $0.split(separator: "/").last.map(String.init) ?? $0 } ?? ""
    guard let value = builder.request.secrets[id] else {
      guard mount.isRequired else { return }
      throw BuildFailure(
        nil, "the build was given no secret \(id)",
        remedy: "give it: --secret id=\(id),src=FILE, or under build.secrets")
    }
    secrets.append(value)
    if let variable = mount.variable {
      environment.append("\(variable.isEmpty ? id : variable)=\(String(decoding: value, as: UTF8.self))")
      if mount.target == nil { return }
    }
    let target = builder.absolute(mount.target ?? "/run/secrets/\(id)")
    try addFile(value, at: target, mode: mode_t(mount.mode ?? 0o400), uid: mount.uid ?? 0, gid: mount.gid ?? 0)
  }

  /// A heredoc that is a program.
  ///
  /// - Returns: its path inside.
  func script(_ name: String, _ content: String) throws -> String {
    let target = "/dev/pipes/\(name.filter { $0 != "/" })"
    try addFile(Array(content.utf8), at: target, mode: 0o755, uid: 0, gid: 0)
    return target
  }

  /// A file that is nowhere on disk, and whose owner is a user of the step.
  private func addFile(_ bytes: [UInt8], at target: String, mode: mode_t, uid: UInt32, gid: UInt32) throws {
    let folder = builder.services.passing
    try Files.makeFolder(folder)
    let path = "\(folder)/\(getpid()).\(UInt64.random(in: 0 ... .max))"
    let number = try check("make", path) { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600) }
    files.append(path)
    let file = Descriptor(adopting: number)
    do throws(Errno) {
      try file.fileDescriptor.writeInFull(bytes)
    } catch {
      throw KernelError("write", path, errno: error)
    }
    let range = place.users.range
    guard let user = range.outside(uid), let group = range.outside(gid) else {
      throw BuildFailure(nil, "user \(uid):\(gid) of a mount is beyond the 65536 that a step has")
    }
    try check("give to the step", path) { fchown(file.rawValue, user, group) }
    try check("give to the step", path) { fchmod(file.rawValue, mode) }
    var bind = ContainerMount.bind(path, at: target, readOnly: true)
    bind.identityMapping = .none
    append(bind, isFile: true)
  }
}
