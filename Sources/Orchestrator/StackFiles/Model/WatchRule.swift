extension StackFile {
  /// One rule of `develop: watch:`.
  package struct WatchRule: Sendable, Equatable {
    package enum Action: String, Sendable, CaseIterable {
      case sync, rebuild, restart
      case syncAndRestart = "sync+restart"
      case syncAndExecute = "sync+exec"
    }

    /// Absolute path of the host.
    package var path: Located<String>
    package var action: Action
    /// The path inside the service that files are copied to. Given where the action copies.
    package var target: String?
    /// Patterns of .dockerignore(5), from the path.
    package var ignored: [String] = []
    /// Patterns of which one must match. Empty: all files count.
    package var included: [String] = []
    package var syncsFirst = false
    /// The command that runs in the service after files were copied.
    package var hook: Hook?
  }
}
