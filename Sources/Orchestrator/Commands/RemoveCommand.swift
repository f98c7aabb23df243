import Host
import Intent
import Kernel
import Planning
import Supervision
import Vocabulary

/// Removes services of a stack that is up, and leaves the others alone.
package struct RemoveCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Stops and removes instances. `up` makes them again.
  ///
  /// - Parameters:
  ///   - removesVolumes: whether their volumes without a name go too.
  ///   - stopTimeout: seconds from the stop signal to SIGKILL; nil for each service's own grace period.
  package func run(
    _ instances: [String], of stack: String, removesVolumes: Bool, stopTimeout: Double?,
    report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    let folder = folders.stack(stack)
    let desired = try rethrowing(stack) { () throws(KernelError) in try index.desired(stack) }
    guard let desired else {
      throw StackErrors([
        StackError(stack, "what it was brought up with is lost", remedy: "bring it up again: stack up FILE")
      ])
    }
    // Without a service nothing would be left of it but networks.
    if Set(desired.services.map(\.name)).isSubset(of: instances) {
      return try DownCommand(context).run(stack, removeVolumes: false, timeout: stopTimeout, report: report)
    }
    return try context.locked(stack, report: report) { () throws(StackErrors) in
      let session = try context.openIdleSession(folder)
      defer { try? Files.remove(folder.claim) }
      try rethrowing(stack) { () throws(KernelError) in
        try StateFile(path: folder.claim).write(desired.without(Set(instances)), isDurable: true)
      }
      try session.confirm()
      return try context.perform(
        SupervisorMethods.Up.self,
        SupervisorMethods.Up.Parameters(
          scope: Planner.Scope(instances: [], renewsVolumes: removesVolumes), stopTimeout: stopTimeout),
        on: folder, over: session, cancelsWhenInterrupted: true, report: report)
    }
  }
}

extension DesiredStack {
  /// The stack without some of its instances, and without the cables that end in them.
  fileprivate func without(_ instances: Set<String>) -> DesiredStack {
    var rest = self
    rest.services.removeAll { instances.contains($0.name) }
    rest.links.removeAll { link in link.ends.contains { instances.contains($0.service) } }
    return rest
  }
}
