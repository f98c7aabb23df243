import BuildIgnore

/// One thing that a COPY takes: a file, or a folder with what lies below it.
package struct ContextSource: Sendable {
  /// From the root, with every link followed. Empty for the root.
  package var path: [UInt8]
  /// The last name as it was written, which a copy in a folder gets. Empty for the root.
  package var name: [UInt8]
  package var status: EntryStatus

  /// The folder below which a copy keeps its place, with those that lead to it (`--parents`). Nil for a copy that is
  /// put into the destination itself.
  package var base: [UInt8]?

  package var isFolder: Bool { status.kind == .folder }

  /// The path from the base, part by part. Empty without a base.
  var placeParts: [[UInt8]] {
    guard let base else { return [] }
    return Array(ContextPath.parts(path).dropFirst(ContextPath.parts(base).count))
  }

  var verdict: IgnorePatterns.Verdict
}
