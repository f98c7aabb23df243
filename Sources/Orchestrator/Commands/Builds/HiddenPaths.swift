import BuildContext
import BuildIgnore
import Dockerfile
import StackFiles
import Vocabulary

/// The paths that the build of a service does not see: those that its `.dockerignore` leaves out.
struct HiddenPaths: Sendable {
  /// The context. Absolute, with all links followed.
  let folder: String
  let patterns: IgnorePatterns
  /// Files that a build reads whatever the patterns say.
  private let exempt: Set<String>

  /// - Parameter folder: with all links followed.
  init(folder: String, patterns: IgnorePatterns, dockerfile: DockerfilePlace?) {
    (self.folder, self.patterns) = (folder, patterns)
    exempt = Set(
      [".dockerignore"].map { "\(folder)/\($0)" } + (dockerfile.map { [$0.path, $0.path + ".dockerignore"] } ?? []))
  }

  /// True for a path of which the build sees nothing.
  func contains(_ path: String) -> Bool {
    guard let verdict = verdict(path) else { return false }
    return verdict.isExcluded && !exempt.contains(path)
  }

  /// True for a folder of which the build sees nothing, and nothing that is in it.
  func containsAll(of folder: String) -> Bool {
    guard let rest = rest(folder), contains(folder) else { return false }
    return !patterns.mayReturn(below: rest) && !exempt.contains { $0.hasPrefix(folder + "/") }
  }

  /// True for a file that says what is hidden.
  static func isSource(_ path: String) -> Bool { path.hasSuffix(".dockerignore") }

  private func verdict(_ path: String) -> IgnorePatterns.Verdict? { rest(path).map { patterns.verdict($0) } }

  private func rest(_ path: String) -> [UInt8]? {
    guard let rest = WatchCommand.relative(path, to: folder), !rest.isEmpty else { return nil }
    return Array(rest.utf8)
  }
}

extension BuildCommand {
  /// - Returns: nil for a service that is not built, and where the context or the patterns cannot be read: the build says so.
  func hiddenPaths(of service: StackFile.Service) -> HiddenPaths? {
    guard let build = service.build, let descriptor = try? ContextRoot.open(absolute(build.context.value)) else {
      return nil
    }
    let folder = WatchCommand.resolved(absolute(build.context.value))
    let place = build.inline == nil ? DockerfilePlace(build.dockerfile?.value ?? "Dockerfile", context: folder) : nil
    let root = ContextRoot(descriptor, label: "the context")
    guard let patterns = try? patterns(root, dockerfile: place, DiagnosticList()) else { return nil }
    return HiddenPaths(folder: folder, patterns: patterns, dockerfile: place)
  }
}
