import Glibc
import Host
import Intent
import Kernel
import Vocabulary

/// A command's surroundings: folders, environment and interrupts of its caller. Extensions add what several commands
/// share: locks, sessions with supervisors, the reading of stack files.
package struct CommandContext: Sendable {
  package let folders: StateFolders
  let supervisor: SupervisorProgram
  /// The caller's environment.
  let environment: [String: String]
  /// The folder that relative paths start from.
  let workingFolder: String
  /// The signals by which the user stops a command; nil where nobody can.
  let interrupts: Interrupts?
  /// The stacks that are meant where none is named; nil for all of this host.
  package var scope: StackScope?
  /// Files of variables in place of `.env` (`--env-file`).
  package var environmentFiles: [String] = []
  /// The folder in place of the first file's (`--project-directory`); nil for that.
  package var projectFolder: String?
  let controlGroups = ObservedControlGroups()

  package init(
    folders: StateFolders = StateFolders(), supervisor: SupervisorProgram, environment: [String: String],
    workingFolder: String, interrupts: Interrupts? = nil
  ) {
    self.folders = folders
    self.supervisor = supervisor
    self.environment = environment
    self.workingFolder = workingFolder
    self.interrupts = interrupts
  }

  package var index: StackIndex { StackIndex(folders: folders, scope: scope) }

  var interruption: Interruption { interrupts?.interruption ?? Interruption() }

  /// Waits.
  ///
  /// - Returns: false when the user wants to stop.
  package func pause(milliseconds: CInt) -> Bool {
    var signals = pollfd(fd: interruption.wake?.rawValue ?? -1, events: Int16(POLLIN), revents: 0)
    _ = poll(&signals, 1, milliseconds)
    return !interruption.isInterrupted()
  }

  /// Every instance of a stack, as it is to be and as it is.
  package func statuses(of stack: String) throws(StackErrors) -> [StackIndex.ServiceStatus] {
    let desired = try rethrowing(stack) { () throws(KernelError) in try index.desired(stack) }
    return try desired.map { (desired) throws(StackErrors) in try statuses(of: desired) } ?? []
  }

  package func statuses(of stack: DesiredStack) throws(StackErrors) -> [StackIndex.ServiceStatus] {
    try rethrowing(stack.name) { () throws(KernelError) in try index.services(of: stack) }
  }
}
