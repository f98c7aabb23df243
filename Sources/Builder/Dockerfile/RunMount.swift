/// One `--mount` of RUN, expanded.
package struct RunMount: Sendable, Hashable {
  package enum Kind: String, Sendable, CaseIterable { case bind, cache, tmpfs, secret, ssh }
  package enum Sharing: String, Sendable, CaseIterable { case shared, `private`, locked }

  package var kind: Kind = .bind
  /// A stage, a named context or an image. Nil for the build's context.
  package var from: String?
  package var source: String?
  /// As it is written: it may be relative to the working folder. Nil where the kind has a default.
  package var target: String?
  package var isReadOnly = true
  /// Bytes, of a tmpfs.
  package var size: UInt64?
  package var id: String?
  package var sharing: Sharing = .shared
  package var isRequired = false
  /// The variable that a secret goes to. The empty text: one of the secret's name.
  package var variable: String?
  package var mode: UInt32?
  package var uid: UInt32?
  package var gid: UInt32?
}
