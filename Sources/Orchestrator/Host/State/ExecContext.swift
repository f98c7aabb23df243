import Intent
import Isolation
import Runtime
import Vocabulary

/// The context that `exec` takes over from a running service. It is small, so that `exec` need not read a whole stack.
package struct ExecContext: Codable, Hashable, Sendable {
  @Sparse package var environment: [String: String]
  package var workingDirectory: String?
  package var user: String?
  @Sparse package var security: DesiredSecurity
  @Sparse package var limits: [ProcessLimit]
  package var oomScoreAdjustment: Int32?
  @Sparse package var groups: [String]
  @Sparse package var hasClocks: Bool
  /// Into the service's control group, where the supervisor saw it.
  package var entrance: ControlGroupEntrance?

  package init(_ service: DesiredService, _ entrance: ControlGroupEntrance) {
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
