import Glibc

/// Examines this host, and mends what stacks need of it.
package struct DoctorCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Says what this host offers to stacks and what it lacks. Changes nothing; what has to be tried is tried in a network
  /// namespace made for it.
  ///
  /// - Parameter initProgram: where stack-init is, if it is anywhere.
  package func examine(initProgram: String?) -> [HostFinding] {
    HostExamination(folders: folders, initProgram: initProgram, isRoot: geteuid() == 0).findings()
  }
}
