import Host
import Intent
import Kernel
import Supervision
import Vocabulary

/// Cuts services of a stack off from each other, and heals that.
package struct PartitionCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Cuts groups of services off from each other; one group alone from all others. `heal` with nil.
  ///
  /// - Parameter sides: names of services: `web1`, or `web` for all replicas of it.
  package func run(
    _ sides: [[String]]?, of stack: String, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    try context.locked(stack, report: report) { () throws(StackErrors) in
      let recorded = try rethrowing(stack) { () throws(KernelError) in try index.desired(stack) }
      guard let recorded else { throw StackErrors([StackError(stack, "is not up")]) }
      let partition = sides.map { Partition(sides: $0, hasRest: $0.count == 1) }
      if let partition { try recorded.check(partition) }
      return try context.perform(
        SupervisorMethods.Partition.self, .init(partition: partition), on: folders.stack(stack), report: report)
    }
  }

  /// The partition that stands, in words; nil when none does.
  package func description(of stack: String) throws(StackErrors) -> String? {
    try rethrowing(stack) { () throws(KernelError) in try index.desired(stack)?.partition?.description }
  }
}
