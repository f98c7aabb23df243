/// A key that a file has, for reports that account for each.
package struct UsedKey: Sendable {
  /// The kind of mapping that it stands in, as messages name it: `service`.
  package var subject: String
  /// The keys and names that lead to it: `services`, `web`, `ports`.
  package var path: [String]
  /// The place of the key.
  package var span: Span

  package init(subject: String, path: [String], span: Span) {
    (self.subject, self.path, self.span) = (subject, path, span)
  }

  package var name: String { path.last ?? "" }
}
