import Glibc
public import Kernel
public import SystemPackage

/// A cgroup of the version 2 hierarchy (cgroups(7)). On a host without one, a value that does nothing.
public struct Cgroup: ~Copyable, Sendable {
  /// The folder, or `nil` when the host has no version 2 hierarchy.
  public let path: String?
  private let folder: Descriptor?
  private let mountPoint: String

  /// Where the version 2 hierarchy is mounted: `/sys/fs/cgroup`, or on a hybrid host `/sys/fs/cgroup/unified`.
  public static func mountPoint() throws(KernelError) -> String? {
    try Mounts.all().last { $0.fileSystem == "cgroup2" && $0.root == "/" }?.mountPoint
  }

  /// Makes the cgroup at `path`, relative to the hierarchy's top, and those above it; one that exists is taken over.
  ///
  /// - Parameter mountPoint: as ``mountPoint()`` answered, asked once for many.
  public static func create(_ path: String, mountPoint: String?) throws(KernelError) -> Cgroup {
    guard let mountPoint else { return Cgroup(path: nil, folder: nil, mountPoint: "") }
    let parts = path.split(separator: "/")
    guard !parts.contains("."), !parts.contains("..") else {
      throw KernelError("create cgroup", path, errno: .invalidArgument)
    }
    var full = mountPoint
    for part in parts {
      full += "/\(part)"
      if mkdir(full, 0o755) != 0, errno != EEXIST {
        throw KernelError("create cgroup", full, errno: Errno(rawValue: errno))
      }
    }
    let folder = try Descriptor.open(full, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    return Cgroup(path: full, folder: .some(folder), mountPoint: mountPoint)
  }

  /// Makes the cgroup `name` in one that exists; ENOENT when that does not, so none is made again that was removed.
  public static func create(
    _ name: String, in parent: String, mountPoint: String?
  ) throws(KernelError) -> Cgroup {
    guard let mountPoint else { return Cgroup(path: nil, folder: nil, mountPoint: "") }
    let full = "\(mountPoint)/\(parent)/\(name)"
    if mkdir(full, 0o755) != 0, errno != EEXIST {
      throw KernelError("create cgroup", full, errno: Errno(rawValue: errno))
    }
    return try open(name, in: parent, mountPoint: mountPoint)
  }

  /// The cgroup `name` in another; ENOENT when there is none.
  public static func open(_ name: String, in parent: String, mountPoint: String?) throws(KernelError) -> Cgroup {
    guard let mountPoint else { return Cgroup(path: nil, folder: nil, mountPoint: "") }
    let full = "\(mountPoint)/\(parent)/\(name)"
    let folder = try Descriptor.open(full, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    return Cgroup(path: full, folder: .some(folder), mountPoint: mountPoint)
  }

  /// The names of those in the cgroup at `path`: none when that does not exist.
  public static func names(in path: String, mountPoint: String?) throws(KernelError) -> [String] {
    guard let mountPoint else { return [] }
    return try children(of: "\(mountPoint)/\(path)").compactMap { child in
      child.lastIndex(of: "/").map { String(child[child.index(after: $0)...]) }
    }
  }

  private init(path: String?, folder: consuming Descriptor?, mountPoint: String) {
    self.path = path
    self.folder = folder
    self.mountPoint = mountPoint
  }

  /// For ``ContainerSpec/cgroup``.
  public var descriptor: FileDescriptor? {
    switch folder {
    case .some(let folder): folder.fileDescriptor
    case .none: nil
    }
  }

  /// The processes in it and in those below it.
  public func processes() throws(KernelError) -> [Int32] {
    guard let path else { return [] }
    return try Self.processes(in: path)
  }

  private static func processes(in path: String) throws(KernelError) -> [Int32] {
    var found: [Int32] = []
    let list = path + "/cgroup.procs"
    let bytes = try Descriptor.open(list, O_RDONLY).read(upTo: 16 << 20, path: list)
    found = String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }.filter { $0 > 0 }
    for child in try children(of: path) { found += try processes(in: child) }
    return found
  }

  private static func children(of path: String) throws(KernelError) -> [String] {
    guard let stream = opendir(path) else {
      if errno == ENOENT { return [] }
      throw KernelError("list cgroup", path, errno: Errno(rawValue: errno))
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let type = entry.pointee.d_type
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if type == DT_DIR, name != ".", name != ".." { names.append("\(path)/\(name)") }
    }
    return names
  }

  /// Kills every process in it and below, at once, whatever they fork meanwhile (cgroup.kill, Linux 5.14).
  ///
  /// Without cgroup.kill: one by one until none is left, a bounded number of times; EBUSY when some still are.
  public func kill() throws(KernelError) {
    guard let path else { return }
    let control = path + "/cgroup.kill"
    do {
      let file = try Descriptor.open(control, O_WRONLY)
      try check("kill", path) { CInt(Glibc.write(file.rawValue, "1", 1)) }
      return
    } catch {
      if error.errno != .noSuchFileOrDirectory { throw error }
    }
    for _ in 0..<100 {
      let processes = try processes()
      if processes.isEmpty { return }
      for pid in processes { try Self.killMember(pid, of: path) }
      usleep(1000)
    }
    throw KernelError("kill", path, errno: .resourceBusy, detail: "processes keep coming")
  }

  /// Through a descriptor, and only if it still is a member once that is held.
  private static func killMember(_ pid: Int32, of path: String) throws(KernelError) {
    guard let pidfd = try ProcessIdentity.descriptor(of: pid) else { return }
    if try processes(in: path).contains(pid) { try? ProcessHandle.send(SIGKILL, to: pidfd) }
  }

  /// Removes it and those below it, leaves first, then the folders above it that are empty, up to the one named by
  /// `upTo` (relative, as given to ``create(_:mountPoint:)``), which goes too. Gone already is no error.
  ///
  /// The processes of a killed cgroup take a moment to leave it: EBUSY is tried again for at most a second.
  public consuming func remove(upTo top: String? = nil) throws(KernelError) {
    guard let path else { return }
    try Self.removeTree(path)
    guard let top else { return }
    let end = "\(mountPoint)/\(top)"
    var current = path
    while current.hasPrefix(end + "/"), let slash = current.lastIndex(of: "/") {
      current = String(current[..<slash])
      // Others may still be in use by the stack's other services.
      if rmdir(current) != 0 { return }
    }
  }

  /// Removes it if nothing is in it: false when something is, also a process that has been killed and not gone yet.
  public borrowing func removeIfEmpty() -> Bool {
    guard let path else { return true }
    return rmdir(path) == 0 || errno == ENOENT
  }

  private static func removeTree(_ path: String) throws(KernelError) {
    for child in try children(of: path) { try removeTree(child) }
    for attempt in 0... {
      if rmdir(path) == 0 || errno == ENOENT { return }
      if errno != EBUSY || attempt == 200 {
        throw KernelError("remove cgroup", path, errno: Errno(rawValue: errno))
      }
      usleep(5000)
    }
  }
}
