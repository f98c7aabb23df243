import Host
import Intent
import Kernel
import Supervision
import Vocabulary

extension CommandContext {
  /// - Returns: nil when the user did not want to wait any longer.
  private func lock(_ folder: StackFolder, onWait: () -> Void) throws(KernelError) -> StackLock? {
    do {
      return try StackLock(folder.lock, interruption: interruption, onWait: onWait)
    } catch {
      guard error.errno == .interrupted else { throw error }
      return nil
    }
  }

  private func removeSupervisorGroup(of stack: String) {
    guard let groups = try? controlGroups.groups() else { return }
    SupervisorGroup(of: stack, in: folders, groups).remove()
  }

  /// Runs one command that changes a stack, alone.
  func locked(
    _ stack: String, report: (OperationEvent) -> Void,
    _ body: () throws(StackErrors) -> OperationEvent
  ) throws(StackErrors) -> OperationEvent {
    let folder = folders.stack(stack)
    if let missing = try rethrowing(stack, MissingRights.observe) { throw missing.error }
    let held = try rethrowing(stack) { () throws(KernelError) in
      try lock(folder) { report(OperationEvent(.warning, text: "waiting for another command on stack \(stack)")) }
    }
    guard let lock = held else { return OperationEvent(.cancelled) }
    let result: OperationEvent
    do {
      try rethrowing(stack) { () throws(KernelError) in
        try Salvage(folders: folders, stack: stack).forgetFormerBoot()
      }
      result = try body()
    } catch {
      if !Files.exists(folder.path) {
        removeSupervisorGroup(of: stack)
        lock.remove()
        Files.removeIfEmpty(folders.run)
      }
      throw error
    }
    if !Files.exists(folder.path) {
      removeSupervisorGroup(of: stack)
      lock.remove()
      // Of a command that was killed while it was choosing.
      StackLock.removeIfFree(folders.choosingLock)
      // Of a supervisor that was killed when it had just put the host's settings back.
      StackLock.removeIfFree("\(folders.host)/settings.lock")
      Files.removeIfEmpty(folders.run)
    }
    return result
  }
}
