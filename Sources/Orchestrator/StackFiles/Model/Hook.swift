extension StackFile {
  /// A command that runs in a service once it has been started, or before it is stopped.
  package struct Hook: Sendable, Equatable {
    /// Never empty.
    package var command: Located<[String]>
    /// Nil: that of the service.
    package var user: Located<User>?
    package var workingDirectory: Located<String>?
    /// Over the service's own.
    package var environment: [EnvironmentVariable] = []
    package var isPrivileged = false
  }
}
