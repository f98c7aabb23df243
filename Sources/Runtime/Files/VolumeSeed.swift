import CLinux
import Glibc
import Kernel
import SystemPackage

/// A root's folder, copied into a volume that is empty: contents, owners, modes, times and extended attributes, also those of the
/// folder itself. Links of the root lead nowhere but into it.
public struct VolumeSeed: ~Copyable {
  private let root: RootMount
  /// Gone with this value.
  private let scratch: String?

  /// Files with several names, and where the copy of each is.
  private var copies: [FileIdentity: Copy] = [:]
  /// 0 once the kernel does not copy from this file system to that one.
  private var sharesBlocks: CInt = 1

  private struct FileIdentity: Hashable {
    var device: dev_t
    var inode: ino_t
  }

  private struct Copy {
    /// Relative to the volume; empty for itself.
    var folder: [CChar]
    var name: [CChar]
  }

  /// Deeper than any tree that somebody has made for use.
  private static let deepest = 200

  /// - Parameters:
  ///   - image: the folder that an image's layers are in, and their names in it, the topmost first.
  ///   - scratch: a path for folders that last as long as this value, on a file system that can hold a writable layer.
  public init(image: (folder: String, layers: [String]), scratch: String) throws(KernelError) {
    self.scratch = scratch
    for path in [scratch, "\(scratch)/upper", "\(scratch)/work"] { try Files.makeFolder(path) }
    let layers = ContainerRoot.layered(
      within: image.folder, lower: image.layers, upper: "\(scratch)/upper", work: "\(scratch)/work")
    root = try RootMount.make(layers, for: nil)
  }

  /// - Parameter folder: the root as it is.
  public init(folder: borrowing Descriptor) throws(KernelError) {
    scratch = nil
    root = RootMount(tree: try folder.duplicate())
  }

  public init(root path: String) throws(KernelError) {
    try self.init(folder: try Descriptor.open(path, OpenFlag.path | O_DIRECTORY))
  }

  deinit {
    if let scratch { try? Files.remove(scratch) }
  }

  /// Fills a volume if there is nothing in it yet, or a filling of it was broken off. One service at a time does so.
  ///
  /// - Parameters:
  ///   - target: the path in the image.
  ///   - first: what is added to the ids of owners.
  public mutating func fill(_ volume: String, from target: String, first: UInt32) throws(KernelError) {
    let folder = try Descriptor.open(volume, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    try check("lock", volume) { flock(folder.rawValue, LOCK_EX) }
    if stack_is_filling(folder.rawValue) == 1 {
      for entry in try folder.entries(of: volume) { try Files.remove("\(volume)/\(entry.text)") }
    }
    guard try folder.entries(of: volume).isEmpty else { return }
    let number = stack_openat2(
      root.tree.rawValue, target, UInt64(O_RDONLY | O_DIRECTORY), 0, ResolveFlag.inRoot | ResolveFlag.noMagicLinks)
    // Where the root has no folder, the volume stays as it is.
    guard number >= 0 else { return }
    let source = Descriptor(adopting: number)
    // On a file system without attributes, what a broken filling left stays.
    let isMarked = stack_mark_filling(folder.rawValue, 1) == 0
    copies = [:]
    try copyFolder(source, to: folder, Context(path: volume, first: first, volume: folder.rawValue))
    if isMarked { try check("fill", volume) { stack_mark_filling(folder.rawValue, 0) } }
  }

  /// True if a volume has nothing of its own: it is empty, or was filled in part.
  public static func isUnfilled(_ volume: String) -> Bool {
    guard let folder = try? Descriptor.open(volume, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) else { return false }
    return stack_is_filling(folder.rawValue) == 1 || (try? folder.entries(of: volume).isEmpty) == true
  }

  private struct Context {
    var path: String
    var first: UInt32
    /// The volume itself, on loan.
    var volume: CInt
    /// The folder that is being copied, from there on.
    var parts: [[CChar]] = []

    var depth: Int { parts.count }

    func entering(_ name: FolderEntry) -> Context {
      Context(path: "\(path)/\(name.text)", first: first, volume: volume, parts: parts + [name.name])
    }

    /// The folder of an entry, relative to the volume.
    var parent: [CChar] { parts.dropLast().flatMap { $0.dropLast() + [0x2F] } + [0x2E, 0] }

    /// An id that a service cannot show is nobody's.
    func outside(_ id: uid_t) -> uid_t { first == 0 ? id : first + (id < 65536 ? id : 65534) }
  }

  private mutating func copyFolder(
    _ source: borrowing Descriptor, to target: borrowing Descriptor, _ context: Context
  ) throws(KernelError) {
    guard context.depth < Self.deepest else {
      throw KernelError("copy", context.path, errno: .fileNameTooLong, detail: "folders are too deep")
    }
    for entry in try source.entries(of: context.path) {
      try copy(entry.name, in: source, to: target, context.entering(entry))
    }
    var status = stat()
    try check("look at", context.path) { fstat(source.rawValue, &status) }
    try finish(source, target, status, context)
  }

  private mutating func copy(
    _ name: [CChar], in source: borrowing Descriptor, to target: borrowing Descriptor, _ context: Context
  ) throws(KernelError) {
    var status = stat()
    try check("look at", context.path) { fstatat(source.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) }
    let flags = O_NOFOLLOW | O_CLOEXEC
    switch status.st_mode & S_IFMT {
    case S_IFDIR:
      try check("make", context.path) { mkdirat(target.rawValue, name, 0o700) }
      let from = Descriptor(
        adopting: try check("open", context.path) { openat(source.rawValue, name, O_RDONLY | O_DIRECTORY | flags) })
      let to = Descriptor(
        adopting: try check("open", context.path) { openat(target.rawValue, name, O_RDONLY | O_DIRECTORY | flags) })
      try copyFolder(from, to: to, context)
    case S_IFREG:
      let identity = FileIdentity(device: status.st_dev, inode: status.st_ino)
      if status.st_nlink > 1, let copy = copies[identity] { return try link(copy, name, in: target, context) }
      copies[identity] = status.st_nlink > 1 ? Copy(folder: context.parent, name: name) : nil
      let from = Descriptor(
        adopting: try check("open", context.path) { openat(source.rawValue, name, O_RDONLY | flags) })
      let to = Descriptor(
        adopting: try check("make", context.path) {
          openat(target.rawValue, name, O_WRONLY | O_CREAT | O_EXCL | flags, 0o600)
        })
      try check("copy", context.path) { stack_copy_file(from.rawValue, to.rawValue, &sharesBlocks) }
      try finish(from, to, status, context)
    case S_IFLNK:
      var text = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
      try check("read", context.path) { CInt(readlinkat(source.rawValue, name, &text, Int(PATH_MAX))) }
      try check("make", context.path) { symlinkat(text, target.rawValue, name) }
      try check("give to its owner", context.path) {
        fchownat(
          target.rawValue, name, context.outside(status.st_uid), context.outside(status.st_gid), AT_SYMLINK_NOFOLLOW)
      }
    case S_IFIFO:
      try check("make", context.path) { mkfifoat(target.rawValue, name, status.st_mode & 0o7777) }
      try check("give to its owner", context.path) {
        fchownat(
          target.rawValue, name, context.outside(status.st_uid), context.outside(status.st_gid), AT_SYMLINK_NOFOLLOW)
      }
    // Sockets are of processes that are not there, and a volume has no devices.
    default: break
    }
  }

  /// Whoever has the volume, too, may have put a link in a folder's place meanwhile.
  private func link(
    _ copy: Copy, _ name: [CChar], in target: borrowing Descriptor, _ context: Context
  ) throws(KernelError) {
    let folder = Descriptor(
      adopting: try check("open the folder of", context.path) {
        stack_openat2(
          context.volume, copy.folder, UInt64(OpenFlag.path | O_DIRECTORY), 0,
          ResolveFlag.inRoot | ResolveFlag.noSymlinks)
      })
    try check("make", context.path) { linkat(folder.rawValue, copy.name, target.rawValue, name, 0) }
  }

  /// Owner first: a change of it clears set-user-ID and capability.
  private func finish(
    _ source: borrowing Descriptor, _ target: borrowing Descriptor, _ status: stat, _ context: Context
  ) throws(KernelError) {
    try check("give to its owner", context.path) {
      fchown(target.rawValue, context.outside(status.st_uid), context.outside(status.st_gid))
    }
    try check("copy the attributes of", context.path) { stack_copy_attributes(source.rawValue, target.rawValue) }
    try check("set the mode of", context.path) { fchmod(target.rawValue, status.st_mode & 0o7777) }
    let times = [status.st_atim, status.st_mtim]
    try check("set the time of", context.path) { futimens(target.rawValue, times) }
  }
}
