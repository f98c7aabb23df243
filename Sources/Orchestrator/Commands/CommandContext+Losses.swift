import Build
import Intent
import Planning

extension CommandContext {
  /// The parts of stacks' networks that others have removed, one line each: `web: bridge web-front is set down`.
  package func complaints(of stacks: [DesiredStack]) -> [String] {
    stacks.flatMap { stack -> [String] in
      guard let loss = try? NetworkLoss(observing: stack) else { return [] }
      return loss.complaints.map { "\(stack.name): \($0)" }
    }
  }
}
