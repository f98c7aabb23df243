import ImageReference

/// A digest over all that a COPY takes: names, types, modes, owners, links, attributes and data. Times are not in it.
package struct SelectionDigest: Sendable, Hashable {
  package var digest: ContentDigest
  /// One for each entry, in order; nil where there were too many to keep.
  package var entries: [SelectedEntry]?
  package var entryCount: Int
  /// Of all files together.
  package var byteCount: UInt64
  /// Sockets and devices, which no image gets.
  package var omitted: [[UInt8]]

  /// A build with more entries does not say which of them changed.
  package static let entryLimit = 100_000
}

/// One entry as a record of a step keeps it, to say later what has changed.
package struct SelectedEntry: Sendable, Hashable {
  /// From the context's root.
  package var path: [UInt8]
  package var kind: EntryStatus.Kind
  package var mode: UInt32
  package var user: UInt32
  package var group: UInt32
  /// Of a file its digest, of a link its target, of a folder its attributes.
  package var content: [UInt8]

  package init(
    path: [UInt8], kind: EntryStatus.Kind, mode: UInt32, user: UInt32, group: UInt32, content: [UInt8]
  ) {
    (self.path, self.kind, self.mode) = (path, kind, mode)
    (self.user, self.group, self.content) = (user, group, content)
  }
}
