import CImages
import Digests
import Glibc
import ImageReference
import Kernel
import SystemPackage

/// Applies one layer to a folder of its own (OCI image specification, layer.md), in the form that overlayfs takes.
///
/// First ``unpack(_:blob:content:)``, which needs nothing of the layers below; then ``settle(on:)``, for what a layer leaves to
/// those: parents without an entry, hard links to lower files, and names that are removed.
package struct LayerUnpacker: ~Copyable {
  private var tree: LayerTree
  private var space = SpaceGuard()
  /// Names that have an entry, and so stay where the layer also removes them from lower ones.
  private var whiteouts: Set<EntryName> = []
  private var opaqueFolders: Set<EntryName> = []
  /// Of these, those whose name is to be gone from the layers below. The layer may have nothing for it in the end.
  private var replaced: Set<EntryName> = []
  private var folders: [EntryName: EntryAttributes] = [:]
  private var lowerLinks: [(name: EntryName, target: EntryName, attributes: EntryAttributes)] = []
  private var unsupported: Set<String> = []
  private var entries: Int64 = 0
  private var largestID: UInt32 = 0

  package struct Outcome: Codable, Hashable, Sendable {
    /// Of the layer as it came.
    package var blob: String
    package var blobSize: Int64
    /// Of the archive in it: what configurations call a diff_id.
    package var content: String
    package var contentSize: Int64
    package var entries: Int64
    /// The highest number of a user or group that owns something.
    package var largestID: UInt32
    package var warnings: [String]
  }

  /// - Parameter folder: an empty folder.
  package init(_ folder: String) throws(LayerError) {
    let tree = try withKernelErrors { () throws(KernelError) in
      let tree = try LayerTree(folder)
      try check("set the mode of", folder) { fchmod(tree.root.rawValue, 0o755) }
      return tree
    }
    self.tree = tree
  }

  /// Reads a layer to its end and makes what it says.
  ///
  /// - Parameters:
  ///   - input: the layer, compressed or not.
  ///   - blob: the algorithm of its digest; `content`: of its diff_id.
  /// - Throws: what is wrong with it. The folder is then of no use.
  package mutating func unpack(
    _ input: CInt, blob: ContentDigest.Algorithm = .sha256, content: ContentDigest.Algorithm = .sha256
  ) throws(LayerError) -> Outcome {
    let stream: LayerStream
    do throws(LibraryError) {
      try LibraryError.check(images_load_unpacking)
      stream = try LayerStream(input, blob: blob, content: content)
    } catch {
      throw LayerError("\(error)", remedy: LibraryError.remedy)
    }
    let tar = try TarReader(stream)
    while let entry = try tar.next() { try apply(entry, tar) }
    try stream.drain()
    do throws(LibraryError) {
      let digests = try stream.digests()
      return Outcome(
        blob: "\(digests.blob)", blobSize: stream.blobSize, content: "\(digests.content)",
        contentSize: stream.contentSize, entries: entries, largestID: largestID,
        warnings: unsupported.sorted().map { "\($0) cannot be kept on this file system" })
    } catch {
      throw LayerError("\(error)", remedy: LibraryError.remedy)
    }
  }

  // MARK: Entries

  private mutating func apply(_ entry: TarReader.Entry, _ tar: TarReader) throws(LayerError) {
    entries += 1
    let name = try EntryName(entry.name)
    guard !name.isRoot else { return }
    switch try Whiteout(name) {
    case .rubbish: return
    case .empties(let folder): return try empty(folder)
    case .removes(let other): return try remove(other)
    case nil: break
    }
    try space.count(entry: tree.root.rawValue)
    let attributes = try EntryAttributes(entry, tar.attributes(), name)
    largestID = max(largestID, attributes.user, attributes.group)
    if entry.kind == IMAGES_TAR_HARD_LINK { return try link(name, to: entry.target, attributes) }
    try make(name, entry, attributes, tar)
    tree.hasEntry(name)
  }

  private mutating func make(
    _ name: EntryName, _ entry: TarReader.Entry, _ attributes: EntryAttributes, _ tar: TarReader
  ) throws(LayerError) {
    let isFolder = entry.kind == IMAGES_TAR_FOLDER
    let keeps = try clear(name, forFolder: isFolder)
    switch entry.kind {
    case IMAGES_TAR_FILE:
      let file = try tree.makeFile(name)
      try write(tar, to: file, name, size: entry.header.size)
      var missing: [String] = []
      try attributes.apply(to: file.rawValue, name) { missing.append($0) }
      unsupported.formUnion(missing)
    case IMAGES_TAR_FOLDER:
      if !keeps { try tree.makeFolder(name) }
      // Set when all is in it.
      folders[name] = attributes
    case IMAGES_TAR_LINK:
      guard !entry.target.isEmpty, entry.target.count < Int(PATH_MAX) else {
        throw LayerError("\(name.text) is a link with a target of \(entry.target.count) bytes")
      }
      try tree.makeLink(name, to: entry.target)
      try attributes.apply(at: try tree.folder(name.parent), name, isLink: true)
    case IMAGES_TAR_FIFO:
      try tree.makeDevice(name, mode: S_IFIFO | 0o600, major: 0, minor: 0)
      try attributes.apply(at: try tree.folder(name.parent), name, isLink: false)
    case IMAGES_TAR_CHARACTER_DEVICE, IMAGES_TAR_BLOCK_DEVICE:
      try makeDevice(name, entry)
      try attributes.apply(at: try tree.folder(name.parent), name, isLink: false)
    default: throw LayerError("\(name.text) is of a kind that no layer has")
    }
  }

  /// Makes room for an entry; answers whether a folder stays.
  private mutating func clear(_ name: EntryName, forFolder isFolder: Bool) throws(LayerError) -> Bool {
    guard let status = try tree.status(name) else { return false }
    if whiteouts.contains(name), status.isWhiteout {
      try tree.remove(name)
      whiteouts.remove(name)
      if isFolder {
        try tree.makeFolder(name)
        try markOpaque(name)
        return true
      }
      return false
    }
    if isFolder, status.isFolder { return true }
    try tree.remove(name)
    if status.isFolder { forgetFolders(within: name) }
    return false
  }

  private mutating func forgetFolders(within name: EntryName) {
    folders = folders.filter { !$0.key.isWithin(name) }
    whiteouts = whiteouts.filter { !$0.isWithin(name) }
    opaqueFolders = opaqueFolders.filter { !$0.isWithin(name) }
  }

  private mutating func makeDevice(_ name: EntryName, _ entry: TarReader.Entry) throws(LayerError) {
    let isCharacter = entry.kind == IMAGES_TAR_CHARACTER_DEVICE
    let (major, minor) = (entry.header.major, entry.header.minor)
    guard (0..<4096).contains(major), (0..<1 << 20).contains(minor) else {
      throw LayerError("\(name.text) is a device \(major):\(minor), which no system has")
    }
    // It would hide what lower layers have.
    guard !isCharacter || major != 0 || minor != 0 else { throw LayerError("\(name.text) is the device 0:0") }
    try tree.makeDevice(
      name, mode: (isCharacter ? S_IFCHR : S_IFBLK) | 0o600, major: UInt32(major), minor: UInt32(minor))
  }

  /// Bytes of a file from which on the disk is told at once, and not when all is there.
  private static let worthWriting: Int64 = 1 << 18

  private mutating func write(
    _ tar: TarReader, to file: borrowing Descriptor, _ name: EntryName, size: Int64
  ) throws(LayerError) {
    let number = file.rawValue
    var (end, gauge) = (Int64(0), space)
    try tar.data { (bytes, offset) throws(LayerError) in
      try gauge.count(bytes: bytes.count, on: number)
      var written = 0
      while written < bytes.count {
        let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
        let count = pwrite(number, rest.baseAddress, rest.count, off_t(offset) + off_t(written))
        if count < 0, Errno.last == .interrupted { continue }
        guard count > 0 else { throw LayerError(KernelError("write", name.text, errno: .last)) }
        written += count
      }
      end = max(end, offset + Int64(bytes.count))
    }
    space = gauge
    if end >= Self.worthWriting { images_begin_writing(number) }
    // A hole at the end has no piece of its own.
    guard size <= end || ftruncate(number, off_t(size)) == 0 else {
      throw LayerError(KernelError("write", name.text, errno: .last))
    }
  }

  // MARK: What the layer says about those below

  private mutating func remove(_ name: EntryName) throws(LayerError) {
    if let status = try tree.status(name) {
      // Files of this layer stay, whatever the order.
      guard status.isFolder else { return }
      try markOpaque(name)
      replaced.insert(name)
      return
    }
    try space.count(entry: tree.root.rawValue)
    try tree.makeWhiteout(name)
    whiteouts.insert(name)
  }

  private mutating func empty(_ name: EntryName) throws(LayerError) {
    if !name.isRoot, let status = try tree.status(name), !status.isFolder {
      guard whiteouts.contains(name), status.isWhiteout else {
        throw LayerError("\(name.text) is to be emptied and is no folder")
      }
      try tree.remove(name)
      whiteouts.remove(name)
    }
    _ = try tree.folder(name)
    try markOpaque(name)
  }

  private mutating func markOpaque(_ name: EntryName) throws(LayerError) {
    try tree.makeOpaque(name)
    opaqueFolders.insert(name)
  }

  private mutating func link(
    _ name: EntryName, to bytes: [UInt8], _ attributes: EntryAttributes
  ) throws(LayerError) {
    let target = try EntryName(bytes)
    guard !target.isRoot, target != name else { throw LayerError("\(name.text) is a hard link to itself") }
    guard let status = try tree.status(target), !status.isWhiteout else {
      lowerLinks.append((name, target, attributes))
      return
    }
    guard !status.isFolder else { throw LayerError("\(name.text) is a hard link to the folder \(target.text)") }
    if let own = try tree.status(name), own.st_ino == status.st_ino, own.st_dev == status.st_dev { return }
    _ = try clear(name, forFolder: false)
    try tree.makeHardLink(name, to: target)
    try finish(name, status, attributes)
  }

  /// The last entry says what a file is, also where it is a further name of it. Most say what the first did.
  private mutating func finish(_ name: EntryName, _ status: stat, _ attributes: EntryAttributes) throws(LayerError) {
    guard status.st_mode & S_IFMT == S_IFREG, !attributes.isThat(of: status) else { return }
    let file = try tree.open(name, O_RDONLY)
    var attributes = attributes
    // A further name seldom repeats the capability, which a change of owner would clear.
    if !attributes.extended.contains(where: { $0.name == EntryAttributes.capability }) {
      attributes.extended += EntryAttributes.capabilities(of: file.rawValue)
    }
    var missing: [String] = []
    try attributes.apply(to: file.rawValue, name) { missing.append($0) }
    unsupported.formUnion(missing)
  }

  // MARK: Settling

  /// Does what depends on the layers below, and sets the attributes of folders, which all that goes before would change.
  ///
  /// - Parameter lower: the layers below, the topmost first.
  package mutating func settle(on lower: borrowing LowerLayers) throws(LayerError) {
    for (name, target, attributes) in lowerLinks {
      try copyUp(target, from: lower, for: name)
      if let status = try tree.status(name) { try finish(name, status, attributes) }
    }
    for name in whiteouts where try hidesNothing(name, lower) {
      // An overlay shows a device that hides nothing as a broken name.
      if let status = try tree.status(name), status.isWhiteout { try tree.remove(name) }
    }
    var inherited: [(EntryName, EntryAttributes)] = []
    for name in tree.implied.sorted(by: { $0.parts.count > $1.parts.count }) {
      if let attributes = try lowerAttributes(name, lower) {
        inherited.append((name, attributes))
      } else if replaced.contains(name) || !opaqueFolders.contains(name) {
        // One that was made for names to be removed, and nothing else.
        guard try tree.removeIfEmpty(name), try !hidesNothing(name, lower) else { continue }
        try tree.makeWhiteout(name)
      }
    }
    for (name, attributes) in inherited + folders.map({ ($0.key, $0.value) }) {
      guard let status = try tree.status(name), status.isFolder else { continue }
      let folder = try tree.open(name, O_RDONLY | O_DIRECTORY)
      var missing: [String] = []
      try attributes.apply(to: folder.rawValue, name) { missing.append($0) }
      unsupported.formUnion(missing)
    }
    tree.forget()
  }

  private func isEmptied(_ name: EntryName) -> Bool {
    opaqueFolders.contains { name != $0 && name.isWithin($0) }
  }

  private func hidesNothing(_ name: EntryName, _ lower: borrowing LowerLayers) throws(LayerError) -> Bool {
    if isEmptied(name) { return true }
    return try withKernelErrors { () throws(KernelError) in !(try lower.contains(name)) }
  }

  private func lowerAttributes(
    _ name: EntryName, _ lower: borrowing LowerLayers
  ) throws(LayerError) -> EntryAttributes? {
    if isEmptied(name) || opaqueFolders.contains(name) { return nil }
    return try withKernelErrors { () throws(KernelError) in
      guard case .some(let found) = try lower.find(name), found.status.isFolder else { return nil }
      return EntryAttributes(found.status)
    }
  }

  /// A hard link to a file that only lower layers have: the file becomes this layer's too, as both names of it are one.
  private mutating func copyUp(
    _ target: EntryName, from lower: borrowing LowerLayers, for name: EntryName
  ) throws(LayerError) {
    if try tree.status(target) == nil {
      guard !isEmptied(target),
        case .some(let found) = try withKernelErrors({ () throws(KernelError) in try lower.find(target) })
      else { throw LayerError("\(name.text) is a hard link to \(target.text), which is nowhere") }
      guard found.status.st_mode & S_IFMT == S_IFREG else {
        throw LayerError("\(name.text) is a hard link to \(target.text), which is no file")
      }
      let source = openat(found.folder.rawValue, found.name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
      guard source >= 0 else { throw LayerError(KernelError("open", target.text, errno: .last)) }
      defer { close(source) }
      let file = try tree.makeFile(target)
      guard images_copy(source, file.rawValue) == 0 else {
        throw LayerError(KernelError("copy", target.text, errno: .last))
      }
      var attributes = EntryAttributes(found.status)
      attributes.extended = EntryAttributes.capabilities(of: source)
      try attributes.apply(to: file.rawValue, target) { _ in }
    }
    _ = try clear(name, forFolder: false)
    try tree.makeHardLink(name, to: target)
  }
}

/// Runs what looks at lower layers.
private func withKernelErrors<Value: ~Copyable>(_ body: () throws(KernelError) -> Value) throws(LayerError) -> Value {
  do {
    return try body()
  } catch {
    throw LayerError(error)
  }
}
