/// The reason that a registry does not give what was asked for.
package struct RegistryError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    case unreachable, untrusted, denied, missing, rateLimited, broken, bad, stopped
  }

  package var kind: Kind
  /// As it stands behind the name of an image: `registry.example has no such image`.
  package var description: String
  package var remedy: String?
  /// When to come back, in the words of the registry.
  var retryAfter: String?

  package init(_ kind: Kind, _ description: String, remedy: String? = nil) {
    (self.kind, self.description, self.remedy) = (kind, description, remedy)
  }

  package static let stopped = RegistryError(.stopped, "was interrupted")
}
