import BuildIgnore
import Kernel

extension ContextRoot {
  /// The entries that a source of `COPY --parents` means, in the order of names. Each keeps its place below the
  /// context, or below what stands before the first `/./`.
  ///
  /// `**` is any number of folders. Below the base no link is followed, since the names of folders are kept.
  ///
  /// - Parameter source: A path, or a pattern. A pattern without a match means nothing.
  /// - Throws: that a path leads to nothing, that the pattern is none, or what the kernel refused.
  package func sourcesWithParents(_ source: [UInt8]) throws(ContextError) -> [ContextSource] {
    guard !source.contains(0) else { throw ContextError("a path holds a NUL character") }
    let (head, tail) = Self.halves(source)
    let place = ContextPath.parts(tail)
    var found: [ContextSource] = []
    let bases = try sources(head)
    if let file = bases.first, !file.isFolder, bases.count == 1 {
      throw ContextError("\(ContextPath.shown(file.path)) is no folder, so nothing is below it")
    }
    for base in bases where base.isFolder {
      if place.contains(where: Self.isPattern) {
        found += try matches(of: place, below: base.path, source)
      } else {
        found.append(try entry(place, below: base.path, source))
      }
    }
    return found
  }

  /// The parts before the first `/./` and behind it. Without one, all of it counts from the root.
  private static func halves(_ source: [UInt8]) -> (head: [UInt8], tail: [UInt8]) {
    let pivot = Array("/./".utf8)
    guard source.count >= pivot.count,
      let place = (0...(source.count - pivot.count)).first(where: { source[$0...].starts(with: pivot) })
    else { return ([], source) }
    return (Array(source[..<place]), Array(source[(place + pivot.count)...]))
  }

  // MARK: Paths

  private func entry(
    _ place: [[UInt8]], below base: [UInt8], _ source: [UInt8]
  ) throws(ContextError) -> ContextSource {
    let path = place.reduce(base, ContextPath.joined)
    if let link = try firstLink(on: place.dropLast(), below: base) {
      throw ContextError(
        "\(ContextPath.shown(link)) is a link, and --parents keeps the names of folders",
        remedy: "name the folder that it leads to")
    }
    let found = try unfollowed(path, source)
    guard try hasSomething(found) else { throw Self.leftOut(source) }
    return ContextSource(
      path: path, name: found.name, status: found.status, base: base, verdict: found.verdict)
  }

  private func firstLink(on place: ArraySlice<[UInt8]>, below base: [UInt8]) throws(ContextError) -> [UInt8]? {
    var path = base
    for part in place {
      path = ContextPath.joined(path, part)
      guard let status = try status(of: path) else { return nil }
      if status.kind == .link { return path }
      guard status.kind == .folder else { return nil }
    }
    return nil
  }

  /// The entry at a path, itself where it is a link.
  private func unfollowed(_ path: [UInt8], _ source: [UInt8]) throws(ContextError) -> ContextSource {
    let parts = ContextPath.parts(path)
    var resolver = PathResolver(self)
    guard let last = parts.last, !parts.isEmpty else { return try resolver.resolve([]) }
    let folder = Array(parts.dropLast().joined(separator: [ContextPath.slash]))
    let verdict = patterns.verdict(path)
    if !verdict.isExcluded, let holder = try? resolver.resolve(folder), holder.isFolder,
      let status = try status(of: path), status.kind == .link
    {
      return ContextSource(path: path, name: last, status: status, verdict: verdict)
    }
    resolver = PathResolver(self)
    return try resolver.resolve(path)
  }

  // MARK: Patterns

  /// The paths that match as a whole. What lies below a match belongs to it.
  private func matches(
    of place: [[UInt8]], below base: [UInt8], _ source: [UInt8]
  ) throws(ContextError) -> [ContextSource] {
    let text = Array(place.joined(separator: [ContextPath.slash]))
    let pattern: PathPattern
    do {
      pattern = try PathPattern(text, takesFolders: true)
    } catch {
      let reason = MalformedPattern(text: "", problem: error)
      throw ContextError("\(ContextPath.shown(source)) is no pattern: \(reason.reason)", remedy: reason.remedy)
    }
    var found: [ContextSource] = []
    try find(pattern, in: [], below: base, depth: 0, &found)
    return found
  }

  private func find(
    _ pattern: PathPattern, in folder: [UInt8], below base: [UInt8], depth: Int, _ found: inout [ContextSource]
  ) throws(ContextError) {
    let full = folder.isEmpty ? base : ContextPath.joined(base, folder)
    guard depth < ContextWalk.deepest else {
      throw ContextError("\(ContextPath.shown(full)) lies deeper than \(ContextWalk.deepest) folders")
    }
    for entry in try Self.entries(of: try self.folder(full), full) {
      let place = ContextPath.joined(folder, entry.bytes)
      let path = ContextPath.joined(base, place)
      let verdict = patterns.verdict(path)
      let isHidden = verdict.isExcluded && !patterns.mayReturn(below: path)
      let matches = pattern.matches(place)
      guard !isHidden, matches || Self.mayMatch(pattern, below: place), let status = try status(of: path) else {
        continue
      }
      if matches, !verdict.isExcluded || status.kind == .folder {
        let source = ContextSource(path: path, name: entry.bytes, status: status, base: base, verdict: verdict)
        if try hasSomething(source) { found.append(source) }
      } else if status.kind == .folder {
        try find(pattern, in: place, below: base, depth: depth + 1, &found)
      }
    }
  }

  private static func mayMatch(_ pattern: PathPattern, below folder: [UInt8]) -> Bool {
    let below = folder + [ContextPath.slash]
    return pattern.literalHead.starts(with: below) || below.starts(with: pattern.literalHead)
  }
}
