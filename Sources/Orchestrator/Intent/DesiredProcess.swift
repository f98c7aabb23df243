import Vocabulary

/// The service's own command and what it starts with.
package struct DesiredProcess: Codable, Hashable, Sendable {
  /// The program and its arguments: entrypoint, then command.
  package var arguments: [String]
  @Sparse package var environment: [String: String]
  package var workingDirectory: String?
  package var user: String?
  /// True if stack-init is PID 1, reaping and forwarding signals.
  package var usesInit: Bool
  @Sparse package var hasTerminal: Bool
  @Sparse package var keepsStdinOpen: Bool
  @Sparse package var isRootReadOnly: Bool
  @Sparse package var security: DesiredSecurity

  package init(
    arguments: [String], environment: [String: String], workingDirectory: String? = nil, user: String? = nil,
    usesInit: Bool, hasTerminal: Bool, keepsStdinOpen: Bool, isRootReadOnly: Bool, security: DesiredSecurity
  ) {
    self.arguments = arguments
    self.environment = environment
    self.workingDirectory = workingDirectory
    self.user = user
    self.usesInit = usesInit
    self.hasTerminal = hasTerminal
    self.keepsStdinOpen = keepsStdinOpen
    self.isRootReadOnly = isRootReadOnly
    self.security = security
  }
}
