import BuildIgnore
import Digests
import Glibc
import ImageReference
import Kernel
import SystemPackage

extension ContextRoot {
  /// The digest over sources. Only files whose state is not in the memory are read.
  ///
  /// - Throws: the first thing that could not be read, or that hashing is not possible here.
  package func digest(
    of sources: [ContextSource], excluding exclusions: IgnorePatterns = IgnorePatterns(),
    _ memory: inout DigestMemory
  ) throws(ContextError) -> SelectionDigest {
    var hasher = try SelectionHasher(keepsOwners: keepsOwners)
    for source in sources {
      hasher.begin(source)
      do throws(WalkEnd) {
        try ContextWalk(self, exclusions: exclusions).visit(source) { entry throws(WalkEnd) in
          try attempt { () throws(ContextError) in try hasher.add(entry, &memory) }
        }
      } catch {
        if case .failed(let failure) = error { throw failure }
      }
    }
    return try hasher.finish()
  }
}

/// Adds entry after entry to one digest.
private struct SelectionHasher: ~Copyable {
  private var hash: ContentHash
  private let keepsOwners: Bool
  private var entries: [SelectedEntry]? = []
  private var entryCount = 0
  private var byteCount: UInt64 = 0
  private var omitted: [[UInt8]] = []
  private var buffer = [UInt8](repeating: 0, count: 1 << 17)

  init(keepsOwners: Bool) throws(ContextError) {
    hash = try Self.begun()
    self.keepsOwners = keepsOwners
  }

  private static func begun() throws(ContextError) -> ContentHash {
    do {
      return try ContentHash()
    } catch {
      throw ContextError("\(error)", remedy: LibraryError.remedy)
    }
  }

  /// The name that a copy gets is part of what is copied.
  mutating func begin(_ source: ContextSource) {
    // Below a base, each entry has its path.
    let hasName = !source.isFolder && source.base == nil
    hash.add([1, source.isFolder ? 1 : 0] + Self.framed(hasName ? source.name : []))
  }

  mutating func add(_ entry: ContextEntry, _ memory: inout DigestMemory) throws(ContextError) {
    let status = entry.status
    // A stage or an image keeps its devices when it is copied.
    if status.kind == .socket || status.kind == .device && !keepsOwners {
      omitted.append(entry.fullPath)
      return
    }
    let content: [UInt8] =
      switch status.kind {
      case .file: try fileDigest(entry, &memory)
      case .link: try entry.linkTarget()
      case .folder: try folderDigest(entry)
      case .device: status.device.littleEndianBytes
      default: []
      }
    // A link has no mode of its own (symlink(7)).
    let mode = status.kind == .link ? 0o777 : status.mode
    let (user, group) = keepsOwners ? (status.user, status.group) : (0, 0)
    let numbers = [UInt64(mode), UInt64(user), UInt64(group)].flatMap(\.littleEndianBytes)
    hash.add([2, status.kind.rawValue] + Self.framed(entry.path) + numbers + Self.framed(content))
    entryCount += 1
    if status.kind == .file { byteCount += status.size }
    guard entryCount <= SelectionDigest.entryLimit else {
      entries = nil
      return
    }
    entries?.append(
      SelectedEntry(path: entry.fullPath, kind: status.kind, mode: mode, user: user, group: group, content: content))
  }

  consuming func finish() throws(ContextError) -> SelectionDigest {
    let (entries, entryCount, byteCount, omitted) = (entries, entryCount, byteCount, omitted)
    do {
      return SelectionDigest(
        digest: try hash.digest(), entries: entries, entryCount: entryCount, byteCount: byteCount, omitted: omitted)
    } catch {
      throw ContextError("\(error)")
    }
  }

  /// A length before bytes, so that no two lists of them look alike.
  private static func framed(_ bytes: [UInt8]) -> [UInt8] { UInt64(bytes.count).littleEndianBytes + bytes }

  private static func framed(_ attributes: [(name: String, value: [UInt8])]) -> [UInt8] {
    attributes.flatMap { framed(Array($0.name.utf8)) + framed($0.value) }
  }

  // MARK: - Contents

  private mutating func fileDigest(
    _ entry: ContextEntry, _ memory: inout DigestMemory
  ) throws(ContextError) -> [UInt8] {
    if let known = memory.digest(of: entry.status.identity) { return known.bytes }
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let file = try entry.open()
    var own = try Self.begun()
    own.add(Self.framed(ContextEntry.attributes(of: file)))
    while true {
      let count = buffer.withUnsafeMutableBytes { Glibc.read(file.rawValue, $0.baseAddress, $0.count) }
      if count < 0 {
        if Errno.last == .interrupted { continue }
        throw ContextError("read", entry.fullPath, .last)
      }
      if count == 0 { break }
      buffer.withUnsafeBytes { own.add(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
    var after = stat()
    guard fstat(file.rawValue, &after) == 0 else { throw ContextError("look at", entry.fullPath, .last) }
    guard EntryStatus(after).identity == entry.status.identity else { throw entry.changed }
    do {
      let bytes = try own.rawBytes()
      memory.remember(DigestMemory.Digest(bytes), of: entry.status.identity, readAt: FileTime(now))
      return bytes
    } catch {
      throw ContextError("\(error)")
    }
  }

  private func folderDigest(_ entry: ContextEntry) throws(ContextError) -> [UInt8] {
    Self.framed(ContextEntry.attributes(of: try entry.open()))
  }
}
