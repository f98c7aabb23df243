import Host
import Intent
import Kernel
import Runtime
import Supervision
import Vocabulary

extension DoctorCommand {
  /// Has the stacks whose supervisor was killed taken over by another one. Nothing is started or restarted by that.
  ///
  /// - Returns: what was changed, a line for each stack.
  package func adoptStacks() throws(StackErrors) -> [String] {
    var lines: [String] = []
    for name in index.names() where try isOrphaned(name) {
      _ = try context.locked(name, report: { _ in }) { () throws(StackErrors) in
        _ = try context.openSession(folders.stack(name))
        return OperationEvent(.finished)
      }
      lines.append("\(name): has a supervisor again")
    }
    return lines
  }

  private func isOrphaned(_ name: String) throws(StackErrors) -> Bool {
    try rethrowing(name) { () throws(KernelError) in
      guard let former = try StateFile<ProcessIdentity>(path: folders.stack(name).supervisor).read() else {
        return false
      }
      guard try former.bootID == Boot.current() else { return false }
      return try former.settledPresence(within: Self.patience) != .running
    }
  }

  /// Milliseconds. The kernel closes the sockets of a killed supervisor in much less, even on a busy host.
  private static let patience: Int32 = 5000
}
