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

  /// RESOLVE_NO_XDEV of openat2(2).
  private static let staysOnMount: UInt64 = 1

  private func isMount(_ path: [CChar], in folder: borrowing Descriptor) -> Bool {
    let flags = UInt64(UInt32(bitPattern: 0o10000000 | O_NOFOLLOW | O_CLOEXEC))
    let number = stack_openat2(folder.rawValue, path, flags, 0, Self.staysOnMount)
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

/// A tar archive that is being written: ustar, and PAX records for what that does not hold (POSIX.1-2001, pax).
package final class ArchiveOutput {
  package typealias Taker = (UnsafeRawBufferPointer) throws(KernelError) -> Void

  struct Header {
    var name: EntryName
    var kind: Character
    var mode: mode_t
    var user: UInt32 = 0
    var group: UInt32 = 0
    var size: Int64 = 0
    var modified = timespec()
    var target: [UInt8] = []
    var device: (major: UInt32, minor: UInt32) = (0, 0)
    var attributes: [(name: String, value: [UInt8])] = []

    init(name: EntryName, kind: Character, mode: mode_t) { (self.name, self.kind, self.mode) = (name, kind, mode) }
  }

  private let take: Taker
  /// Bytes so far.
  private(set) var size: Int64 = 0
  private var chunk = [UInt8](repeating: 0, count: 1 << 18)

  init(_ take: @escaping Taker) { self.take = take }

  func add(_ header: Header) throws(KernelError) {
    let name = Array(header.name.parts.joined(separator: [0x2F])) + (header.kind == "5" ? [0x2F] : [])
    let records = Self.records(header, name)
    if !records.isEmpty {
      try write(Self.block(Array("PaxHeaders/x".utf8), kind: "x", size: Int64(records.count)))
      try write(records)
      try pad(Int64(records.count))
    }
    try write(Self.block(name, header))
  }

  func copy(_ source: borrowing Descriptor, _ size: Int64, _ name: EntryName) throws(KernelError) {
    var rest = size
    while rest > 0 {
      let wanted = Int(min(rest, Int64(chunk.count)))
      let count = chunk.withUnsafeMutableBytes { read(source.rawValue, $0.baseAddress, wanted) }
      if count < 0, Errno.last == .interrupted { continue }
      guard count >= 0 else { throw KernelError("read", name.text, errno: .last) }
      // Cut off meanwhile: the header has said how long it is.
      if count == 0 {
        for place in 0..<wanted { chunk[place] = 0 }
      }
      let given = count == 0 ? wanted : count
      try write(given, of: chunk)
      rest -= Int64(given)
    }
    try pad(size)
  }

  func end() throws(KernelError) { try write([UInt8](repeating: 0, count: 1024)) }

  private func pad(_ size: Int64) throws(KernelError) {
    let rest = Int(size % 512)
    if rest > 0 { try write([UInt8](repeating: 0, count: 512 - rest)) }
  }

  private func write(_ bytes: [UInt8]) throws(KernelError) { try write(bytes.count, of: bytes) }

  private func write(_ count: Int, of bytes: [UInt8]) throws(KernelError) {
    do {
      try bytes.withUnsafeBytes { try take(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    } catch {
      throw error as? KernelError ?? KernelError("write", "the layer", errno: .ioError)
    }
    size += Int64(count)
  }

  private static let largestOctalID: UInt32 = 0o7777777
  private static let largestOctalSize: Int64 = 0o77777777777

  private static func records(_ header: Header, _ name: [UInt8]) -> [UInt8] {
    var records: [UInt8] = []
    func add(_ key: String, _ value: [UInt8]) {
      // A record begins with its own length, that number included.
      let rest = Array(" \(key)=".utf8) + value + [0x0A]
      var length = rest.count + 1
      while "\(length)".utf8.count + rest.count != length { length = "\(length)".utf8.count + rest.count }
      records += Array("\(length)".utf8) + rest
    }
    if name.count > 100 { add("path", name) }
    if header.target.count > 100 { add("linkpath", header.target) }
    if header.user > largestOctalID { add("uid", Array("\(header.user)".utf8)) }
    if header.group > largestOctalID { add("gid", Array("\(header.group)".utf8)) }
    if header.size > largestOctalSize { add("size", Array("\(header.size)".utf8)) }
    let (seconds, nanoseconds) = (header.modified.tv_sec, header.modified.tv_nsec)
    if seconds < 0 || Int64(seconds) > largestOctalSize || nanoseconds != 0 {
      add("mtime", Array(time(seconds, nanoseconds).utf8))
    }
    for (name, value) in header.attributes { add("SCHILY.xattr.\(name)", value) }
    return records
  }

  /// -1 second and 250,000,000 nanoseconds are -0.75.
  private static func time(_ seconds: Int, _ nanoseconds: Int) -> String {
    let (whole, part) =
      seconds < 0 && nanoseconds > 0 ? (seconds + 1, 1_000_000_000 - nanoseconds) : (seconds, nanoseconds)
    let digits = "\(part)"
    let sign = whole == 0 && seconds < 0 ? "-" : ""
    return "\(sign)\(whole).\(String(repeating: "0", count: 9 - digits.count))\(digits)"
  }

  private static func block(_ name: [UInt8], kind: Character, size: Int64) -> [UInt8] {
    var header = Header(name: EntryName(parts: []), kind: kind, mode: 0o644)
    header.size = size
    return block(name, header)
  }

  private static func block(_ name: [UInt8], _ header: Header) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ bytes: some Collection<UInt8>, at place: Int) {
      for (index, byte) in bytes.enumerated() { block[place + index] = byte }
    }
    func put(_ number: Int64, _ digits: Int, at place: Int) {
      let text = String(max(number, 0), radix: 8)
      put((String(repeating: "0", count: max(digits - text.count, 0)) + text).utf8.suffix(digits), at: place)
    }
    put(name.prefix(100), at: 0)
    put(Int64(header.mode), 7, at: 100)
    put(header.user > largestOctalID ? 0 : Int64(header.user), 7, at: 108)
    put(header.group > largestOctalID ? 0 : Int64(header.group), 7, at: 116)
    put(header.size > largestOctalSize ? 0 : header.size, 11, at: 124)
    put(Int64(header.modified.tv_sec) > largestOctalSize ? 0 : Int64(header.modified.tv_sec), 11, at: 136)
    put("        ".utf8, at: 148)
    put([header.kind.asciiValue ?? 0], at: 156)
    put(header.target.prefix(100), at: 157)
    put("ustar\u{0}00".utf8, at: 257)
    put(Int64(header.device.major), 7, at: 329)
    put(Int64(header.device.minor), 7, at: 337)
    put(block.reduce(0) { $0 + Int64($1) }, 6, at: 148)
    block[154] = 0
    return block
  }
}
