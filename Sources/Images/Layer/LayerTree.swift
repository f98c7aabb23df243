import CImages
import CLinux
import Glibc
import Kernel
import SystemPackage

/// A folder that a layer is unpacked into. All of its paths are resolved as if it were the root, by the kernel.
struct LayerTree: ~Copyable {
  static let opaque = "trusted.overlay.opaque"

  let root: Descriptor
  /// The folder that the last entry was in: most entries are in the same one as the one before.
  private var recent: (name: EntryName, number: CInt)?
  /// Folders that were made because something lies in them, and that had no entry of their own.
  private(set) var implied: Set<EntryName> = []

  init(_ path: String) throws(KernelError) {
    root = Descriptor(
      adopting: try check("open", path) { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) })
  }

  deinit {
    if let recent { close(recent.number) }
  }

  // MARK: Folders

  /// The folder of a name, made if it is missing. The number is on loan until the next call.
  mutating func folder(_ name: EntryName) throws(LayerError) -> CInt {
    if let recent, recent.name == name { return recent.number }
    var depth = 0
    let number = try open(name, depth: &depth)
    forget()
    recent = (name, number)
    return number
  }

  /// After a change of what names lead to.
  mutating func forget() {
    if let recent { close(recent.number) }
    recent = nil
  }

  mutating func hasEntry(_ name: EntryName) { implied.remove(name) }

  private static let rules = ResolveFlag.inRoot | ResolveFlag.noMagicLinks

  private func tryOpen(_ name: EntryName, _ flags: CInt = O_RDONLY | O_DIRECTORY) -> CInt {
    stack_openat2(root.rawValue, name.path, UInt64(UInt32(bitPattern: flags | O_CLOEXEC)), 0, Self.rules)
  }

  /// Opens a folder through the layer's own links. What is missing is made, also where a link leads to it: the layers below
  /// are not seen.
  private mutating func open(_ name: EntryName, depth: inout Int) throws(LayerError) -> CInt {
    let found = tryOpen(name)
    if found >= 0 { return found }
    guard errno == ENOENT, !name.isRoot else {
      throw LayerError(KernelError("open the folder of", name.text, errno: .last))
    }
    depth += 1
    guard depth <= 256 + name.parts.count else { throw LayerError("\(name.text) leads round in circles") }
    let parent = try open(name.parent, depth: &depth)
    defer { close(parent) }
    let last = EntryName.cString(name.last)
    var target = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = target.withUnsafeMutableBytes { bytes in
      bytes.baseAddress.map { readlinkat(parent, last, $0.assumingMemoryBound(to: CChar.self), bytes.count) } ?? -1
    }
    if length > 0 {
      let path = target.prefix(length)
      let base = path.first == UInt8(ascii: "/") ? [] : name.parent.parts
      return try open(Self.normalized(base, path), depth: &depth)
    }
    guard mkdirat(parent, last, 0o755) == 0 || errno == EEXIST else {
      throw LayerError(KernelError("make folder", name.text, errno: .last))
    }
    implied.insert(name)
    let number = tryOpen(name)
    guard number >= 0 else { throw LayerError(KernelError("open", name.text, errno: .last)) }
    // The caller's umask, and a default list of the folder above, have had their say.
    fchmod(number, 0o755)
    return number
  }

  /// As from a root: nothing climbs above it.
  private static func normalized(_ base: [EntryName.Part], _ path: some Collection<UInt8>) -> EntryName {
    var parts = base
    for part in EntryName.parts(of: path) {
      if part == [0x2E, 0x2E] { _ = parts.popLast() } else { parts.append(part) }
    }
    return EntryName(parts: parts)
  }

  // MARK: Entries

  mutating func status(_ name: EntryName) throws(LayerError) -> stat? {
    let folder = try folder(name.parent)
    var status = stat()
    if fstatat(folder, EntryName.cString(name.last), &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
    guard errno == ENOENT else { throw LayerError(KernelError("look at", name.text, errno: .last)) }
    return nil
  }

  /// Takes away what has a name, a folder with all that is in it.
  mutating func remove(_ name: EntryName) throws(LayerError) {
    let folder = try folder(name.parent)
    let last = EntryName.cString(name.last)
    guard let status = try status(name) else { return }
    if status.isFolder {
      do {
        try Self.empty(last, in: folder, name)
      } catch {
        throw LayerError(error)
      }
      implied = implied.filter { !$0.isWithin(name) }
    }
    let isPlain = status.st_mode & S_IFMT == S_IFREG
    guard unlinkat(folder, last, status.isFolder ? AT_REMOVEDIR : 0) == 0 else {
      throw LayerError(KernelError("replace", name.text, errno: .last))
    }
    if !isPlain { forget() }
  }

  /// Answers whether it did.
  mutating func removeIfEmpty(_ name: EntryName) throws(LayerError) -> Bool {
    let folder = try folder(name.parent)
    guard unlinkat(folder, EntryName.cString(name.last), AT_REMOVEDIR) == 0 else { return false }
    forget()
    return true
  }

  private static func empty(_ path: [CChar], in folder: CInt, _ name: EntryName) throws(KernelError) {
    let opened = Descriptor(
      adopting: try check("replace", name.text) {
        openat(folder, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      })
    let entries: [FolderEntry]
    do {
      entries = try FolderEntry.all(in: opened.fileDescriptor)
    } catch {
      throw KernelError("replace", name.text, errno: error)
    }
    for entry in entries {
      if unlinkat(opened.rawValue, entry.name, 0) == 0 { continue }
      guard errno == EISDIR || errno == EPERM else { throw KernelError("replace", name.text, errno: .last) }
      try empty(entry.name, in: opened.rawValue, name)
      guard unlinkat(opened.rawValue, entry.name, AT_REMOVEDIR) == 0 else {
        throw KernelError("replace", name.text, errno: .last)
      }
    }
  }

  mutating func makeFile(_ name: EntryName) throws(LayerError) -> Descriptor {
    let folder = try folder(name.parent)
    let last = EntryName.cString(name.last)
    let number = openat(folder, last, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard number >= 0 else { throw LayerError(KernelError("make", name.text, errno: .last)) }
    return Descriptor(adopting: number)
  }

  mutating func makeFolder(_ name: EntryName) throws(LayerError) {
    try make(name) { mkdirat($0, $1, 0o755) }
    forget()
  }

  mutating func makeLink(_ name: EntryName, to target: [UInt8]) throws(LayerError) {
    let target = EntryName.cString(target)
    try make(name) { symlinkat(target, $0, $1) }
    forget()
  }

  /// A device or a FIFO.
  mutating func makeDevice(_ name: EntryName, mode: mode_t, major: UInt32, minor: UInt32) throws(LayerError) {
    try make(name) { images_make_device($0, $1, mode, major, minor) }
  }

  mutating func makeWhiteout(_ name: EntryName) throws(LayerError) {
    try make(name) { images_make_device($0, $1, S_IFCHR, 0, 0) }
  }

  private mutating func make(
    _ name: EntryName, _ call: (CInt, UnsafePointer<CChar>) -> CInt
  ) throws(LayerError) {
    let folder = try folder(name.parent)
    let last = EntryName.cString(name.last)
    guard last.withUnsafeBufferPointer({ $0.baseAddress.map { call(folder, $0) } ?? -1 }) == 0 else {
      throw LayerError(KernelError("make", name.text, errno: .last))
    }
  }

  mutating func makeHardLink(_ name: EntryName, to target: EntryName) throws(LayerError) {
    let source = try folder(target.parent)
    let held = fcntl(source, F_DUPFD_CLOEXEC, 3)
    guard held >= 0 else { throw LayerError(KernelError("open the folder of", target.text, errno: .last)) }
    defer { close(held) }
    try make(name) { linkat(held, EntryName.cString(target.last), $0, $1, 0) }
  }

  mutating func makeOpaque(_ name: EntryName) throws(LayerError) {
    let folder = try folder(name)
    guard images_set_attribute(folder, Self.opaque, "y", 1) == 0 else {
      throw LayerError(KernelError("mark as opaque", name.text, errno: .last))
    }
  }

  /// Opens what is there without following a link at its end. For attributes of folders, and to copy files.
  mutating func open(_ name: EntryName, _ flags: CInt) throws(LayerError) -> Descriptor {
    let folder = try folder(name.parent)
    let number = openat(
      folder, name.isRoot ? [0x2E, 0] : EntryName.cString(name.last), flags | O_NOFOLLOW | O_CLOEXEC)
    guard number >= 0 else { throw LayerError(KernelError("open", name.text, errno: .last)) }
    return Descriptor(adopting: number)
  }
}
