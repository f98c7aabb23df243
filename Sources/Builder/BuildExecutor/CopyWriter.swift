import CImages
import CLinux
import Glibc
import Kernel
import SystemPackage

/// One thing to be copied.
struct CopyItem: Hashable {
  /// Below the source's root, in parts that are bytes.
  var source: [[UInt8]]
  /// Below the destination. None: the destination itself.
  var target: [[UInt8]]
}

/// The attributes that copies get in place of those of their sources.
struct CopyAttributes: Hashable {
  /// Nil: the source's own.
  var owner: (user: UInt32, group: UInt32)?
  /// Permissions of every file and folder. Nil: the source's own.
  var mode: mode_t?
  /// True if devices are copied, too.
  var keepsDevices = false

  static func == (left: Self, right: Self) -> Bool {
    left.owner?.user == right.owner?.user && left.owner?.group == right.owner?.group && left.mode == right.mode
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(owner?.user)
    hasher.combine(owner?.group)
    hasher.combine(mode)
  }
}

/// Copies trees into a root folder. The root is that of an image: no link in it leads out of it, and none is followed below
/// the destination.
struct CopyWriter: ~Copyable {
  private let root: FileDescriptor
  private let source: FileDescriptor
  private let attributes: CopyAttributes
  /// The folders of the last source and the last copy: most things are in the same ones as those before.
  private var sourceFolder: Recent?
  private var targetFolder: Recent?
  private var destination: Descriptor?
  private var destinationPath = "/"
  /// Folders whose times are set when all is in them, the deepest last.
  private var folders: [(target: [[UInt8]], status: stat)] = []
  private var linked: [Identity: [[UInt8]]] = [:]
  private let stop: StopSignal

  private final class Recent {
    let path: [[UInt8]]
    let folder: Descriptor

    init(_ path: [[UInt8]], _ folder: consuming Descriptor) {
      self.path = path
      self.folder = folder
    }
  }

  private struct Identity: Hashable {
    var device: dev_t
    var inode: ino_t
  }

  init(from source: FileDescriptor, to root: FileDescriptor, _ attributes: CopyAttributes, stop: StopSignal) {
    (self.source, self.root, self.attributes, self.stop) = (source, root, attributes, stop)
  }

  // MARK: The destination

  private static let inRoot = UInt64(0x12)
  private static let noLinks = UInt64(0x0C)

  /// True if there is a folder at a path of the root, through its links.
  static func isFolder(_ path: String, in root: FileDescriptor) -> Bool {
    let number = stack_openat2(root.rawValue, path, UInt64(O_DIRECTORY | O_CLOEXEC), 0, inRoot)
    if number >= 0 { close(number) }
    return number >= 0
  }

  /// Opens a folder of the root, made with those above it if it is missing.
  ///
  /// - Parameter owner: of the folders that are made.
  static func makeFolder(
    _ path: String, in root: FileDescriptor, owner: (user: UInt32, group: UInt32)
  ) throws(KernelError) -> Descriptor {
    var place = Descriptor(adopting: try check("open", "/") { open(".", in: root) })
    var made = ""
    for part in path.split(separator: "/") where part != "." {
      made += "/\(part)"
      let number = stack_openat2(root.rawValue, made, UInt64(O_DIRECTORY | O_CLOEXEC), 0, inRoot)
      if number >= 0 {
        place = Descriptor(adopting: number)
        continue
      }
      guard errno == ENOENT else {
        throw KernelError(
          "use as a folder", made, errno: .last,
          detail: errno == ENOTDIR ? "something else has that name in the image" : nil)
      }
      try check("make folder", made) { mkdirat(place.rawValue, String(part), 0o755) }
      let opened = Descriptor(
        adopting: try check("open", made) {
          openat(place.rawValue, String(part), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        })
      try check("give to its owner", made) { fchown(opened.rawValue, owner.user, owner.group) }
      try check("set the mode of", made) { fchmod(opened.rawValue, 0o755) }
      place = opened
    }
    return place
  }

  private static func open(_ path: String, in root: FileDescriptor) -> CInt {
    stack_openat2(root.rawValue, path, UInt64(O_DIRECTORY | O_CLOEXEC), 0, inRoot)
  }

  /// Takes a folder of the root for the destination of what comes.
  mutating func enter(_ path: String) throws(KernelError) {
    destination = try Self.makeFolder(path, in: root, owner: attributes.owner ?? (0, 0))
    destinationPath = path
    targetFolder = nil
  }

  // MARK: Copying

  /// Copies things, folders before what is in them.
  mutating func copy(_ items: some Sequence<CopyItem>) throws(KernelError) {
    var count = 0
    for item in items {
      count += 1
      if count % 256 == 0, stop.isRaised { throw KernelError("copy", "files", errno: .interrupted) }
      try copy(item)
    }
  }

  /// Writes a file that is nobody's copy.
  mutating func write(_ bytes: [UInt8], as name: [UInt8], mode: mode_t) throws(KernelError) {
    let number = try create([name], mode: 0o600)
    let file = Descriptor(adopting: number)
    do {
      try file.fileDescriptor.writeInFull(bytes)
    } catch {
      throw KernelError("write", shown([name]), errno: error)
    }
    let owner = attributes.owner ?? (0, 0)
    try check("give to its owner", shown([name])) { fchown(file.rawValue, owner.user, owner.group) }
    try check("set the mode of", shown([name])) { fchmod(file.rawValue, attributes.mode ?? mode) }
  }

  /// Sets the times of folders, now that all is in them.
  mutating func finish() throws(KernelError) {
    for (target, status) in folders.reversed() {
      let folder = try folder(target)
      try check("set the time of", shown(target)) {
        images_set_time_of(folder, Int64(status.st_mtim.tv_sec), status.st_mtim.tv_nsec)
      }
    }
    folders = []
  }

  private mutating func copy(_ item: CopyItem) throws(KernelError) {
    let parent = try sourceParent(item.source)
    let name = Self.cString(item.source.last ?? [0x2E])
    var status = stat()
    try check("look at", Self.text(item.source)) { fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: try makeFolder(item, parent, name, status)
    case S_IFREG: try copyFile(item, parent, name, status)
    case S_IFLNK: try copyLink(item, parent, name, status)
    case S_IFIFO: try makeNode(item, status)
    case S_IFCHR, S_IFBLK: if attributes.keepsDevices { try makeNode(item, status) }
    // A socket is of a process that will not be there.
    default: break
    }
  }

  private mutating func makeFolder(
    _ item: CopyItem, _ source: CInt, _ sourceName: [CChar], _ status: stat
  ) throws(KernelError) {
    guard let last = item.target.last else { return }
    let parent = try folder(Array(item.target.dropLast()))
    let name = Self.cString(last)
    if mkdirat(parent, name, 0o700) != 0 {
      guard errno == EEXIST else { throw KernelError("make folder", shown(item.target), errno: .last) }
      var present = stat()
      try check("look at", shown(item.target)) { fstatat(parent, name, &present, AT_SYMLINK_NOFOLLOW) }
      guard present.st_mode & S_IFMT == S_IFDIR else {
        throw KernelError(
          "copy a folder to", shown(item.target), errno: .notDirectory,
          detail: "something else has that name in the image",
          remedy: "copy it to another name, or remove that first: RUN rm")
      }
    }
    let opened = Descriptor(
      adopting: try check("open", shown(item.target)) {
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      })
    let original = Descriptor(
      adopting: try check("open", Self.text(item.source)) {
        openat(source, sourceName, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      })
    try setAttributes(of: opened.rawValue, from: original.rawValue, status, item.target)
    folders.append((item.target, status))
    targetFolder = Recent(item.target, opened)
  }

  private mutating func copyFile(
    _ item: CopyItem, _ parent: CInt, _ name: [CChar], _ found: stat
  ) throws(KernelError) {
    let identity = Identity(device: found.st_dev, inode: found.st_ino)
    if found.st_nlink > 1, let first = linked[identity] { return try link(item.target, to: first) }
    let original = Descriptor(
      adopting: try check("open", Self.text(item.source)) {
        openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      })
    var status = stat()
    try check("look at", Self.text(item.source)) { fstat(original.rawValue, &status) }
    // Something else took its place a moment ago.
    guard status.st_mode & S_IFMT == S_IFREG else { return }
    let file = Descriptor(adopting: try create(item.target, mode: 0o600))
    try check("copy to", shown(item.target)) { stack_copy_file(original.rawValue, file.rawValue) }
    try setAttributes(of: file.rawValue, from: original.rawValue, status, item.target)
    try check("set the time of", shown(item.target)) {
      images_set_time_of(file.rawValue, Int64(status.st_mtim.tv_sec), status.st_mtim.tv_nsec)
    }
    if found.st_nlink > 1 { linked[identity] = item.target }
  }

  private mutating func copyLink(
    _ item: CopyItem, _ parent: CInt, _ name: [CChar], _ status: stat
  ) throws(KernelError) {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let length = readlinkat(parent, name, &target, Int(PATH_MAX))
    guard length > 0 else { throw KernelError("read", Self.text(item.source), errno: .last) }
    let last = Self.cString(item.target.last ?? [])
    let folder = try folder(Array(item.target.dropLast()))
    try makeRoom(last, in: folder, item.target)
    try check("make", shown(item.target)) { symlinkat(target, folder, last) }
    try setAttributes(at: folder, last, status, item.target)
  }

  private mutating func makeNode(_ item: CopyItem, _ status: stat) throws(KernelError) {
    let last = Self.cString(item.target.last ?? [])
    let folder = try folder(Array(item.target.dropLast()))
    try makeRoom(last, in: folder, item.target)
    try check("make", shown(item.target)) {
      images_make_device(
        folder, last, status.st_mode & ~mode_t(0o7777) | 0o600, images_major(status.st_rdev),
        images_minor(status.st_rdev))
    }
    try setAttributes(at: folder, last, status, item.target)
    try check("set the mode of", shown(item.target)) {
      fchmodat(folder, last, attributes.mode ?? status.st_mode & 0o7777, 0)
    }
  }

  private mutating func link(_ target: [[UInt8]], to first: [[UInt8]]) throws(KernelError) {
    let source = fcntl(try folder(Array(first.dropLast())), F_DUPFD_CLOEXEC, 3)
    guard source >= 0 else { throw KernelError("open the folder of", shown(first), errno: .last) }
    let held = Descriptor(adopting: source)
    let folder = try folder(Array(target.dropLast()))
    let last = Self.cString(target.last ?? [])
    try makeRoom(last, in: folder, target)
    try check("link", shown(target)) { linkat(held.rawValue, Self.cString(first.last ?? []), folder, last, 0) }
  }

  // MARK: Parts

  private mutating func create(_ target: [[UInt8]], mode: mode_t) throws(KernelError) -> CInt {
    let folder = try folder(Array(target.dropLast()))
    let last = Self.cString(target.last ?? [])
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let number = openat(folder, last, flags, mode)
    if number >= 0 { return number }
    guard errno == EEXIST else { throw KernelError("make", shown(target), errno: .last) }
    try makeRoom(last, in: folder, target)
    return try check("make", shown(target)) { openat(folder, last, flags, mode) }
  }

  /// Takes away what has a name, unless it is a folder.
  private func makeRoom(_ name: [CChar], in folder: CInt, _ target: [[UInt8]]) throws(KernelError) {
    guard unlinkat(folder, name, 0) != 0, errno != ENOENT else { return }
    let isFolder = errno == EISDIR
    throw KernelError(
      "replace", shown(target), errno: .last, detail: isFolder ? "it is a folder in the image" : nil,
      remedy: isFolder ? "copy to another name, or remove the folder first: RUN rm -r" : nil)
  }

  private func setAttributes(
    of file: CInt, from source: CInt, _ status: stat, _ target: [[UInt8]]
  ) throws(KernelError) {
    let owner = attributes.owner ?? (status.st_uid, status.st_gid)
    // A change of owner clears set-user-ID and the capability.
    try check("give to its owner", shown(target)) { fchown(file, owner.user, owner.group) }
    try check("set the attributes of", shown(target)) { stack_copy_attributes(source, file) }
    try check("set the mode of", shown(target)) { fchmod(file, attributes.mode ?? status.st_mode & 0o7777) }
  }

  private func setAttributes(
    at folder: CInt, _ name: [CChar], _ status: stat, _ target: [[UInt8]]
  ) throws(KernelError) {
    let owner = attributes.owner ?? (status.st_uid, status.st_gid)
    try check("give to its owner", shown(target)) {
      fchownat(folder, name, owner.user, owner.group, AT_SYMLINK_NOFOLLOW)
    }
    try check("set the time of", shown(target)) {
      images_set_time(folder, name, Int64(status.st_mtim.tv_sec), status.st_mtim.tv_nsec)
    }
  }

  /// The folder that a source is in. The number is on loan until the next call.
  private mutating func sourceParent(_ path: [[UInt8]]) throws(KernelError) -> CInt {
    let parent = Array(path.dropLast())
    if let sourceFolder, sourceFolder.path == parent { return sourceFolder.folder.rawValue }
    let number = try check("open", Self.text(parent)) {
      stack_openat2(source.rawValue, Self.path(parent), UInt64(O_DIRECTORY | O_CLOEXEC), 0, Self.inRoot)
    }
    sourceFolder = Recent(parent, Descriptor(adopting: number))
    return number
  }

  /// A folder below the destination. The number is on loan until the next call.
  private mutating func folder(_ path: [[UInt8]]) throws(KernelError) -> CInt {
    if let targetFolder, targetFolder.path == path { return targetFolder.folder.rawValue }
    let base = destinationNumber
    let number = try check("open", shown(path)) {
      stack_openat2(base, Self.path(path), UInt64(O_DIRECTORY | O_CLOEXEC), 0, Self.noLinks)
    }
    targetFolder = Recent(path, Descriptor(adopting: number))
    return number
  }

  private var destinationNumber: CInt {
    switch destination {
    case .some(let folder): folder.rawValue
    case .none: root.rawValue
    }
  }

  private static func path(_ parts: [[UInt8]]) -> [CChar] {
    parts.isEmpty ? [0x2E, 0] : cString(Array(parts.joined(separator: [0x2F])))
  }

  private static func cString(_ bytes: [UInt8]) -> [CChar] { bytes.map(CChar.init(bitPattern:)) + [0] }

  private static func text(_ parts: [[UInt8]]) -> String {
    VisibleText.line(String(decoding: Array(parts.joined(separator: [0x2F])), as: UTF8.self))
  }

  private func shown(_ target: [[UInt8]]) -> String {
    let base = destinationPath.hasSuffix("/") ? destinationPath : destinationPath + "/"
    return base + Self.text(target)
  }
}
