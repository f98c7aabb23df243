/// What a command that joins a running service takes over from it: small, so that `exec` need not read a whole stack.
struct ExecContext: Codable, Hashable, Sendable {
  var environment: [String: String]
  var workingDirectory: String?
  var user: String?
  var security: DesiredSecurity

  init(_ process: DesiredProcess) {
    environment = process.environment
    workingDirectory = process.workingDirectory
    user = process.user
    security = process.security
  }
}
