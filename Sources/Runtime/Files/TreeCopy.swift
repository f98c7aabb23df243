import CLinux
import Glibc
import Kernel
import SystemPackage

/// Copies files, folders and symbolic links between two trees of which neither is trusted.
///
/// Every step uses a descriptor of the folder and one name in it, and follows no link. So nothing outside of the two
/// places is read or written, whatever a service does to its tree meanwhile. Entries of other kinds are left out.
public struct TreeCopy: ~Copyable {
  /// A name in a folder.
  public struct Place: ~Copyable {
    let folder: Descriptor
    /// Bytes with their NUL (`FolderEntry`).
    let name: [CChar]
    /// The path as people have written it, for messages.
    let path: String
  }

  /// The paths that were left out: devices, sockets, FIFOs.
  public private(set) var omitted: [String] = []
  private let owner: (user: uid_t, group: gid_t)?
  private let leavesKernelFiles: Bool
  /// The difference between an owner's number here and there; nil if owners are not kept.
  private let ownerShift: Int64?
  /// False for paths of the source that are left out without a word.
  private let isWanted: (String) -> Bool
  /// The names of the copy that is being made, from the target on.
  private var trail: [[CChar]] = []
  /// Files with several names, and where the copy of each is: what is stored once is copied once.
  private var copies: [FileIdentity: [[CChar]]] = [:]

  private struct FileIdentity: Hashable {
    var device: dev_t
    var inode: ino_t

    init(_ status: stat) { (device, inode) = (status.st_dev, status.st_ino) }
  }

  /// Deeper than any tree that somebody has made for use.
  private static let deepest = 200
  private static let chunk = 1 << 18
  /// The most bytes that are copied of a file without a size.
  private static let longestUnsized: off_t = 64 << 20

  /// - Parameters:
  ///   - owner: whose the copies are to be; nil for the caller's.
  ///   - leavesKernelFiles: leaves out what lies in proc, sysfs and their like. They show the caller more than the service.
  ///   - isWanted: false for paths of the source that are left out.
  ///   - ownerShift: what is added to the numbers of owners and groups, which are then kept; nil if they are not.
  public init(
    owner: (user: UInt32, group: UInt32)? = nil, leavesKernelFiles: Bool = false, ownerShift: Int64? = nil,
    isWanted: @escaping (String) -> Bool = { _ in true }
  ) {
    self.isWanted = isWanted
    self.owner = owner
    self.ownerShift = ownerShift
    self.leavesKernelFiles = leavesKernelFiles
  }

  /// The same as the owner of the copies: a mount that shows files under other ids takes new ones only from users that it
  /// has (mount_setattr(2), idmapped mounts).
  public mutating func copyAsOwner(_ source: borrowing Place, to target: borrowing Place) throws(KernelError) {
    guard let owner else { return try copy(source, to: target) }
    try check("make files as the owner of", target.path) { stack_make_files_as(owner.user) }
    defer { _ = stack_make_files_as(geteuid()) }
    try copy(source, to: target)
  }

  /// Copies what is at one place to another. A folder that is there already is copied into.
  public mutating func copy(_ source: borrowing Place, to target: borrowing Place) throws(KernelError) {
    try copy(source, to: target, top: target)
  }

  /// - Parameter top: where all of the copy is made.
  private mutating func copy(
    _ source: borrowing Place, to target: borrowing Place, top: borrowing Place
  ) throws(KernelError) {
    guard isWanted(source.path) else { return }
    let entry = try check("open", source.path) {
      openat(source.folder.rawValue, source.name, OpenFlag.path | O_NOFOLLOW | O_CLOEXEC)
    }
    let descriptor = Descriptor(adopting: entry)
    var status = stat()
    try check("look at", source.path) { fstat(descriptor.rawValue, &status) }
    switch status.st_mode & S_IFMT {
    case S_IFREG where leavesKernelFiles && Self.showsKernel(descriptor): omitted.append(source.path)
    case S_IFREG:
      let identity = FileIdentity(status)
      guard status.st_nlink > 1 else { return try copyFile(descriptor, source.path, status, to: target) }
      if let former = copies[identity], link(target, to: former, in: top) { return }
      try copyFile(descriptor, source.path, status, to: target)
      copies[identity] = trail
    case S_IFDIR: try copyFolder(descriptor, source.path, status, to: target, top: top)
    case S_IFLNK: try copyLink(source, to: target)
    default: omitted.append(source.path)
    }
  }

  /// By the descriptor: the path may lead elsewhere by now.
  private static func showsKernel(_ file: borrowing Descriptor) -> Bool {
    FileSystemType.showingKernel.contains(stack_file_system_type("/proc/self/fd/\(file.rawValue)"))
  }

  // MARK: Kinds

  private func copyFile(
    _ file: borrowing Descriptor, _ path: String, _ status: stat, to target: borrowing Place
  ) throws(KernelError) {
    // By its descriptor: what is opened is what was looked at, and not a device that has taken its place.
    let source = try Descriptor.open("/proc/self/fd/\(file.rawValue)", O_RDONLY)
    let copy = try create(target)
    if status.st_size == 0 {
      // Files of the kernel's say that they are empty (proc(5)), and some never end.
      let end = try copyBytes(
        of: source, path, from: 0, to: Self.longestUnsized + off_t(Self.chunk), into: copy, target.path)
      guard end <= Self.longestUnsized else { throw KernelError("copy", path, errno: .fileTooLarge) }
    } else {
      try copyData(of: source, path, size: status.st_size, into: copy, target.path)
    }
    try finish(copy, status, target.path)
  }

  /// Copies the stored extents of a file, up to its size at the start. Holes stay holes, and a file that grows is not
  /// followed.
  private func copyData(
    of source: borrowing Descriptor, _ path: String, size: off_t, into copy: borrowing Descriptor, _ target: String
  ) throws(KernelError) {
    var position: off_t = 0
    while position < size {
      var begin = lseek(source.rawValue, position, Seek.data)
      if begin < 0 {
        // ENXIO: a hole up to the end. Whoever knows no holes says EINVAL (lseek(2)).
        guard errno != ENXIO else { break }
        begin = position
      }
      guard begin < size else { break }
      let hole = lseek(source.rawValue, begin, Seek.hole)
      let end = hole > begin ? min(hole, size) : size
      guard try copyBytes(of: source, path, from: begin, to: end, into: copy, target) == end else {
        return  // It has become shorter.
      }
      position = end
    }
    try check("write", target) { ftruncate(copy.rawValue, size) }
  }

  /// - Returns: where the bytes ended: at `end`, or with the file.
  private func copyBytes(
    of source: borrowing Descriptor, _ path: String, from begin: off_t, to end: off_t,
    into copy: borrowing Descriptor, _ target: String
  ) throws(KernelError) -> off_t {
    var position = begin
    guard lseek(copy.rawValue, begin, SEEK_SET) >= 0 else { throw KernelError("write", target, errno: .last) }
    var buffer = [UInt8](repeating: 0, count: Int(min(off_t(Self.chunk), end - begin)))
    while position < end {
      let wanted = Int(min(off_t(buffer.count), end - position))
      let count = buffer.withUnsafeMutableBytes { pread(source.rawValue, $0.baseAddress, wanted, position) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw KernelError("read", path, errno: .last) }
      if count == 0 { break }
      do {
        try copy.fileDescriptor.writeInFull(buffer[..<count])
      } catch {
        throw KernelError("write", target, errno: error)
      }
      position += off_t(count)
    }
    return position
  }

  /// A new file, or the one that is there, emptied. A link that is there is replaced, not followed.
  private func create(_ target: borrowing Place) throws(KernelError) -> Descriptor {
    var number = openat(target.folder.rawValue, target.name, Self.creation | O_TRUNC, 0o600)
    if number < 0, errno == ELOOP, unlinkat(target.folder.rawValue, target.name, 0) == 0 {
      number = openat(target.folder.rawValue, target.name, Self.creation | O_EXCL, 0o600)
    }
    guard number >= 0 else { throw KernelError("write", target.path, errno: .last) }
    let file = Descriptor(adopting: number)
    var status = stat()
    guard fstat(file.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw KernelError("write", target.path, errno: .fileExists, detail: "there is something that is no file")
    }
    return file
  }

  /// Opens without waiting for the reader of a FIFO that may be there.
  private static let creation = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC

  /// Gives a file of the copy another name; false where it is no longer where it was made, or cannot have one.
  private func link(_ target: borrowing Place, to names: [[CChar]], in top: borrowing Place) -> Bool {
    // No link is followed, as nowhere else: whoever has put another file there has it linked in its own tree.
    guard let name = names.last else { return false }
    guard case .some(let folder) = try? walk(names.dropLast(), in: top) else { return false }
    if linkat(folder.rawValue, name, target.folder.rawValue, target.name, 0) == 0 { return true }
    return errno == EEXIST && unlinkat(target.folder.rawValue, target.name, 0) == 0
      && linkat(folder.rawValue, name, target.folder.rawValue, target.name, 0) == 0
  }

  private func walk(_ names: ArraySlice<[CChar]>, in top: borrowing Place) throws(KernelError) -> Descriptor {
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
    var folder = try Descriptor.open(top.name, flags, at: top.folder.rawValue, path: top.path)
    for name in names { folder = try Descriptor.open(name, flags, at: folder.rawValue, path: top.path) }
    return folder
  }

  private mutating func copyFolder(
    _ folder: borrowing Descriptor, _ path: String, _ status: stat, to target: borrowing Place, top: borrowing Place
  ) throws(KernelError) {
    guard trail.count < Self.deepest else { throw KernelError("copy", path, errno: .fileNameTooLong) }
    let isNew = mkdirat(target.folder.rawValue, target.name, 0o700) == 0
    guard isNew || errno == EEXIST else { throw KernelError("make", target.path, errno: .last) }
    let copy = try Descriptor.open(
      target.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: target.folder.rawValue, path: target.path)
    for entry in try folder.entries(of: path) {
      let inner = Place(
        folder: try folder.duplicate(path), name: entry.name, path: "\(path)/\(VisibleText.line(entry.text))")
      let place = Place(
        folder: try copy.duplicate(target.path), name: entry.name,
        path: "\(target.path)/\(VisibleText.line(entry.text))")
      trail.append(entry.name)
      defer { trail.removeLast() }
      try self.copy(inner, to: place, top: top)
    }
    if isNew { try finish(copy, status, target.path) }
  }

  private func copyLink(_ source: borrowing Place, to target: borrowing Place) throws(KernelError) {
    var text = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlinkat(source.folder.rawValue, source.name, &text, Int(PATH_MAX))
    guard count >= 0 else { throw KernelError("read", source.path, errno: .last) }
    var made = symlinkat(text, target.folder.rawValue, target.name)
    if made < 0, errno == EEXIST, unlinkat(target.folder.rawValue, target.name, 0) == 0 {
      made = symlinkat(text, target.folder.rawValue, target.name)
    }
    guard made == 0 else { throw KernelError("make", target.path, errno: .last) }
    if let owner { _ = fchownat(target.folder.rawValue, target.name, owner.user, owner.group, AT_SYMLINK_NOFOLLOW) }
  }

  /// Nil for a number that nobody has there.
  private static func shifted(_ number: uid_t, _ shift: Int64) -> uid_t? {
    let other = Int64(number) + shift
    return other >= 0 && other < Int64(uid_t.max) ? uid_t(other) : nil
  }

  /// Whoever may set user or group ids in one place need not have meant to in the other.
  private func finish(_ copy: borrowing Descriptor, _ status: stat, _ path: String) throws(KernelError) {
    let kept = ownerShift.flatMap { shift in
      Self.shifted(status.st_uid, shift).flatMap { user in Self.shifted(status.st_gid, shift).map { (user, $0) } }
    }
    if let (user, group) = kept ?? owner.map({ ($0.user, $0.group) }) {
      try check("give away", path) { fchown(copy.rawValue, user, group) }
    }
    try check("set the mode of", path) { fchmod(copy.rawValue, status.st_mode & 0o777) }
    let times = [status.st_atim, status.st_mtim]
    _ = futimens(copy.rawValue, times)
  }
}

extension TreeCopy.Place {
  /// A path of the caller's own, whose links are followed but for a last one.
  ///
  /// - Parameters:
  ///   - name: what a copy is called that is made in a folder which is there; nil for what is to be copied from.
  ///   - isFolder: true if the copy is a folder, which is made where there is none.
  public init(onHost path: String, naming name: String? = nil, isFolder: Bool = false) throws(KernelError) {
    try self.init(path, naming: name, isFolder, shown: path) { (path, flags) throws(KernelError) in
      try Descriptor.open(path, flags)
    }
  }

  /// A path of the host, through no link: whoever writes there may have put one anywhere.
  ///
  /// - Parameter path: absolute, without `..`.
  /// - Throws: ELOOP or ENOTDIR for a link on the way, ENOENT for a folder on the way that is not there.
  public init(withoutLinks path: String) throws(KernelError) {
    let parts = path.split(separator: "/").map(String.init)
    let parent = try SharedFolder("/").open(parts.dropLast().joined(separator: "/"), creates: false)
    self.init(folder: parent, name: Array((parts.last ?? ".").utf8CString), path: path)
  }

  /// True if something has the name.
  public var exists: Bool {
    var status = stat()
    return fstatat(folder.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) == 0
  }

  /// A path inside of a root folder, which no link leads out of.
  public init(
    _ path: String, in root: borrowing Descriptor, of service: String, naming name: String? = nil,
    isFolder: Bool = false
  ) throws(KernelError) {
    let number = root.rawValue
    try self.init(path, naming: name, isFolder, shown: "\(service):\(path)") { (path, flags) throws(KernelError) in
      try Descriptor.open(path, in: number, flags)
    }
  }

  /// True for a folder, and not for a link to one.
  public var isFolder: Bool { Self.kind(of: name, in: folder) == S_IFDIR }

  private static func kind(of name: [CChar], in folder: borrowing Descriptor) -> mode_t? {
    var status = stat()
    guard fstatat(folder.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
    return status.st_mode & S_IFMT
  }

  private init(
    _ path: String, naming name: String?, _ isNewFolder: Bool, shown: String,
    open: (String, CInt) throws(KernelError) -> Descriptor
  ) throws(KernelError) {
    let folder = OpenFlag.path | O_DIRECTORY
    if let name, let there = try? open(path, folder) {
      self.init(
        folder: there, name: Array(name.utf8CString), path: path.hasSuffix("/") ? shown + name : "\(shown)/\(name)")
      return
    }
    var path = path
    if name != nil, path.hasSuffix("/") || path.hasSuffix("/.") {
      while path.utf8.count > 1, path.hasSuffix("/") || path.hasSuffix("/.") { path.removeLast() }
      // A folder is wanted there, which the copy either is or is not.
      if (try? open(path, OpenFlag.path)) != nil { throw KernelError("copy to", shown, errno: .notDirectory) }
      guard isNewFolder else {
        throw KernelError(
          "copy to", shown, errno: .noSuchFileOrDirectory, remedy: "there is no such folder: make it first")
      }
    }
    let parts = path.split(separator: "/", omittingEmptySubsequences: true)
    // A path that ends in `.` or `..` means the folder itself.
    guard let last = parts.last, last != ".", last != ".." else {
      self.init(folder: try open(path.isEmpty ? "." : path, folder), name: Array(".".utf8CString), path: shown)
      return
    }
    let parent = parts.dropLast().joined(separator: "/")
    let start = path.hasPrefix("/") ? "/" : "./"
    let around = try open(start + parent, folder)
    let inner = Array(String(last).utf8CString)
    guard name != nil || !path.hasSuffix("/") || Self.kind(of: inner, in: around) != S_IFREG else {
      throw KernelError("copy", shown, errno: .notDirectory)
    }
    self.init(folder: around, name: inner, path: shown)
  }
}

extension Descriptor {
  fileprivate borrowing func duplicate(_ path: String) throws(KernelError) -> Descriptor {
    Descriptor(adopting: try check("open", path) { fcntl(rawValue, F_DUPFD_CLOEXEC, 3) })
  }

  fileprivate static func open(
    _ name: [CChar], _ flags: CInt, at folder: CInt, path: String
  ) throws(KernelError) -> Descriptor {
    Descriptor(adopting: try check("open", path) { openat(folder, name, flags | O_CLOEXEC) })
  }
}

extension TreeCopy {
  /// The path that a link in a root folder leads to, links of links too. No link leads out of the root.
  ///
  /// - Returns: the path itself where there is no link.
  public static func target(
    of path: String, in root: borrowing Descriptor, of service: String
  ) throws(KernelError) -> String {
    var path = path
    // As many as the kernel follows (path_resolution(7)).
    for _ in 0..<40 {
      let place = try Place(path, in: root, of: service)
      var text = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
      let count = readlinkat(place.folder.rawValue, place.name, &text, Int(PATH_MAX))
      guard count > 0 else { return path }
      let link = String(decoding: text.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
      path = link.hasPrefix("/") ? link : path.split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/\(link)"
    }
    throw KernelError("follow", "\(service):\(path)", errno: .tooManySymbolicLinkLevels)
  }
}
