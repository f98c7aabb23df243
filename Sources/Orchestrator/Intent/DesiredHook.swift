import Vocabulary

/// A command that runs in a service once it has been started, or before it is stopped.
package struct DesiredHook: Codable, Hashable, Sendable {
  package var command: [String]
  /// nil for that of the service.
  package var user: String?
  package var workingDirectory: String?
  /// Over the service's own.
  @Sparse package var environment: [String: String]
  @Sparse package var isPrivileged: Bool

  package init(
    command: [String], user: String? = nil, workingDirectory: String? = nil, environment: [String: String] = [:],
    isPrivileged: Bool = false
  ) {
    self.command = command
    self.user = user
    self.workingDirectory = workingDirectory
    self.environment = environment
    self.isPrivileged = isPrivileged
  }

  /// The moments at which hooks run, by the key that holds them.
  package enum Moment: String, Sendable {
    case postStart = "post_start"
    case preStop = "pre_stop"
  }
}

extension DesiredService {
  package func hooks(at moment: DesiredHook.Moment) -> [DesiredHook] {
    switch moment {
    case .postStart: postStart
    case .preStop: preStop
    }
  }

  /// The environment of a hook's processes: the service's variables, overridden by the hook's own.
  package func environment(of hook: DesiredHook) -> [String: String] {
    environment(terminal: nil).merging(hook.environment) { _, own in own }
  }
}
