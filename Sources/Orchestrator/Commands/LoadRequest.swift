import StackFiles

/// The stack files to read, and how.
package struct LoadRequest: Sendable {
  /// The files, each merged over those before it; `-` is standard input. When empty, those that are found: of COMPOSE_FILE,
  /// or in the current folder; compose files in one above it, too.
  package var paths: [String]
  /// The stack's name, when it is neither that of COMPOSE_PROJECT_NAME nor the file's.
  package var name: String?
  /// The profiles that are active. When empty, those of COMPOSE_PROFILES.
  package var profiles: [String] = []
  /// The services that it is about, if not about all.
  package var services: [String] = []
  /// True if it is about what these depend on, too.
  package var includesDependencies = true
  /// The number of replicas of services that get another number than the file says.
  package var scale: [String: Int] = [:]
  package var isInterpolating = true
  /// A further instance of a service, which the request is about.
  package var oneOff: OneOffService?

  package init(paths: [String]) {
    self.paths = paths
  }
}
