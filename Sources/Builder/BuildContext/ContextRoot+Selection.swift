import BuildIgnore
import Glibc
import Kernel
import SystemPackage

extension ContextRoot {
  /// The entries that a source of COPY or ADD means, in the order of names.
  ///
  /// - Parameter source: A path, or a pattern of Go's filepath.Match. A pattern without a match means nothing.
  /// - Throws: that a path leads to nothing, that the pattern is none, or what the kernel refused.
  package func sources(_ source: [UInt8]) throws(ContextError) -> [ContextSource] {
    guard !source.contains(0) else { throw ContextError("a path holds a NUL character") }
    let parts = ContextPath.parts(source)
    guard let first = parts.firstIndex(where: Self.isPattern) else {
      var resolver = PathResolver(self)
      let found = try resolver.resolve(source)
      guard try hasSomething(found) else { throw Self.leftOut(source) }
      return [found]
    }
    let patterns = try Self.patterns(parts[first...], of: source)
    var resolver = PathResolver(self)
    guard let start = try? resolver.resolve(Array(parts[..<first].joined(separator: [ContextPath.slash]))),
      start.isFolder
    else { return [] }
    var matches: [[UInt8]] = []
    try find(patterns[...], in: start.path, &matches)
    var found: [ContextSource] = []
    for match in matches { try append(match, to: &found) }
    return found
  }

  static func leftOut(_ source: [UInt8]) -> ContextError {
    ContextError("all of \(ContextPath.shown(source)) is left out of the context by .dockerignore")
  }

  /// A match may be a link, which is followed; one that leads nowhere is an error, one that is left out is none.
  private func append(_ match: [UInt8], to found: inout [ContextSource]) throws(ContextError) {
    if patterns.verdict(match).isExcluded {
      guard patterns.mayReturn(below: match), try status(of: match)?.kind == .folder else { return }
    }
    var resolver = PathResolver(self)
    let source = try resolver.resolve(match)
    if try hasSomething(source) { found.append(source) }
  }

  static func isPattern(_ part: [UInt8]) -> Bool {
    var isEscaped = false
    for byte in part {
      if isEscaped {
        isEscaped = false
      } else if byte == UInt8(ascii: "\\") {
        isEscaped = true
      } else if "*?[".utf8.contains(byte) {
        return true
      }
    }
    return false
  }

  private static func patterns(
    _ parts: ArraySlice<[UInt8]>, of source: [UInt8]
  ) throws(ContextError) -> [PathPattern] {
    var patterns: [PathPattern] = []
    for part in parts {
      do {
        patterns.append(try PathPattern(part, takesFolders: false))
      } catch {
        let reason = MalformedPattern(text: "", problem: error)
        throw ContextError("\(ContextPath.shown(source)) is no pattern: \(reason.reason)", remedy: reason.remedy)
      }
    }
    return patterns
  }

  /// The paths that match part by part. Links between are not followed.
  private func find(
    _ patterns: ArraySlice<PathPattern>, in folder: [UInt8], _ matches: inout [[UInt8]]
  ) throws(ContextError) {
    guard let pattern = patterns.first else { return }
    let isLast = patterns.count == 1
    for entry in try Self.entries(of: try self.folder(folder), folder) where pattern.matches(entry.bytes) {
      let path = ContextPath.joined(folder, entry.bytes)
      if isLast {
        matches.append(path)
      } else if try status(of: path)?.kind == .folder {
        try find(patterns.dropFirst(), in: path, &matches)
      }
    }
  }

  func status(of path: [UInt8]) throws(ContextError) -> EntryStatus? {
    let parts = ContextPath.parts(path)
    let parent = try folder(Array(parts.dropLast().joined(separator: [ContextPath.slash])))
    var status = stat()
    guard fstatat(parent.rawValue, ContextPath.cString(parts.last ?? []), &status, AT_SYMLINK_NOFOLLOW) == 0 else {
      return nil
    }
    return EntryStatus(status)
  }

  /// The entries of a folder, sorted by the bytes of their names.
  static func entries(
    of folder: borrowing Descriptor, _ path: [UInt8]
  ) throws(ContextError) -> [(bytes: [UInt8], name: [CChar])] {
    do {
      return try FolderEntry.all(in: folder.fileDescriptor)
        .map { ($0.name.dropLast().map(UInt8.init(bitPattern:)), $0.name) }
        .sorted { $0.0.lexicographicallyPrecedes($1.0) }
    } catch {
      throw ContextError("list", path, error)
    }
  }

  /// False for a folder that is left out, with all below it.
  func hasSomething(_ source: ContextSource) throws(ContextError) -> Bool {
    guard source.verdict.isExcluded else { return true }
    var isFound = false
    do throws(WalkEnd) {
      try ContextWalk(self, exclusions: IgnorePatterns()).visit(source) { _ throws(WalkEnd) in
        isFound = true
        throw .stopped
      }
    } catch {
      if case .failed(let failure) = error { throw failure }
    }
    return isFound
  }
}

/// The end of a walk before all was seen.
enum WalkEnd: Error {
  case stopped
  case failed(ContextError)
}
