import Build
import Host
import Planning

extension CommandContext {
  /// The parts of stacks' networks that others have removed, one line each: `web: bridge web-front is set down`.
  package func complaints(of stacks: [String]) -> [String] {
    stacks.flatMap { name -> [String] in
      guard let stack = (try? index.desired(name)) ?? nil, let loss = try? NetworkLoss(observing: stack) else {
        return []
      }
      return loss.complaints.map { "\(name): \($0)" }
    }
  }
}
