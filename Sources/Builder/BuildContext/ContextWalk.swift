import BuildIgnore
import Glibc
import Kernel
import SystemPackage

/// Goes through a source and all below it: a folder before what it holds, in the order of names.
///
/// Of a folder its names are kept while it is walked, and nothing of the others. Links are not followed.
struct ContextWalk {
  private let root: ContextRoot
  private let exclusions: IgnorePatterns

  /// Deeper than any tree that somebody has made for use.
  static let deepest = 256

  /// A folder that is left out, and is shown only once something in it is taken back in.
  private struct Pending {
    var entries: [ContextEntry] = []
  }

  init(_ root: ContextRoot, exclusions: IgnorePatterns) { (self.root, self.exclusions) = (root, exclusions) }

  func visit(
    _ source: ContextSource, _ visitor: (ContextEntry) throws(WalkEnd) -> Void
  ) throws(WalkEnd) {
    var pending = Pending()
    let place = source.placeParts
    guard place.count > 1 else { return try visit(source, at: place, exclusions.root, &pending, visitor) }
    try visitParents(of: source, place, depth: 1, exclusions.root, &pending, visitor)
  }

  /// Shows the folders that lead from a source's base to it before what it holds.
  ///
  /// - Parameter depth: The number of parts of `place` that lead to the folder that is next.
  private func visitParents(
    of source: ContextSource, _ place: [[UInt8]], depth: Int, _ exclusion: IgnorePatterns.Verdict,
    _ pending: inout Pending, _ visitor: (ContextEntry) throws(WalkEnd) -> Void
  ) throws(WalkEnd) {
    guard depth < place.count else { return try visit(source, at: place, exclusion, &pending, visitor) }
    let path = Self.joined(place.prefix(depth))
    let exclusion = exclusions.isEmpty ? exclusion : exclusions.verdict(path, below: exclusion)
    guard !exclusion.isExcluded || exclusions.mayReturn(below: path) else { return }
    let above = ContextPath.parts(source.path).dropLast(place.count - depth)
    let fullPath = Self.joined(above)
    let parent = try attempt { () throws(ContextError) in try root.folder(Self.joined(above.dropLast())) }
    let name = ContextPath.cString(above.last ?? [])
    let found = try attempt { () throws(ContextError) in
      try Self.status(of: name, in: parent.fileDescriptor, fullPath)
    }
    guard let status = found, status.kind == .folder else { return }
    pending.entries.append(
      ContextEntry(path: path, fullPath: fullPath, status: status, folder: parent.fileDescriptor, name: name))
    try visitParents(of: source, place, depth: depth + 1, exclusion, &pending, visitor)
  }

  private static func joined(_ parts: some Collection<[UInt8]>) -> [UInt8] {
    Array(parts.joined(separator: [ContextPath.slash]))
  }

  /// Shows a source itself and all below it.
  ///
  /// - Parameter place: The path from its base.
  private func visit(
    _ source: ContextSource, at place: [[UInt8]], _ exclusion: IgnorePatterns.Verdict, _ pending: inout Pending,
    _ visitor: (ContextEntry) throws(WalkEnd) -> Void
  ) throws(WalkEnd) {
    let parts = ContextPath.parts(source.path)
    let name = ContextPath.cString(parts.last ?? [])
    let parent = try attempt { () throws(ContextError) in try root.folder(Self.joined(parts.dropLast())) }
    let found = try attempt { () throws(ContextError) in
      try Self.status(of: name, in: parent.fileDescriptor, source.path)
    }
    let status = found ?? source.status
    let path = Self.joined(place)
    let entry = ContextEntry(
      path: path, fullPath: source.path, status: status, folder: parent.fileDescriptor, name: name)
    guard status.kind == source.status.kind else { throw .failed(entry.changed) }
    let isExcludable = !exclusions.isEmpty && (!place.isEmpty || status.kind != .folder)
    let exclusion =
      isExcludable ? exclusions.verdict(place.isEmpty ? source.name : path, below: exclusion) : exclusion
    if status.kind == .folder {
      guard !exclusion.isExcluded || exclusions.mayReturn(below: path) else { return }
      try visitFolder(entry, source.verdict, exclusion, depth: 0, &pending, visitor)
    } else if !exclusion.isExcluded {
      try show(entry, &pending, visitor)
    }
  }

  private static func status(
    of name: [CChar], in folder: FileDescriptor, _ path: [UInt8]
  ) throws(ContextError) -> EntryStatus? {
    var status = stat()
    guard fstatat(folder.rawValue, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      // Removed since the folder was listed.
      if Errno.last == .noSuchFileOrDirectory { return nil }
      throw ContextError("look at", path, .last)
    }
    return EntryStatus(status)
  }

  private func visitFolder(
    _ entry: ContextEntry, _ verdict: IgnorePatterns.Verdict, _ exclusion: IgnorePatterns.Verdict, depth: Int,
    _ pending: inout Pending, _ visitor: (ContextEntry) throws(WalkEnd) -> Void
  ) throws(WalkEnd) {
    guard depth < Self.deepest else {
      throw .failed(
        ContextError("\(ContextPath.shown(entry.fullPath)) lies deeper than \(Self.deepest) folders"))
    }
    let isHidden = verdict.isExcluded || exclusion.isExcluded
    if isHidden {
      pending.entries.append(entry)
    } else {
      try show(entry, &pending, visitor)
    }
    let folder = try attempt { () throws(ContextError) in try entry.open() }
    let names = try attempt { () throws(ContextError) in try ContextRoot.entries(of: folder, entry.fullPath) }
    for (bytes, name) in names {
      try visitChild(
        bytes, name, of: entry, in: folder.fileDescriptor, verdict, exclusion, depth: depth, &pending, visitor)
    }
    // Nothing was taken back in.
    if isHidden, pending.entries.last?.fullPath == entry.fullPath { pending.entries.removeLast() }
  }

  private func visitChild(
    _ bytes: [UInt8], _ name: [CChar], of parent: ContextEntry, in folder: FileDescriptor,
    _ parentVerdict: IgnorePatterns.Verdict, _ parentExclusion: IgnorePatterns.Verdict, depth: Int,
    _ pending: inout Pending, _ visitor: (ContextEntry) throws(WalkEnd) -> Void
  ) throws(WalkEnd) {
    let path = ContextPath.joined(parent.path, bytes)
    let fullPath = ContextPath.joined(parent.fullPath, bytes)
    let verdict = root.patterns.isEmpty ? parentVerdict : root.patterns.verdict(fullPath, below: parentVerdict)
    let exclusion = exclusions.isEmpty ? parentExclusion : exclusions.verdict(path, below: parentExclusion)
    let mayShow =
      (!verdict.isExcluded || root.patterns.mayReturn(below: fullPath))
      && (!exclusion.isExcluded || exclusions.mayReturn(below: path))
    guard mayShow else { return }
    let found = try attempt { () throws(ContextError) in try Self.status(of: name, in: folder, fullPath) }
    guard let status = found else { return }
    let entry = ContextEntry(path: path, fullPath: fullPath, status: status, folder: folder, name: name)
    if status.kind == .folder {
      try visitFolder(entry, verdict, exclusion, depth: depth + 1, &pending, visitor)
    } else if !verdict.isExcluded, !exclusion.isExcluded {
      try show(entry, &pending, visitor)
    }
  }

  /// The folders that lead to an entry come before it.
  private func show(
    _ entry: ContextEntry, _ pending: inout Pending, _ visitor: (ContextEntry) throws(WalkEnd) -> Void
  ) throws(WalkEnd) {
    let folders = pending.entries
    pending.entries = []
    for folder in folders { try visitor(folder) }
    try visitor(entry)
  }
}

/// Ends a walk with an error.
func attempt<Result: ~Copyable>(_ body: () throws(ContextError) -> Result) throws(WalkEnd) -> Result {
  do {
    return try body()
  } catch {
    throw .failed(error)
  }
}

extension ContextRoot {
  /// Visits a source and all below it that `.dockerignore` and `--exclude` leave in: a folder before what it holds,
  /// each folder in the order of names. Sockets and devices are visited too; ``EntryStatus/kind`` tells them.
  ///
  /// - Parameters:
  ///   - exclusions: Patterns of `--exclude`, relative to the source.
  ///   - visitor: Gets each entry while its folder is open.
  /// - Throws: the first error of the kernel or of the visitor.
  package func walk(
    _ source: ContextSource, excluding exclusions: IgnorePatterns = IgnorePatterns(),
    _ visitor: (ContextEntry) throws(ContextError) -> Void
  ) throws(ContextError) {
    do throws(WalkEnd) {
      try ContextWalk(self, exclusions: exclusions).visit(source) { entry throws(WalkEnd) in
        try attempt { () throws(ContextError) in try visitor(entry) }
      }
    } catch {
      if case .failed(let failure) = error { throw failure }
    }
  }
}
