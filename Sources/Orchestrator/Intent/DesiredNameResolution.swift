import Addresses
import Vocabulary

/// The resolver settings for names that are not the stack's.
package struct DesiredNameResolution: Usual, Sendable {
  /// The servers that are asked; empty for the host's resolvers.
  package var servers: [IPAddress] = []
  /// nil for the host's.
  package var search: [String]?
  /// nil for the host's.
  package var options: [String]?

  package init() {}
}
