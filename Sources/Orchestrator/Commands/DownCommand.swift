import Host
import ImageReference
import Intent
import Kernel
import Runtime
import StackFiles
import Supervision
import Vocabulary

/// Takes a stack down.
package struct DownCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// Takes a stack down, also one whose state is lost. One of which there is nothing is down.
  package func run(
    _ name: String, removeVolumes: Bool, timeout: Double?, report: (OperationEvent) -> Void
  ) throws(StackErrors) -> OperationEvent {
    try context.locked(name, report: report) { () throws(StackErrors) in
      let folder = folders.stack(name)
      try refuseWhileJoined(name)
      if !Files.exists(folder.path) {
        guard try leavesAnything(name, withVolumes: removeVolumes) else { return OperationEvent(.finished) }
        try rethrowing(name) { () throws(KernelError) in
          // Its supervisor, if it has one, is where no command reaches it.
          try SupervisorProcess.endAll(of: name)
          try Files.makeFolder(folder.path)
        }
      }
      return try context.perform(
        SupervisorMethods.Down.self,
        SupervisorMethods.Down.Parameters(removeVolumes: removeVolumes, timeout: timeout),
        on: folder, report: report)
    }
  }

  /// The stack that is to be taken down where no word says it: by its name, by this folder, or the only one there is.
  ///
  /// - Parameter name: nil for that of the folder.
  /// - Throws: that there is none, or several, or that the folder's stack is another folder's.
  package func stack(_ name: String?) throws(StackErrors) -> String {
    if let name { return name }
    guard let scope = context.scope else { return try index.stack(named: nil) }
    guard scope.projects.count == 1, let only = scope.projects.first else { return try index.stack(named: nil) }
    try index.checkOrigin(of: only)
    return only.name
  }

  /// A stack with the file that it is of, for messages: `shop (/srv/shop/compose.yaml)`.
  package func title(of stack: String) -> String {
    let file = context.scope?.projects.first { $0.name == stack }?.path ?? StackOrigin.read(folders.stack(stack))?.file
    return file.map { "\(stack) (\($0))" } ?? stack
  }

  /// The names of the volumes that a stack keeps.
  package func volumes(of stack: String) -> [String] { Files.list(folders.stack(stack).volumes) }

  /// The names of the images that a stack's services run from.
  ///
  /// - Parameter all: false for those alone that were built for a service and have no name but that of their stack and service.
  package func images(of stack: String, all: Bool) throws(StackErrors) -> [String] {
    let desired = try rethrowing(stack) { () throws(KernelError) in try index.desired(stack) }
    var names: Set<String> = []
    for service in desired?.services ?? [] {
      guard let image = service.image else { continue }
      let given = try? ImageReference(StackFile.imageName(ofService: service.service, in: stack))
      if all || image.name == given?.familiar { names.insert(image.name) }
    }
    return names.sorted()
  }

  /// True if there is anything of a stack that `down` would remove.
  package func leavesAnything(_ name: String, withVolumes: Bool) throws(StackErrors) -> Bool {
    let folder = folders.stack(name)
    guard NameRule.stack.problem(with: name) == nil else { return false }
    if Files.exists(folder.path) || Files.exists(folder.failedLogs) { return true }
    if withVolumes, Files.exists(folder.volumes) { return true }
    return try rethrowing(name) { () throws(KernelError) in try StackTraces.all(folders)[name]?.hasProof ?? false }
  }
}
