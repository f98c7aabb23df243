import CImages
import CLinux
import Glibc
import Kernel
import SystemPackage

/// Writes the writable layer of an overlay as a layer's archive (OCI image specification, layer.md). A service may change the folder
/// meanwhile, so nothing is looked up by a path, and no link is followed.
package struct LayerWriter: ~Copyable {
  private let output: ArchiveOutput
  /// The number outside of the first of 65,536 ids; nil where ids are the same inside.
  private let firstID: UInt32?
  /// True for the tree of a running service, whose other mounts are left out: of each there is an empty folder or file.
  private let isRoot: Bool
  private var names: [FileIdentity: EntryName] = [:]
  /// Room for the names of one file's attributes: as much as there can be (XATTR_LIST_MAX), and not made for each file.
  private var attributeNames = [CChar](repeating: 0, count: 65536)
  /// The contents of the layer so far.
  package private(set) var contents = LayerContents()

  private struct FileIdentity: Hashable {
    var device: dev_t
    var inode: ino_t
  }

  private static let ids: UInt32 = 65536
  private static let nobody: UInt32 = 65534
  /// Deeper than any tree that somebody has made for use.
  private static let deepest = 200

  package init(_ file: FileDescriptor, firstID: UInt32?, isRoot: Bool = false) {
    self.init(firstID: firstID, isRoot: isRoot) { (bytes) throws(KernelError) in
      do throws(Errno) {
        try file.writeInFull(bytes)
      } catch {
        throw KernelError("write", "the layer", errno: error)
      }
    }
  }

  /// - Parameter take: gets the archive's bytes, which are gone when it returns.
  package init(firstID: UInt32?, isRoot: Bool = false, take: @escaping ArchiveOutput.Taker) {
    output = ArchiveOutput(take)
    (self.firstID, self.isRoot) = (firstID, isRoot)
  }

  /// Writes the tree of an open folder, and the end of the archive.
  package mutating func write(_ root: borrowing Descriptor) throws(LayerError) {
    do throws(KernelError) {
      try writeEntries(of: root, EntryName(parts: []))
      try output.end()
    } catch {
      throw LayerError(error)
    }
    contents.size = output.size
  }

  /// Writes what is in a folder, and the end of the archive.
  package mutating func write(_ path: String) throws(LayerError) {
    let root: Descriptor
    do throws(KernelError) {
      root = Descriptor(
        adopting: try check("open", path) { open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) })
    } catch {
      throw LayerError(error)
    }
    try write(root)
  }

  private mutating func writeEntries(of folder: borrowing Descriptor, _ name: EntryName) throws(KernelError) {
    guard name.parts.count < Self.deepest else {
      throw KernelError("read", name.text, errno: .fileNameTooLong, detail: "folders are too deep")
    }
    let entries: [FolderEntry]
    do {
      entries = try FolderEntry.all(in: folder.fileDescriptor)
    } catch {
      throw KernelError("read", name.text, errno: error)
    }
    let named = entries.map { $0.name.dropLast().map(UInt8.init(bitPattern:)) }
    for part in named.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      try writeEntry(part, of: folder, name.appending(part))
    }
  }

  private mutating func writeEntry(
    _ part: EntryName.Part, of folder: borrowing Descriptor, _ name: EntryName
  ) throws(KernelError) {
    let path = EntryName.cString(part)
    var status = stat()
    guard fstatat(folder.rawValue, path, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      // Removed meanwhile.
      if errno == ENOENT { return }
      throw KernelError("look at", name.text, errno: .last)
    }
    contents.entries += 1
    if status.isWhiteout, !isRoot {
      return try output.add(
        ArchiveOutput.Header(name: name.parent.appending(Array(".wh.".utf8) + part), kind: "0", mode: 0))
    }
    var header = ArchiveOutput.Header(name: name, kind: "0", mode: status.st_mode & 0o7777)
    (header.user, header.group, header.modified) = (inside(status.st_uid), inside(status.st_gid), status.st_mtim)
    contents.largestID = max(contents.largestID, header.user, header.group)
    if isRoot, isMount(path, in: folder) {
      header.kind = status.st_mode & S_IFMT == S_IFDIR ? "5" : "0"
      return try output.add(header)
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG: try writeFile(path, of: folder, status, header)
    case S_IFDIR: try writeFolder(path, of: folder, header)
    case S_IFLNK:
      var target = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
      let length = readlinkat(folder.rawValue, path, &target, Int(PATH_MAX))
      guard length > 0 else { throw KernelError("read", name.text, errno: .last) }
      (header.kind, header.target) = ("2", target.prefix(length).map(UInt8.init(bitPattern:)))
      try output.add(header)
    case S_IFIFO:
      header.kind = "6"
      try output.add(header)
    case S_IFCHR, S_IFBLK:
      header.kind = status.st_mode & S_IFMT == S_IFCHR ? "3" : "4"
      header.device = (UInt32(images_major(status.st_rdev)), UInt32(images_minor(status.st_rdev)))
      try output.add(header)
    // A socket is of a process that will not be there.
    default: break
    }
  }

  private func isMount(_ path: [CChar], in folder: borrowing Descriptor) -> Bool {
    let flags = UInt64(UInt32(bitPattern: OpenFlag.path | O_NOFOLLOW | O_CLOEXEC))
    let number = stack_openat2(folder.rawValue, path, flags, 0, ResolveFlag.noMountCrossing)
    if number >= 0 { close(number) }
    return number < 0 && errno == EXDEV
  }

  private func inside(_ id: UInt32) -> UInt32 {
    guard let firstID else { return id }
    return id >= firstID && id - firstID < Self.ids ? id - firstID : Self.nobody
  }

  private mutating func writeFolder(
    _ path: [CChar], of folder: borrowing Descriptor, _ header: ArchiveOutput.Header
  ) throws(KernelError) {
    var header = header
    let opened = Descriptor(
      adopting: try check("open", header.name.text) {
        openat(folder.rawValue, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      })
    guard images_attribute(opened.rawValue, "trusted.overlay.redirect", nil, 0) < 0 else {
      throw KernelError(
        "read", header.name.text, errno: .notSupported, detail: "it is a folder of a lower layer under another name")
    }
    header.kind = "5"
    header.attributes = attributes(of: opened.rawValue)
    try output.add(header)
    var value: UInt8 = 0
    if images_attribute(opened.rawValue, LayerTree.opaque, &value, 1) == 1, value == UInt8(ascii: "y") {
      let mark = header.name.appending(Array(".wh..wh..opq".utf8))
      try output.add(ArchiveOutput.Header(name: mark, kind: "0", mode: 0))
    }
    try writeEntries(of: opened, header.name)
  }

  private mutating func writeFile(
    _ path: [CChar], of folder: borrowing Descriptor, _ found: stat, _ header: ArchiveOutput.Header
  ) throws(KernelError) {
    var (header, status) = (header, found)
    let identity = FileIdentity(device: found.st_dev, inode: found.st_ino)
    if found.st_nlink > 1, let first = names[identity] {
      (header.kind, header.target) = ("1", Array(first.parts.joined(separator: [0x2F])))
      return try output.add(header)
    }
    // It may have become a FIFO since.
    let file = Descriptor(
      adopting: try check("open", header.name.text) {
        openat(folder.rawValue, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
      })
    try check("look at", header.name.text) { fstat(file.rawValue, &status) }
    guard status.st_mode & S_IFMT == S_IFREG else { return }
    guard images_attribute(file.rawValue, "trusted.overlay.metacopy", nil, 0) < 0 else {
      throw KernelError(
        "read", header.name.text, errno: .notSupported, detail: "its contents are those of a lower layer")
    }
    if found.st_nlink > 1 { names[identity] = header.name }
    header.attributes = attributes(of: file.rawValue)
    header.size = Int64(status.st_size)
    try output.add(header)
    try output.copy(file, header.size, header.name)
  }

  /// Those that a layer has.
  private mutating func attributes(of file: CInt) -> [(name: String, value: [UInt8])] {
    let length = images_attributes(file, &attributeNames, attributeNames.count)
    guard length > 0 else { return [] }
    return attributeNames.prefix(length).split(separator: 0).compactMap { bytes in
      let name = String(decoding: bytes.map(UInt8.init(bitPattern:)), as: UTF8.self)
      var value = [UInt8](repeating: 0, count: 65536)
      let count = images_attribute(file, name, &value, value.count)
      guard count >= 0 else { return nil }
      return EntryAttributes.kept((name, Array(value.prefix(count))))
    }
  }
}

/// The contents of a layer, counted while it is written.
package struct LayerContents: Hashable, Sendable {
  /// Of the archive, in bytes.
  package var size: Int64 = 0
  /// Names, those that are gone included.
  package var entries = 0
  package var largestID: UInt32 = 0
}
