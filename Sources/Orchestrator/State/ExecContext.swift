import Runtime

/// What a command that joins a running service takes over from it: small, so that `exec` need not read a whole stack.
struct ExecContext: Codable, Hashable, Sendable {
  @Sparse var environment: [String: String]
  var workingDirectory: String?
  var user: String?
  @Sparse var security: DesiredSecurity
  @Sparse var limits: [ProcessLimit]
  var oomScoreAdjustment: Int32?
  @Sparse var groups: [String]
  @Sparse var hasClocks: Bool
  /// Into the service's control group, where the supervisor saw it.
  var entrance: ControlGroupEntrance?

  init(_ service: DesiredService, _ entrance: ControlGroupEntrance) {
    self.entrance = entrance
    let process = service.process
    limits = service.settings.limits
    oomScoreAdjustment = service.settings.oomScoreAdjustment
    groups = service.settings.groups
    hasClocks = service.settings.timeOffsets != nil
    environment = service.environment(terminal: nil)
    workingDirectory = process.workingDirectory
    user = process.user
    security = process.security
  }
}
