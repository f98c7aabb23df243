import Intent
import Isolation
import Runtime
import Vocabulary

/// The context that all processes of a service have in common: the one that it is started with, its health check, and what
/// `exec` runs in it.
///
/// Recorded by each start, apart from the stack: so `exec` reads little, and joins the service as it was started.
package struct ProcessContext: Codable, Hashable, Sendable {
  /// Without TERM, unless the file sets it.
  @Sparse package var environment: [String: String]
  package var workingDirectory: String?
  package var user: String?
  @Sparse package var security: DesiredSecurity
  @Sparse package var limits: [ProcessLimit]
  package var oomScoreAdjustment: Int32?
  @Sparse package var groups: [String]
  /// True if it has a time namespace of its own.
  @Sparse package var hasClocks: Bool
  /// Into the service's control group, where the supervisor saw it.
  package var entrance: ControlGroupEntrance?

  package init(_ service: DesiredService, _ entrance: ControlGroupEntrance) {
    self.entrance = entrance
    let process = service.process
    limits = service.settings.limits
    oomScoreAdjustment = service.settings.oomScoreAdjustment ?? CallersSurroundings.oomScoreAdjustment
    groups = service.settings.groups
    hasClocks = service.settings.timeOffsets != nil
    environment = service.environment(terminal: nil)
    workingDirectory = process.workingDirectory
    user = process.user
    security = process.security
  }
}
