import Control
import Intent
import Kernel
import Supervision
import Vocabulary

extension CommandContext {
  /// Has the stack's supervisor do something.
  ///
  /// One that is just ending, having finished what a killed command had asked of it, goes away without an answer: then
  /// another is started, or there is nothing left to be done.
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
      guard attempts > 0 else { throw StackErrors([session.endedEarly]) }
      if isDown, !Files.exists(folder.path) { return OperationEvent(.finished) }
    }
  }

  func openSession(_ folder: StackFolder) throws(StackErrors) -> SupervisorSession {
    let session = try SupervisorSession(folder, program: supervisor, interruption: interruption)
    try session.confirm()
    return session
  }

  /// A supervisor that is undoing what a killed command had begun is waited for: what it still removes is not there to be
  /// counted on, and when it is done it may be gone itself.
  func openIdleSession(_ folder: StackFolder) throws(StackErrors) -> SupervisorSession {
    var attempts = 5
    while true {
      attempts -= 1
      let session = try SupervisorSession(folder, program: supervisor, interruption: interruption)
      if try session.awaitIdle() {
        if try session.isOfThisBuild() { return session }
        try rethrowing(folder.name) { () throws(KernelError) in try FormerSupervisor.end(of: folder) }
      }
      guard attempts > 0 else { throw StackErrors([session.endedEarly]) }
    }
  }
}
