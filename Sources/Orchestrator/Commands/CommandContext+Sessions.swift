import Control
import Intent
import Kernel
import Supervision
import Vocabulary

extension CommandContext {
  /// Has the stack's supervisor do something.
  ///
  /// A supervisor that is just ending, since it has finished the work of a killed command, gives no answer. Then
  /// another is started, or nothing is left to be done.
  func perform<Method: ControlMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, on folder: StackFolder,
    over opened: SupervisorSession? = nil, cancelsWhenInterrupted: Bool = false,
    report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent where Method.Reply == OperationEvent {
    var attempts = 5
    var opened = opened
    while true {
      attempts -= 1
      let session = if let opened { opened } else { try openSession(folder) }
      opened = nil
      let isDown = Method.self == SupervisorMethods.Down.self
      let outcome = try session.perform(
        method, parameters, cancelsWhenInterrupted: cancelsWhenInterrupted, isRepeatable: isDown, report: report)
      if let outcome { return outcome }
      if let refusal = session.refusal { throw StackErrors([refusal]) }
      // One that is killed again and again is replaced by a fresh one with a watcher of its own.
      if attempts < 4 { try rethrowing(folder.name) { () throws(KernelError) in try FormerSupervisor.end(of: folder) } }
      guard attempts > 0 else { throw StackErrors([session.endedEarly]) }
      if isDown, !Files.exists(folder.path) { return OperationEvent(.finished) }
    }
  }

  func openSession(_ folder: StackFolder) throws(StackErrors) -> SupervisorSession {
    let session = try SupervisorSession(
      folder, program: supervisor, controlGroups: controlGroups, interruption: interruption)
    try session.confirm()
    return session
  }

  /// Waits for a supervisor that undoes the work of a killed command: what it still removes cannot be relied on. When
  /// it is done, it may be gone itself.
  func openIdleSession(_ folder: StackFolder) throws(StackErrors) -> SupervisorSession {
    var attempts = 5
    while true {
      attempts -= 1
      let session = try SupervisorSession(
        folder, program: supervisor, controlGroups: controlGroups, interruption: interruption)
      if try session.awaitIdle() {
        if try session.isOfThisBuild() { return session }
        try rethrowing(folder.name) { () throws(KernelError) in try FormerSupervisor.end(of: folder) }
      }
      guard attempts > 0 else { throw StackErrors([session.endedEarly]) }
    }
  }
}
