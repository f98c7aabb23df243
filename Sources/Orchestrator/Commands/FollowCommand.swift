import Host
import Intent
import Kernel
import Supervision
import Vocabulary

/// Follows a stack until one of its services ends, for `up --abort-on-container-exit`.
package struct FollowCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// The end of a service that ends all.
  package enum End: Sendable { case any, failure }

  /// Follows what a stack's services write until one of them has ended, then stops them all.
  ///
  /// - Parameters:
  ///   - instances: the instances that are meant; all of the stack's when empty.
  ///   - shown: those whose logs are shown.
  ///   - chosen: whose exit code counts; nil for that of the first to end.
  /// - Returns: the exit code; 130 when the user did not want to wait any longer.
  package func run(
    _ stack: String, _ instances: [String], showing shown: [String], _ end: End = .any, exitCodeFrom chosen: String?,
    _ options: LogsCommand.Options,
    report: (OperationEvent) -> Void
  ) throws(StackErrors) -> Int32 {
    let statuses = try statuses(of: stack).filter { instances.isEmpty || instances.contains($0.service.name) }
    var isCancelled = false
    var isOver = end == .any
    var options = options
    repeat {
      let alive = try context.statuses(of: stack).filter { status in
        status.record.phase.isAlive && statuses.contains { $0.service.name == status.service.name }
      }
      let processes = alive.compactMap { status in status.record.process.flatMap { ServiceProcess($0) } }
      let isOneGone = end == .any && processes.count < statuses.count
      let watch = try rethrowing(stack) { () throws(KernelError) in
        try EndWatch(isOneGone ? [] : processes, interrupts: context.interrupts)
      }
      try LogsCommand(context).run(on: shown, in: stack, options, until: watch)
      isCancelled = !watch.hasEnded
      // What was shown once is not shown again when another is waited for.
      options.tail = 0
      if !isCancelled, end == .failure { isOver = try hasFailed(stack, statuses.map(\.service.name)) }
    } while !isCancelled && !isOver
    let meant = Set(statuses.map(\.service.name))
    let first = try context.statuses(of: stack).first { status in
      meant.contains(status.service.name) && !status.record.phase.isAlive
        && (end == .any || status.record.exitCode != 0)
    }?.service.name
    _ = try ActCommand(context).run(.stop, on: instances, of: stack, report: report)
    guard !isCancelled else { return 130 }
    let wanted = try context.statuses(of: stack).first { status in
      chosen.map { status.service.name == $0 || status.service.service == $0 } ?? (status.service.name == first)
    }
    return Int32(wanted?.record.exitCode ?? 255)
  }

  /// True if one of the instances has ended with an error, or all have ended.
  private func hasFailed(_ stack: String, _ instances: [String]) throws(StackErrors) -> Bool {
    let meant = try context.statuses(of: stack).filter { instances.contains($0.service.name) }
    let ended = meant.filter { $0.record.phase == .exited }
    return ended.contains { $0.record.exitCode != 0 } || ended.count == meant.count
  }
}
