import Host
import Control
import Glibc
import Intent
import Kernel
import Logs
import Runtime
import Supervision
import SystemPackage
import Vocabulary

/// A command's conversation with a stack's supervisor, which it starts when there is none.
struct SupervisorSession {
  private let folder: StackFolder
  private let client: ControlClient
  private let interruption: Interruption
  /// The supervisor, when this command has started it.
  private let started: DetachedProcess?

  /// Connects to the supervisor of a stack, which may be about to run still: see ``confirm()``. The caller holds the stack's
  /// lock, so only one is ever started.
  ///
  /// - Parameter program: what to start it with: this program.
  init(
    _ folder: StackFolder, program: SupervisorProgram, controlGroups: ObservedControlGroups,
    interruption: Interruption
  ) throws(StackErrors) {
    self.folder = folder
    self.interruption = interruption
    let since = LogTime.now
    do throws(ControlError) {
      client = try ControlClient(connectingIn: folder.path, interruption: interruption)
      started = nil
      return
    } catch {
      guard case .kernel(let kernel) = error,
        kernel.errno == .noSuchFileOrDirectory || kernel.errno == .connectionRefused
      else { throw StackErrors([Self.failure(error, of: folder, since: since)]) }
    }
    if let client = try Self.awaitReturn(folder, controlGroups, interruption) {
      self.client = client
      started = nil
      return
    }
    // It listens, and this command is connected, before it is started: one that ends at once, since it cannot run here, is
    // still heard of.
    let listener = try rethrowing(folder.name) { () throws(KernelError) in
      try ControlSocket.listen(inFolder: folder.path)
    }
    do throws(ControlError) {
      client = try ControlClient(connectingIn: folder.path, interruption: interruption)
    } catch {
      throw StackErrors([Self.failure(error, of: folder, since: since)])
    }
    started = try rethrowing(folder.name) { () throws(KernelError) in
      try program.start(folder, listener: listener, try controlGroups.groups())
    }
  }

  /// Waits for a supervisor that runs and is not to be reached: its folder was taken away, and it is about to put that back, or
  /// it is about to end. One that does neither is ended. Nothing else stops with it.
  ///
  /// - Returns: nil when there is none, or none any more.
  private static func awaitReturn(
    _ folder: StackFolder, _ controlGroups: ObservedControlGroups, _ interruption: Interruption
  ) throws(StackErrors) -> ControlClient? {
    try rethrowing(folder.name) { () throws(KernelError) -> ControlClient? in
      let group = SupervisorGroup(of: folder.name, in: folder.folders, try controlGroups.groups())
      for _ in 0..<100 {
        guard try group.isLocked() else { return nil }
        if let client = try? ControlClient(connectingIn: folder.path, interruption: interruption) { return client }
        usleep(20_000)
      }
      try SupervisorProcess.endAll(of: folder.name)
      return nil
    }
  }

  /// Silence that is followed by a question whether the supervisor is there at all: what it does may take long.
  private static let quiet = Duration.seconds(2)

  /// The next reply, for which there is time as long as the supervisor answers others.
  private func next<Method: ControlMethod>(
    _ replies: ControlReplies<Method>
  ) throws(ControlError) -> Method.Reply? {
    while true {
      do throws(ControlError) {
        return try replies.next(timeout: Self.quiet)
      } catch .timedOut {
        if endsPausingWatcher() { throw .disconnected }
        let pulse = SupervisorPulse(folder: folder, interruption: interruption)
        // One that is gone is told by the connection itself.
        if try pulse.take() == .silence { throw .timedOut }
      }
    }
  }

  /// Ends a watcher whose supervisor was killed so often that it pauses before it starts another. A fresh one begins at once.
  private func endsPausingWatcher() -> Bool {
    guard !SupervisorProcess.all().contains(where: { $0.stack == folder.name }) else { return false }
    return (try? FormerSupervisor.end(of: folder)) != nil
  }

  private static func failure(_ error: ControlError, of folder: StackFolder, since: LogTime) -> StackError {
    error == .timedOut ? SupervisorPulse(folder: folder).silence(since: since) : StackError(folder.name, "\(error)")
  }

  /// Ends a supervisor that this command has started and asked nothing of.
  func abandon() {
    started?.kill()
  }

  /// Throws why a supervisor that this command has started did not come to run.
  func confirm() throws(StackErrors) {
    try rethrowing(folder.name) { () throws(KernelError) in try started?.confirm() }
  }

  /// Waits until the supervisor has nothing else to do. One that this command has started never had.
  ///
  /// - Returns: false when it ended instead.
  func awaitIdle() throws(StackErrors) -> Bool {
    guard started == nil else { return true }
    let since = LogTime.now
    do throws(ControlError) {
      let replies = try client.stream(SupervisorMethods.Idle.self, Nothing(), timeout: SupervisorPulse.patience)
      guard try next(replies) != nil else { throw .disconnected }
      return true
    } catch {
      guard error == .disconnected else { throw StackErrors([Self.failure(error, of: folder, since: since)]) }
      return false
    }
  }

  /// True if the supervisor is the program that this command would start. One of an earlier release does not know all
  /// methods of a newer command.
  func isOfThisBuild() throws(StackErrors) -> Bool {
    guard started == nil else { return true }
    let since = LogTime.now
    do throws(ControlError) {
      let reply = try client.call(SupervisorMethods.Build.self, Nothing(), timeout: SupervisorPulse.patience)
      return reply.build == ProgramBuild.current
    } catch {
      switch error {
      case .interrupted, .timedOut: throw StackErrors([Self.failure(error, of: folder, since: since)])
      default: return false
      }
    }
  }

  /// Has something done and passes on what happens, until it ends.
  ///
  /// - Parameter isRepeatable: whether it may be asked for again when it is not known how far it came.
  /// - Returns: the last event: how it ended. nil when the supervisor went away and it can be asked for again.
  func perform<Method: ControlMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, cancelsWhenInterrupted: Bool, isRepeatable: Bool,
    report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent? where Method.Reply == OperationEvent {
    var hasBegun = false
    var since = LogTime.now
    do throws(ControlError) {
      let replies = try client.stream(method, parameters, timeout: SupervisorPulse.patience)
      var isCancelling = false
      while true {
        do throws(ControlError) {
          guard let event = try next(replies) else { throw .disconnected }
          (hasBegun, since) = (true, .now)
          if event.kind.isLast { return event }
          report(event)
        } catch .interrupted where cancelsWhenInterrupted && !isCancelling {
          isCancelling = true
          // Taken note of: the next one counts as another.
          _ = interruption.isInterrupted()
          let isUndone = Method.self == SupervisorMethods.Up.self
          report(
            OperationEvent(
              .warning, text: isUndone ? "interrupted: undoing what was done" : "interrupted: nothing more is begun"))
          cancel()
        } catch .interrupted where cancelsWhenInterrupted {
          // A second time: give up waiting. The supervisor goes on undoing.
          return OperationEvent(.cancelled, text: "undoing goes on without this command")
        } catch .interrupted
          where Method.self == SupervisorMethods.Down.self || Method.self == SupervisorMethods.Stop.self
        {
          return OperationEvent(.cancelled, text: "what was begun goes on without this command")
        }
      }
    } catch {
      guard error == .disconnected else { throw StackErrors([Self.failure(error, of: folder, since: since)]) }
      guard hasBegun, !isRepeatable else { return nil }
      throw StackErrors([endedEarly])
    }
  }

  private func cancel() {
    let other = try? ControlClient(connectingIn: folder.path)
    _ = try? other?.call(SupervisorMethods.Cancel.self, Nothing(), timeout: .seconds(5))
  }

  /// The reason that a supervisor which this command has started has ended by itself, if it has: it has said so in its log.
  var refusal: StackError? {
    guard let started else { return nil }
    var status = started.status()
    // Its socket is closed a moment before it has ended.
    for _ in 0..<40 where status == nil {
      usleep(5_000)
      status = started.status()
    }
    guard case .exited(let code) = status, code != 0 else { return nil }
    let log = String(decoding: (try? Files.read(folder.supervisorLog, limit: 1 << 16)) ?? [], as: UTF8.self)
    let lines = log.split(separator: "\n").map { VisibleText.line(String($0)) }
    // Lines that belong to another are indented.
    let last = lines.lastIndex { !$0.hasPrefix(" ") } ?? lines.endIndex
    let remedy = lines[last...].dropFirst().map { String($0.drop { $0 == " " }) }.joined(separator: "; ")
    return StackError(
      folder.name, "its supervisor cannot start" + (lines[last...].first.map { ": \($0)" } ?? ""),
      remedy: remedy.isEmpty ? "correct that and try again; stack doctor names what the host lacks" : remedy)
  }

  var endedEarly: StackError {
    StackError(
      folder.name, "its supervisor ended before it had answered",
      remedy: "see \(folder.supervisorLog), then try again: whatever is half done is taken up from there")
  }
}

extension OperationEvent.Kind {
  var isLast: Bool {
    switch self {
    case .finished, .failed, .cancelled: true
    case .plan, .service, .progress, .warning: false
    }
  }
}

/// The way to start a supervisor: this very program with other arguments.
package struct SupervisorProgram: Sendable {
  /// Its arguments before the stack's name.
  package var arguments: [String]
  /// Finds its arguments after that.
  package var furtherArguments: @Sendable () -> [String]
  /// `NAME=value`: all that it gets of the caller's environment.
  var environment: [String]

  package init(
    arguments: [String], environment: [String] = [], furtherArguments: @escaping @Sendable () -> [String] = { [] }
  ) {
    self.arguments = arguments
    self.environment = environment
    self.furtherArguments = furtherArguments
  }

  /// Starts it away from the terminal and from the caller's control group, with the listening socket. Where stack-init is, that
  /// watches over it.
  func start(
    _ folder: StackFolder, listener: borrowing Descriptor, _ groups: ControlGroups
  ) throws(KernelError) -> DetachedProcess {
    let further = furtherArguments()
    let group = SupervisorGroup(of: folder.name, in: folder.folders, groups).make()
    return try DetachedProcess(
      ["stack"] + arguments + [folder.name] + further, environment: environment,
      log: folder.supervisorLog, giving: listener.fileDescriptor,
      watchedBy: further.first.map {
        DetachedProcess.Watcher(program: $0, subject: folder.name, ends: folder.ends)
      }, in: group)
  }
}
