import Host
import Intent
import Supervision

extension UpCommand {
  /// Tells of other programs' chains that would drop what a stack sends. What cannot be seen is not told of.
  func warn(of desired: DesiredStack, report: (OperationEvent) -> Void) {
    guard let closed = try? ClosedChain.observe(), !closed.isEmpty else { return }
    let hasGate = (try? Passage.isThere()) ?? false
    for chain in closed {
      guard let warning = desired.warning(of: chain, hasGate: hasGate) else { continue }
      report(OperationEvent(.warning, text: warning))
    }
  }
}
