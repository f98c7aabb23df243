import BuildIgnore

/// One thing that a COPY takes: a file, or a folder with what lies below it.
package struct ContextSource: Sendable {
  /// From the root, with every link followed. Empty for the root.
  package var path: [UInt8]
  /// The last name as it was written, which a copy in a folder gets. Empty for the root.
  package var name: [UInt8]
  package var status: EntryStatus

  package var isFolder: Bool { status.kind == .folder }

  var verdict: IgnorePatterns.Verdict
}
