import Glibc

extension StackCommands {
  /// Says what this host offers to stacks and what it lacks. Changes nothing; what has to be tried is tried in a network
  /// namespace made for it.
  ///
  /// - Parameter initProgram: where stack-init is, if it is anywhere.
  package func examine(initProgram: String?) -> [HostFinding] {
    HostExamination(folders: folders, initProgram: initProgram, isRoot: geteuid() == 0).findings()
  }
}
