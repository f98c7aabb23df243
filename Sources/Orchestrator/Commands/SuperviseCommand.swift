import Build
import ImageStore
import Intent
import Kernel
import Runtime
import Supervision

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
    let listener = Descriptor(adopting: DetachedProcess.inheritedDescriptor)
    // Four for each of 2,000 services.
    let former = try OpenFileLimit.raise(reserving: 8192)
    let builder = try StackBuilder(folders: folders, stack: stack, initProgram: initProgram, openFiles: former)
    try Supervisor(builder: builder, listener: listener).serve()
  }
}
