import CLinux
import Glibc
import Kernel
import SystemPackage

/// A line of mountinfo (proc_pid_mountinfo(5)).
public struct MountEntry: Hashable, Sendable {
  public let id: Int
  public let parent: Int
  /// The part of the file system that is mounted.
  public let root: String
  public let mountPoint: String
  public let fileSystem: String
  public let source: String
  /// The options of the file system as a whole.
  public let superOptions: [String]

  /// `nil` for a line that is not as the manual page has it.
  init?(line: Substring) {
    let fields = line.split(separator: " ", omittingEmptySubsequences: false)
    guard fields.count >= 10, let id = Int(fields[0]), let parent = Int(fields[1]),
      let dash = fields[6...].firstIndex(of: "-"), fields.count > dash + 3
    else { return nil }
    self.id = id
    self.parent = parent
    root = Self.decoded(fields[3])
    mountPoint = Self.decoded(fields[4])
    fileSystem = String(fields[dash + 1])
    source = Self.decoded(fields[dash + 2])
    superOptions = fields[dash + 3].split(separator: ",").map(String.init)
  }

  /// Space, tab, newline, backslash and `#` stand as a backslash and three octal digits.
  static func decoded(_ field: Substring) -> String {
    if !field.utf8.contains(UInt8(ascii: "\\")) { return String(field) }
    let bytes = Array(field.utf8)
    var text: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "\\"), index + 3 < bytes.count,
        let byte = UInt8(String(decoding: bytes[(index + 1)...(index + 3)], as: UTF8.self), radix: 8)
      {
        text.append(byte)
        index += 4
      } else {
        text.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// Mounts of the calling thread's mount namespace.
public enum Mounts {
  /// All of them, in the kernel's order: what is mounted on something comes after it.
  ///
  /// - Parameter prefix: how the names of the file systems begin whose mounts are wanted. Lines of others are not read
  ///   any further.
  public static func all(ofFileSystems prefix: StaticString = "") throws(KernelError) -> [MountEntry] {
    // A mount namespace is the thread's: /proc/self is the first thread.
    let path = "/proc/thread-self/mountinfo"
    let bytes = try Descriptor.open(path, O_RDONLY).read(upTo: 64 << 20, path: path)
    // Optional fields, of which there may be any number, end with a single dash. No earlier field contains a space.
    let type = Array(" - \(prefix)".utf8)
    return bytes.split(separator: UInt8(ascii: "\n"))
      .filter { line in line.indices.contains { line[$0...].starts(with: type) } }
      .compactMap { MountEntry(line: Substring(decoding: $0, as: UTF8.self)) }
  }

  /// The mounts at `path` and below it, in the order to unmount them in: the last made first.
  public static func below(_ path: String) throws(KernelError) -> [MountEntry] {
    let prefix = path.hasSuffix("/") ? path : path + "/"
    return try all().filter { $0.mountPoint == path || $0.mountPoint.hasPrefix(prefix) }.reversed()
  }

  /// Mounts a tmpfs with nosuid and nodev on the folder at `path`. `size` in bytes; half of memory when `nil`.
  public static func tmpfs(at path: String, size: UInt64? = nil, mode: UInt16 = 0o755) throws(KernelError) {
    let options = TemporaryFileSystem.options(mode: mode, size: size)
    try check("mount tmpfs on", path) {
      mount("tmpfs", path, "tmpfs", UInt(MountFlag.noSuid | MountFlag.noDev), options)
    }
    // Shared with other mount namespaces, each would keep it in use after it is unmounted here.
    try check("make private", path) { mount(nil, path, nil, UInt(MountFlag.private), nil) }
  }

  /// Mounts a file system with nosuid and nodev, as mount(8) does.
  ///
  /// - Parameter options: those of mount(8) that are attributes of mounts, and those of the file system.
  public static func fileSystem(
    _ type: String, of device: String, at path: String, options: [String]
  ) throws(KernelError) {
    let attributes: [String: UInt64] = [
      "ro": MountFlag.readOnly, "noexec": MountFlag.noExec, "noatime": MountFlag.noAccessTime, "rw": 0, "exec": 0,
      "nosuid": 0, "nodev": 0, "defaults": 0,
    ]
    let flags = options.reduce(MountFlag.noSuid | MountFlag.noDev) { $0 | (attributes[$1] ?? 0) }
    let data = options.filter { attributes[$0] == nil }.joined(separator: ",")
    try check("mount \(type) \(device) on", path) { mount(device, path, type, UInt(flags), data) }
    try check("make private", path) { mount(nil, path, nil, UInt(MountFlag.private), nil) }
  }

  /// True if something is mounted on the folder itself.
  public static func isMounted(at path: String) -> Bool { stack_is_mount_point(AT_FDCWD, path) == 1 }

  /// Mounts a folder with nosuid and nodev on another.
  public static func bind(_ folder: String, at path: String) throws(KernelError) {
    let tree = Descriptor(
      adopting: try check("bind", folder) { stack_open_tree(AT_FDCWD, folder, OpenTree.clone) })
    try check("bind", folder) {
      stack_mount_setattr(
        tree.rawValue, "", UInt32(At.emptyPath), MountAttribute.noSuid | MountAttribute.noDev, 0, MountFlag.private)
    }
    try check("mount on", path) { stack_move_mount(tree.rawValue, "", AT_FDCWD, path, MoveMount.fromDescriptor) }
  }

  /// Mounts a folder on itself, with all that is mounted below it, with nosuid and nodev.
  public static func restrict(_ path: String) throws(KernelError) {
    let action = "mount on itself"
    let tree = Descriptor(
      adopting: try check(action, path) { stack_open_tree(AT_FDCWD, path, OpenTree.clone | UInt32(At.recursive)) })
    try check(action, path) {
      stack_mount_setattr(
        tree.rawValue, "", UInt32(At.emptyPath) | UInt32(At.recursive), MountAttribute.noSuid | MountAttribute.noDev, 0,
        MountFlag.private)
    }
    try check(action, path) { stack_move_mount(tree.rawValue, "", AT_FDCWD, path, MoveMount.fromDescriptor) }
  }

  /// True if a folder is mounted on itself.
  public static func isMountedOnItself(_ path: String) throws(KernelError) -> Bool {
    let mounts = try all()
    guard let mount = mounts.last(where: { $0.mountPoint == path }),
      let below = mounts.first(where: { $0.id == mount.parent })
    else { return false }
    let (point, root) = (below.mountPoint == "/" ? "" : below.mountPoint, below.root == "/" ? "" : below.root)
    return mount.fileSystem == below.fileSystem && mount.source == below.source && path.hasPrefix(point + "/")
      && mount.root == root + path.dropFirst(point.utf8.count)
  }

  /// Unmounts what is on top at `path`, without following a link there. `detach` lets go of it while still in use.
  public static func unmount(_ path: String, detach: Bool = false) throws(KernelError) {
    try check("unmount", path) {
      umount2(path, UnmountFlag.noFollow | (detach ? UnmountFlag.detach : 0))
    }
  }
}
