import Glibc
import Host
import Intent
import Kernel
import Runtime
import Supervision
import Vocabulary

extension StackCommands {
  /// Waits until a service has ended.
  ///
  /// - Returns: its exit code, 128+n after a signal; nil when the user did not want to wait any longer.
  package func wait(for place: StackIndex.Place) throws(StackErrors) -> Int? {
    let subject = "\(place.stack)/\(place.service)"
    let (isInterrupted, code) = try rethrowing(subject) { () throws(KernelError) -> (Bool, Int?) in
      let record = try index.record(of: place.service, in: place.stack)
      guard let identity = record.process, let process = ServiceProcess(identity) else {
        return (false, record.exitCode)
      }
      guard try EndWatch([process], interrupts: interrupts).wait() else { return (true, nil) }
      return (false, try exitCode(of: place, after: identity))
    }
    if isInterrupted { return nil }
    guard let code else {
      throw StackErrors([StackError(subject, "has not run yet", remedy: "start it: stack start \(subject)")])
    }
    return code
  }

  /// How a process that has just ended did. Without stack-init only the supervisor knows, and notes it in a moment.
  func exitCode(of place: StackIndex.Place, after identity: ProcessIdentity) throws(KernelError) -> Int? {
    for _ in 0..<200 {
      let record = try index.record(of: place.service, in: place.stack)
      if record.process != identity, let code = record.exitCode { return code }
      usleep(10_000)
    }
    return nil
  }

  /// Follows what a stack's services write until one of them has ended, then stops them all.
  ///
  /// - Parameters:
  ///   - instances: the instances that are meant; all of the stack's when empty.
  ///   - chosen: whose exit code counts; nil for that of the first to end.
  /// - Returns: the exit code; 130 when the user did not want to wait any longer.
  package func followUntilOneEnds(
    _ stack: String, _ instances: [String], exitCodeFrom chosen: String?, _ options: LogOptions,
    report: (OperationEvent) -> Void
  ) throws(StackErrors) -> Int32 {
    let statuses = try statuses(of: stack).filter { instances.isEmpty || instances.contains($0.service.name) }
    let processes = statuses.compactMap { status in status.record.process.flatMap { ServiceProcess($0) } }
    let isOneGone = processes.count < statuses.count
    let watch = try rethrowing(stack) { () throws(KernelError) in
      try EndWatch(isOneGone ? [] : processes, interrupts: interrupts)
    }
    try logs(of: instances, in: stack, options, until: watch.interruption)
    let isCancelled = !watch.hasEnded
    let meant = Set(statuses.map(\.service.name))
    let first = try self.statuses(of: stack).first { status in
      meant.contains(status.service.name) && !status.record.phase.isAlive
    }?.service.name
    _ = try act(.stop, on: instances, of: stack, report: report)
    guard !isCancelled else { return 130 }
    let wanted = try self.statuses(of: stack).first { status in
      chosen.map { status.service.name == $0 || status.service.service == $0 } ?? (status.service.name == first)
    }
    return Int32(wanted?.record.exitCode ?? 255)
  }
}
