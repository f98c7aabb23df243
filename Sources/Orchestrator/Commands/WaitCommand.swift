import Glibc
import Host
import Intent
import Kernel
import Runtime
import Supervision
import Vocabulary

/// Waits for a service to end.
package struct WaitCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Waits until a service has ended.
  ///
  /// - Returns: its exit code, 128+n after a signal; nil when the user did not want to wait any longer.
  package func run(on place: StackIndex.Place) throws(StackErrors) -> Int? {
    let subject = "\(place.stack)/\(place.service)"
    let (isInterrupted, code) = try rethrowing(subject) { () throws(KernelError) -> (Bool, Int?) in
      let record = try index.record(of: place.service, in: place.stack)
      guard let identity = record.process, let process = ServiceProcess(identity) else {
        return (false, record.exitCode)
      }
      guard try EndWatch([process], interrupts: context.interrupts).wait() else { return (true, nil) }
      return (false, try context.exitCode(of: place, after: identity))
    }
    if isInterrupted { return nil }
    guard let code else {
      throw StackErrors([StackError(subject, "has not run yet", remedy: "start it: stack start \(subject)")])
    }
    return code
  }
}
