import Host
import Intent
import Kernel
import Runtime
import Supervision
import Vocabulary

/// Takes a stack down.
package struct DownCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Takes a stack down, also one whose state is lost. One of which there is nothing is down.
  package func run(
    _ name: String, removeVolumes: Bool, timeout: Double?, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    try context.locked(name, report: report) { () throws(StackErrors) in
      let folder = folders.stack(name)
      try refuseWhileJoined(name)
      if !Files.exists(folder.path) {
        guard try leavesAnything(name, withVolumes: removeVolumes) else { return OperationEvent(.finished) }
        try rethrowing(name) { () throws(KernelError) in
          // Its supervisor, if it has one, is where no command reaches it.
          try SupervisorProcess.endAll(of: name)
          try Files.makeFolder(folder.path)
        }
      }
      return try context.perform(
        SupervisorMethods.Down.self,
        SupervisorMethods.Down.Parameters(removeVolumes: removeVolumes, timeout: timeout),
        on: folder, report: report)
    }
  }

  /// The stack that is to be taken down: one that is up, or one that has left something behind.
  ///
  /// - Throws: that there is no such stack.
  package func stack(_ name: String, withVolumes: Bool) throws(StackErrors) -> String {
    if try leavesAnything(name, withVolumes: withVolumes) { return name }
    return try index.stack(named: name)
  }

  private func leavesAnything(_ name: String, withVolumes: Bool) throws(StackErrors) -> Bool {
    let folder = folders.stack(name)
    guard NameRule.stack.problem(with: name) == nil else { return false }
    if Files.exists(folder.path) || withVolumes && Files.exists(folder.volumes) { return true }
    return try rethrowing(name) { () throws(KernelError) in try StackTraces.all(folders)[name]?.hasProof ?? false }
  }
}
