import BuildContext
import CImages
import CLinux
import Dockerfile
import Glibc
import Kernel
import SystemPackage

/// The attributes that copies get in place of those of their sources.
struct CopyAttributes {
  /// Nil: the source's own.
  var owner: (user: UInt32, group: UInt32)?
  /// The permissions of every file and folder. Nil: the source's own.
  var change: FileModeChange?
  /// True if devices are copied, too.
  var keepsDevices = false

  /// - Parameter mode: that of the source.
  func mode(_ mode: mode_t, isFolder: Bool = false) -> mode_t { change?.applied(to: mode, isFolder: isFolder) ?? mode }
}

/// Copies trees into a root folder. The root is that of an image: no link in it leads out of it, and none is followed
/// below the destination.
struct CopyWriter: ~Copyable {
  private let root: FileDescriptor
  private let attributes: CopyAttributes
  /// The folder of the last copy: most things are in the same one as those before.
  private var recent: Recent?
  private var destination: Descriptor?
  private var destinationPath = "/"
  /// The destination's path in the root without links, where something is filled aside.
  private var destinationPlace: [UInt8] = []
  /// Nil for a root that is no mount.
  private var fresh: FreshFolders?
  /// Folders whose times are set when all is in them, the deepest last.
  private var folders: [(target: [UInt8], time: FileTime)] = []
  private var linked: [FileIdentity: [UInt8]] = [:]
  /// Further names of files, which can be given only when all is in its place.
  private var links: [(target: [UInt8], first: [UInt8])] = []
  /// 0 once the kernel does not copy from this file system to that one.
  private var sharesBlocks: CInt = 1
  private var count = 0
  private let stop: StopSignal

  private final class Recent {
    let path: [UInt8]
    let folder: Descriptor
    /// True if it is reached by way of a mounted root.
    let isMounted: Bool

    init(_ path: [UInt8], _ folder: consuming Descriptor, isMounted: Bool) {
      (self.path, self.isMounted) = (path, isMounted)
      self.folder = folder
    }
  }

  /// - Parameter fresh: for the root of a step, new folders of its layer. The root is no longer mounted in ``finish()`` then.
  init(to root: FileDescriptor, _ attributes: CopyAttributes, stop: StopSignal, fresh: FreshFolders? = nil) {
    (self.root, self.attributes, self.stop, self.fresh) = (root, attributes, stop, fresh)
  }

  // MARK: The destination

  private static let inRoot = ResolveFlag.inRoot | ResolveFlag.noMagicLinks
  static let noLinks = ResolveFlag.beneath | ResolveFlag.noSymlinks

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
    var isNew = false
    return try makeFolder(path, in: root, owner: owner, isNew: &isNew)
  }

  private static func makeFolder(
    _ path: String, in root: FileDescriptor, owner: (user: UInt32, group: UInt32), isNew: inout Bool
  ) throws(KernelError) -> Descriptor {
    var place = Descriptor(adopting: try check("open", "/") { open(".", in: root) })
    isNew = false
    var made = ""
    for part in path.split(separator: "/") where part != "." {
      made += "/\(part)"
      let number = stack_openat2(root.rawValue, made, UInt64(O_DIRECTORY | O_CLOEXEC), 0, inRoot)
      if number >= 0 {
        place = Descriptor(adopting: number)
        isNew = false
        continue
      }
      guard errno == ENOENT else {
        throw KernelError(
          "use as a folder", made, errno: .last,
          detail: errno == ENOTDIR ? "something else has that name in the image" : nil)
      }
      try check("make folder", made) { mkdirat(place.rawValue, String(part), 0o755) }
      isNew = true
      let opened = Descriptor(
        adopting: try check("open", made) {
          openat(place.rawValue, String(part), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        })
      try own(opened.rawValue, owner, made)
      place = opened
    }
    return place
  }

  private static func own(
    _ folder: CInt, _ owner: (user: UInt32, group: UInt32), _ path: String
  ) throws(KernelError) {
    try check("give to its owner", path) { fchown(folder, owner.user, owner.group) }
    try check("set the mode of", path) { fchmod(folder, 0o755) }
  }

  private static func open(_ path: String, in root: FileDescriptor) -> CInt {
    stack_openat2(root.rawValue, path, UInt64(O_DIRECTORY | O_CLOEXEC), 0, inRoot)
  }

  /// Takes a folder of the root for the destination of what comes.
  mutating func enter(_ path: String) throws(KernelError) {
    var isNew = false
    let owner = attributes.owner ?? (0, 0)
    let opened = try Self.makeFolder(path, in: root, owner: owner, isNew: &isNew)
    if let fresh {
      destinationPlace = try Self.place(of: opened.rawValue, path)
      if isNew { try Self.own(try fresh.add(destinationPlace), owner, path) }
    }
    destination = consume opened
    destinationPath = path
    recent = nil
  }

  /// The path of an open folder in its mount, which is nowhere in the file system: so it begins at the mount's root.
  private static func place(of folder: CInt, _ path: String) throws(KernelError) -> [UInt8] {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink("/proc/self/fd/\(folder)", &target, target.count)
    guard count > 0 else { throw KernelError("look at", path, errno: .last) }
    let place = target.prefix(count).map(UInt8.init(bitPattern:))
    return place == [0x2F] ? [] : place
  }

  /// The path in the root of what is below the destination.
  private func place(_ target: [UInt8]) -> [UInt8] {
    target.isEmpty ? destinationPlace : destinationPlace + [0x2F] + target
  }

  // MARK: Copying

  /// Copies one thing that a walk shows.
  ///
  /// - Parameter target: its name below the destination; empty for the destination itself.
  mutating func copy(_ entry: ContextEntry, to target: [UInt8]) throws(KernelError) {
    count += 1
    if count % 256 == 0, stop.isRaised { throw KernelError("copy", "files", errno: .interrupted) }
    switch entry.status.kind {
    case .folder: try makeFolder(entry, target)
    case .file: try copyFile(entry, target)
    case .link: try copyLink(entry, target)
    case .fifo: try makeNode(entry, target)
    case .device: if attributes.keepsDevices { try makeNode(entry, target) }
    // A socket is of a process that will not be there.
    default: break
    }
  }

  /// Writes a file that is nobody's copy.
  mutating func write(_ bytes: [UInt8], as name: [UInt8], mode: mode_t, time: Int64? = nil) throws(KernelError) {
    let file = Descriptor(adopting: try create(name))
    do {
      try file.fileDescriptor.writeInFull(bytes)
    } catch {
      throw KernelError("write", shown(name), errno: error)
    }
    try complete(file, name, mode, time)
  }

  /// Writes a file with the contents of another, which stands at its beginning.
  mutating func write(
    _ contents: FileDescriptor, as name: [UInt8], mode: mode_t, time: Int64?
  ) throws(KernelError) {
    let file = Descriptor(adopting: try create(name))
    try copy(contents.rawValue, to: file.rawValue, name)
    try complete(file, name, mode, time)
  }

  private func complete(
    _ file: borrowing Descriptor, _ name: [UInt8], _ mode: mode_t, _ time: Int64?
  ) throws(KernelError) {
    let owner = attributes.owner ?? (0, 0)
    try check("give to its owner", shown(name)) { fchown(file.rawValue, owner.user, owner.group) }
    try check("set the mode of", shown(name)) { fchmod(file.rawValue, attributes.mode(mode)) }
    guard let time else { return }
    try check("set the time of", shown(name)) { images_set_time_of(file.rawValue, time, 0) }
  }

  /// Lets go of the root.
  mutating func leave() {
    recent = nil
    destination = nil
  }

  /// Puts all in its place, and sets the times of folders, now that all is in them.
  mutating func finish() throws(KernelError) {
    recent = nil
    if let fresh {
      destination = nil
      self.fresh = nil
      try fresh.settle()
      if !links.isEmpty || !folders.isEmpty { destination = try fresh.open(destinationPlace) }
    }
    for (target, first) in links { try link(target, to: first) }
    links = []
    for (target, time) in folders.reversed() {
      let folder = try folder(target)
      try check("set the time of", shown(target)) { images_set_time_of(folder, time.seconds, Int(time.nanoseconds)) }
    }
    folders = []
  }

  private mutating func makeFolder(_ entry: ContextEntry, _ target: [UInt8]) throws(KernelError) {
    guard !target.isEmpty else { return }
    let parent = try folder(Self.parent(target))
    let isMounted = recent?.isMounted ?? false
    let name = Self.name(target)
    let isNew = mkdirat(parent, name, 0o700) == 0
    if !isNew {
      guard errno == EEXIST else { throw KernelError("make folder", shown(target), errno: .last) }
      var present = stat()
      try check("look at", shown(target)) { fstatat(parent, name, &present, AT_SYMLINK_NOFOLLOW) }
      guard present.st_mode & S_IFMT == S_IFDIR else {
        throw KernelError(
          "copy a folder to", shown(target), errno: .notDirectory, detail: "something else has that name in the image",
          remedy: "copy it to another name, or remove that first: RUN rm")
      }
    }
    let original = try Self.open(entry)
    folders.append((target, entry.status.modified))
    if isMounted, let fresh {
      let place = place(target)
      // One that an earlier source has made is there only to keep its name.
      let aside = isNew ? try fresh.add(place) : fresh.find(place)?.folder
      if let aside { return try setAttributes(of: aside, from: original.rawValue, entry, target) }
    }
    let opened = Descriptor(
      adopting: try check("open", shown(target)) {
        openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      })
    try setAttributes(of: opened.rawValue, from: original.rawValue, entry, target)
    recent = Recent(target, opened, isMounted: isMounted)
  }

  private static func open(_ entry: ContextEntry) throws(KernelError) -> Descriptor {
    do {
      return try entry.open()
    } catch {
      throw KernelError("read", ContextPath.shown(entry.fullPath), errno: .ioError, detail: error.message)
    }
  }

  private mutating func copyFile(_ entry: ContextEntry, _ target: [UInt8]) throws(KernelError) {
    let hasNames = entry.status.nameCount > 1
    if hasNames, let first = linked[entry.status.identity] { return try link(target, to: first) }
    let original = try Self.open(entry)
    let file = Descriptor(adopting: try create(target))
    try copy(original.rawValue, to: file.rawValue, target)
    try setAttributes(of: file.rawValue, from: original.rawValue, entry, target)
    try check("set the time of", shown(target)) {
      images_set_time_of(file.rawValue, entry.status.modified.seconds, Int(entry.status.modified.nanoseconds))
    }
    if hasNames { linked[entry.status.identity] = target }
  }

  /// Copies contents. The file was just made in the folder of ``recent``.
  private mutating func copy(_ source: CInt, to file: CInt, _ target: [UInt8]) throws(KernelError) {
    // A mounted root is a file system of its own.
    var never: CInt = 0
    if recent?.isMounted == true {
      try check("copy to", shown(target)) { stack_copy_file(source, file, &never) }
    } else {
      try check("copy to", shown(target)) { stack_copy_file(source, file, &sharesBlocks) }
    }
  }

  private mutating func copyLink(_ entry: ContextEntry, _ target: [UInt8]) throws(KernelError) {
    let text: [UInt8]
    do {
      text = try entry.linkTarget()
    } catch {
      throw KernelError("read", ContextPath.shown(entry.fullPath), errno: .ioError, detail: error.message)
    }
    let name = Self.name(target)
    let folder = try folder(Self.parent(target))
    try makeRoom(name, in: folder, target)
    try check("make", shown(target)) { symlinkat(Self.cString(text), folder, name) }
    try setAttributes(at: folder, name, entry, target)
  }

  private mutating func makeNode(_ entry: ContextEntry, _ target: [UInt8]) throws(KernelError) {
    var status = stat()
    try check("look at", ContextPath.shown(entry.fullPath)) {
      fstatat(entry.folder.rawValue, entry.name, &status, AT_SYMLINK_NOFOLLOW)
    }
    let name = Self.name(target)
    let folder = try folder(Self.parent(target))
    try makeRoom(name, in: folder, target)
    try check("make", shown(target)) {
      images_make_device(
        folder, name, status.st_mode & ~mode_t(0o7777) | 0o600, images_major(status.st_rdev),
        images_minor(status.st_rdev))
    }
    try setAttributes(at: folder, name, entry, target)
    try check("set the mode of", shown(target)) {
      fchmodat(folder, name, attributes.mode(mode_t(entry.status.mode)), 0)
    }
  }

  private mutating func link(_ target: [UInt8], to first: [UInt8]) throws(KernelError) {
    let source = fcntl(try folder(Self.parent(first)), F_DUPFD_CLOEXEC, 3)
    guard source >= 0 else { throw KernelError("open the folder of", shown(first), errno: .last) }
    let held = Descriptor(adopting: source)
    let isMounted = recent?.isMounted
    let folder = try folder(Self.parent(target))
    let name = Self.name(target)
    try makeRoom(name, in: folder, target)
    guard recent?.isMounted == isMounted else {
      links.append((target, first))
      return
    }
    try check("link", shown(target)) { linkat(held.rawValue, Self.name(first), folder, name, 0) }
  }

  // MARK: Parts

  private mutating func create(_ target: [UInt8]) throws(KernelError) -> CInt {
    let folder = try folder(Self.parent(target))
    let name = Self.name(target)
    let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
    let number = openat(folder, name, flags, 0o600)
    if number >= 0 { return number }
    guard errno == EEXIST else { throw KernelError("make", shown(target), errno: .last) }
    try makeRoom(name, in: folder, target)
    return try check("make", shown(target)) { openat(folder, name, flags, 0o600) }
  }

  /// Takes away what has a name, unless it is a folder.
  private func makeRoom(_ name: [CChar], in folder: CInt, _ target: [UInt8]) throws(KernelError) {
    guard unlinkat(folder, name, 0) != 0, errno != ENOENT else { return }
    let isFolder = errno == EISDIR
    throw KernelError(
      "replace", shown(target), errno: .last, detail: isFolder ? "it is a folder in the image" : nil,
      remedy: isFolder ? "copy to another name, or remove the folder first: RUN rm -r" : nil)
  }

  private func setAttributes(
    of file: CInt, from source: CInt, _ entry: ContextEntry, _ target: [UInt8]
  ) throws(KernelError) {
    let owner = attributes.owner ?? (entry.status.user, entry.status.group)
    let mode = attributes.mode(mode_t(entry.status.mode), isFolder: entry.status.kind == .folder)
    // A change of owner clears set-user-ID and the capability.
    try check("give to its owner", shown(target)) { fchown(file, owner.user, owner.group) }
    try check("set the attributes of", shown(target)) { stack_copy_attributes(source, file) }
    try check("set the mode of", shown(target)) { fchmod(file, mode) }
  }

  private func setAttributes(
    at folder: CInt, _ name: [CChar], _ entry: ContextEntry, _ target: [UInt8]
  ) throws(KernelError) {
    let owner = attributes.owner ?? (entry.status.user, entry.status.group)
    try check("give to its owner", shown(target)) {
      fchownat(folder, name, owner.user, owner.group, AT_SYMLINK_NOFOLLOW)
    }
    try check("set the time of", shown(target)) {
      images_set_time(folder, name, entry.status.modified.seconds, Int(entry.status.modified.nanoseconds))
    }
  }

  /// A folder below the destination. The number is on loan until the next call.
  private mutating func folder(_ path: [UInt8]) throws(KernelError) -> CInt {
    if let recent, recent.path == path { return recent.folder.rawValue }
    let aside = fresh?.find(place(path))
    let (base, rest) = aside ?? (destinationNumber, path)
    let number = try check("open", shown(path)) {
      stack_openat2(
        base, rest.isEmpty ? [0x2E, 0] : Self.cString(rest), UInt64(O_DIRECTORY | O_CLOEXEC), 0, Self.noLinks)
    }
    recent = Recent(path, Descriptor(adopting: number), isMounted: fresh != nil && aside == nil)
    return number
  }

  private var destinationNumber: CInt {
    switch destination {
    case .some(let folder): folder.rawValue
    case .none: root.rawValue
    }
  }

  private static func parent(_ path: [UInt8]) -> [UInt8] {
    path.lastIndex(of: 0x2F).map { Array(path[..<$0]) } ?? []
  }

  private static func name(_ path: [UInt8]) -> [CChar] {
    cString(path.lastIndex(of: 0x2F).map { Array(path[($0 + 1)...]) } ?? path)
  }

  private static func cString(_ bytes: [UInt8]) -> [CChar] { bytes.map(CChar.init(bitPattern:)) + [0] }

  private func shown(_ target: [UInt8]) -> String {
    let base = destinationPath.hasSuffix("/") ? destinationPath : destinationPath + "/"
    return base + VisibleText.line(String(decoding: target, as: UTF8.self))
  }
}
