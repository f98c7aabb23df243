import Supervision
import Vocabulary

/// Starts, stops, restarts, pauses or signals services of a stack.
package struct ActCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  package enum Action: Sendable {
    case start, stop, restart, pause, unpause
    case kill(signal: Int32)
  }

  /// - Parameters:
  ///   - services: names of instances; all of the stack's when empty.
  ///   - readyTimeout: seconds until a service that is started must be ready; nil for as long as each may take.
  ///   - withFollowers: whether what is to be restarted with these services is restarted too.
  ///   - waitsForHealth: whether services with an image count as ready only once their health check succeeds.
  ///   - stopTimeout: seconds from the stop signal to SIGKILL; nil for each service's own grace period.
  package func run(
    _ action: Action, on services: [String], of stack: String, stopTimeout: Double? = nil,
    readyTimeout: Double? = nil, withFollowers: Bool = true, waitsForHealth: Bool = false,
    report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    try context.locked(stack, report: report) { () throws(StackErrors) in
      let folder = folders.stack(stack)
      let selection = SupervisorMethods.ServiceSelection(
        services: services, stopTimeout: stopTimeout, readyTimeout: readyTimeout, withFollowers: withFollowers,
        waitsForHealth: waitsForHealth)
      switch action {
      case .start:
        return try context.perform(
          SupervisorMethods.Start.self, selection, on: folder, cancelsWhenInterrupted: true, report: report)
      case .stop:
        return try context.perform(SupervisorMethods.Stop.self, selection, on: folder, report: report)
      case .restart:
        return try context.perform(SupervisorMethods.Restart.self, selection, on: folder, report: report)
      case .pause:
        return try context.perform(SupervisorMethods.Pause.self, selection, on: folder, report: report)
      case .unpause:
        return try context.perform(SupervisorMethods.Unpause.self, selection, on: folder, report: report)
      case .kill(let signal):
        return try context.perform(
          SupervisorMethods.Kill.self, SupervisorMethods.Kill.Parameters(services: services, signal: signal),
          on: folder, report: report)
      }
    }
  }

  /// A signal's number, from `SIGHUP`, `HUP` or `1`.
  package static func signalNumber(_ text: String) -> Int32? {
    Signal(text)?.number
  }
}
