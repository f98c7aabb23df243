import Build
import Glibc
import Host
import ImageStore
import Intent
import Kernel
import Runtime
import Supervision
import SystemPackage

/// Supervises a stack: the command that only other commands start.
package enum SuperviseCommand {
  /// Supervises a stack until it is down: the whole of a supervisor's life. The control socket is what the process was
  /// given by the command that started it.
  ///
  /// - Parameter initProgram: where stack-init is, if it is anywhere.
  package static func run(
    _ stack: String, folders: StateFolders = StateFolders(), initProgram: String?
  ) throws(KernelError) {
    // A service among the host's processes sees this one and whatever it makes.
    try Dumpability.renounce()
    // Services of an earlier build's stack are started anew from here.
    try? ImageStore(folders.images).takeOver(folders.formerImages)
    CallersSurroundings.leave()
    let groups = try ControlGroups.observe()
    let lock = try lock(stack, folders, groups)
    let listener = Descriptor(adopting: DetachedProcess.inheritedDescriptor)
    // Four for each of 2,000 services.
    let former = try OpenFileLimit.raise(reserving: 8192)
    let builder = StackBuilder(
      folders: folders, stack: stack, controlGroups: groups, initProgram: initProgram, openFiles: former)
    try Supervisor(builder: builder, listener: listener).serve()
    _ = consume lock
  }

  /// Makes this process the stack's only supervisor. One that is just ending is waited for.
  private static func lock(
    _ stack: String, _ folders: StateFolders, _ groups: ControlGroups
  ) throws(KernelError) -> Descriptor {
    let group = SupervisorGroup(of: stack, in: folders, groups)
    for _ in 0..<200 {
      if case .some(let held) = try group.lock() { return held }
      usleep(10_000)
    }
    throw KernelError(
      "supervise", stack, errno: .alreadyInProcess, detail: "another supervisor of it runs",
      remedy: "see stack doctor")
  }
}
