import Runtime

/// What a command that joins a running service takes over from it: small, so that `exec` need not read a whole stack.
struct ExecContext: Codable, Hashable, Sendable {
  var environment: [String: String]
  var workingDirectory: String?
  var user: String?
  var security: DesiredSecurity
  var limits: [ProcessLimit]
  var groups: [String]
  var hasClocks: Bool

  init(_ service: DesiredService) {
    let process = service.process
    limits = service.settings.limits
    groups = service.settings.groups
    hasClocks = service.settings.timeOffsets != nil
    environment = process.environment
    workingDirectory = process.workingDirectory
    user = process.user
    security = process.security
  }
}
