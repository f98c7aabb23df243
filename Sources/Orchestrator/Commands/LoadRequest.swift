/// Which stack file to read, and how.
package struct LoadRequest: Sendable {
  /// The files, each merged over those before it; `-` is standard input. When empty, those that are found: of COMPOSE_FILE,
  /// or in the current folder; compose files in one above it, too.
  package var paths: [String]
  /// The stack's name, when it is neither that of COMPOSE_PROJECT_NAME nor the file's.
  package var name: String?
  /// When empty, those of COMPOSE_PROFILES.
  package var profiles: [String] = []
  /// The services that it is about, if not about all.
  package var services: [String] = []
  /// Whether it is about what these depend on, too.
  package var includesDependencies = true
  /// How many replicas, for services that are to have another number than the file says.
  package var scale: [String: Int] = [:]
  package var isInterpolating = true

  package init(paths: [String]) {
    self.paths = paths
  }
}
