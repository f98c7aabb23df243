import Glibc
import Kernel
import SystemPackage
import TestSupport

@testable import BuildContext
@testable import BuildIgnore

/// A folder with files for one test, gone with it.
final class Tree: Sendable {
  private let folder: TemporaryFolder

  var path: String { folder.path }

  init() throws { folder = try TemporaryFolder() }

  /// - Parameter entries: `name` or `name=text` for a file, `name/` for a folder, `name->target` for a link.
  convenience init(_ entries: String...) throws {
    try self.init()
    for entry in entries { try add(entry) }
  }

  func add(_ entry: String) throws {
    if let arrow = entry.firstRange(of: "->") {
      let name = "\(path)/\(entry[..<arrow.lowerBound])"
      try Files.makeFolder(String(name[..<(name.lastIndex(of: "/") ?? name.startIndex)]))
      guard symlink(String(entry[arrow.upperBound...]), name) == 0 else { throw Errno.last }
      return
    }
    if entry.hasSuffix("/") { return try Files.makeFolder("\(path)/\(entry.dropLast())") }
    let halves = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let file = "\(path)/\(halves[0])"
    try Files.makeFolder(String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)]))
    try Files.overwrite(file, with: Array((halves.count > 1 ? halves[1] : halves[0]).utf8), mode: [.ownerReadWrite])
  }

  func root(_ ignore: String...) throws -> ContextRoot {
    ContextRoot(try ContextRoot.open(path), label: "the context", patterns: try IgnorePatterns(ignore))
  }
}

extension Tree {
  /// The paths that a source means, and below them all that a copy takes.
  func selected(_ source: String, ignoring ignore: [String] = [], excluding: [String] = []) throws -> [String] {
    let root = ContextRoot(
      try ContextRoot.open(path), label: "the context", patterns: try IgnorePatterns(ignore))
    var paths: [String] = []
    for found in try root.sources(Array(source.utf8)) {
      try root.walk(found, excluding: IgnorePatterns(excluding)) { entry in
        paths.append(String(decoding: entry.fullPath, as: UTF8.self))
      }
    }
    return paths
  }
}
