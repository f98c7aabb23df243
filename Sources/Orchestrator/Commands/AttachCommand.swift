import Glibc
import Host
import Intent
import Kernel
import Logs
import Runtime
import SystemPackage
import Vocabulary

/// Attaches the caller's terminal to a running service.
package struct AttachCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  package struct Options: Sendable {
    package var takesInput = true
    /// Nil for ctrl-p ctrl-q.
    package var detachKeys: [UInt8]?
    /// True if signals that the command gets go to the service.
    package var passesSignals = false

    package init() {}
  }

  /// Milliseconds before an unfinished line is shown: a prompt waits for an answer.
  private static let patience: CInt = 20

  /// Shows the output of a running service from now on, and passes the caller's input to it. Returns when the service
  /// ends or the caller detaches.
  ///
  /// The output is read from the log, so the log stays complete. The input goes to the master of the service's
  /// terminal, otherwise to the FIFO of `stdin_open`.
  ///
  /// - Returns: the service's exit code. 0 after the keys that detach, 130 after Ctrl-C without a terminal.
  package func run(on place: StackIndex.Place, _ options: Options) throws(StackErrors) -> Int32 {
    let subject = "\(place.stack)/\(place.service)"
    let record = try rethrowing(subject) { () throws(KernelError) in
      try index.record(of: place.service, in: place.stack)
    }
    guard let identity = record.process, let process = ServiceProcess(identity) else {
      throw StackErrors([StackError(subject, "is not running", remedy: "start it: stack start \(subject)")])
    }
    let input = try options.takesInput ? input(of: place, process, options.detachKeys) : nil
    defer { input?.restore() }
    let log = LogReader.Source(service: place.service, path: folders.stack(place.stack).service(place.service).log)
    return try rethrowing(subject) { () throws(KernelError) in
      let watch = try EndWatch([process], interrupts: context.interrupts, also: input?.detached)
      var query = LogReader.Query(tail: 0, follow: true)
      query.partialPatience = Self.patience
      let reader = LogReader([log], query, interruption: watch.interruption)
      try input?.start()
      // A terminal of the service's own is what the caller's is for: then the service controls it.
      let hasTerminal = try index.desired(place.stack)?.service(named: place.service)?.process.hasTerminal ?? false
      let printer = LogPrinter(
        .standardOutput, services: [place.service],
        style: LogPrinter.Style(prefix: false, showsControls: !hasTerminal && isatty(STDOUT_FILENO) == 1),
        interruption: watch.leave)
      do throws(KernelError) {
        try printer.show(reader)
        while options.passesSignals, !watch.hasEnded, input?.isDetached != true,
          let signal = context.interrupts?.takeLast()
        {
          try? ProcessHandle.send(signal, to: process.process.pidfd)
          try printer.show(reader)
        }
      } catch {
        guard error.errno == .interrupted else { throw error }
        return input?.isDetached == true ? 0 : 130
      }
      guard input?.isDetached != true else { return 0 }
      guard watch.hasEnded else { return 130 }
      // By the time that the supervisor has noted how it ended, all that it wrote is in the log.
      let code = try context.exitCode(of: place, after: identity)
      reader.stopFollowing()
      try printer.show(reader)
      try printer.finish()
      return Int32(code ?? 255)
    }
  }

  /// The terminal of a service without stack-init; nil if the supervisor that had it is gone.
  private func supervisedTerminal(of place: StackIndex.Place) throws(KernelError) -> Descriptor? {
    let supervisor = try StateFile<ProcessIdentity>(path: folders.stack(place.stack).supervisor).read()
    guard let number = try index.record(of: place.service, in: place.stack).terminal, let supervisor,
      case .some(let held) = try supervisor.open()
    else { return nil }
    let terminal = try ProcessHandle.terminal(of: held, number: number)
    guard isatty(terminal.rawValue) == 1 else { return nil }
    return .some(terminal)
  }

  /// Nil for a service that takes none.
  private func input(
    of place: StackIndex.Place, _ process: ServiceProcess, _ keys: [UInt8]?
  ) throws(StackErrors) -> AttachedInput? {
    try rethrowing("\(place.stack)/\(place.service)") { () throws(KernelError) in
      guard let service = try index.desired(place.stack)?.service(named: place.service) else { return nil }
      if service.process.hasTerminal, service.process.usesInit {
        return try AttachedInput(
          to: ProcessHandle.terminal(of: process.process.pidfd), isTerminal: true, detachKeys: keys)
      }
      if service.process.hasTerminal, let terminal = try supervisedTerminal(of: place) {
        return try AttachedInput(to: terminal, isTerminal: true, detachKeys: keys)
      }
      guard service.process.keepsStdinOpen, !service.process.hasTerminal else { return nil }
      let path = folders.stack(place.stack).service(place.service).stdin
      let number = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
      guard number >= 0 else { throw KernelError("open", path, errno: Errno(rawValue: errno)) }
      return try AttachedInput(to: Descriptor(adopting: number), isTerminal: false)
    }
  }
}
