import Host
import Intent
import Kernel
import Vocabulary

/// Lists the volumes of one stack.
package struct StackVolumesCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  package struct Entry: Encodable, Sendable {
    package var name: String
    package var stack: String
    /// The services that mount it.
    package var users: [String]
    package var folder: String

    enum CodingKeys: String, CodingKey {
      case name = "Name"
      case stack = "Project"
      case users = "Services"
      case folder = "Mountpoint"
    }

    package var jsonLine: String { JSONText.line(self) }
  }

  /// Also those that a stack has kept which is down.
  ///
  /// - Parameter instances: only volumes that these use; all of the stack's when empty.
  package func run(_ stack: String, of instances: [String]) throws(StackErrors) -> [Entry] {
    guard let desired = try rethrowing(stack, { () throws(KernelError) in try index.desired(stack) }) else {
      return DownCommand(context).volumes(of: stack).sorted().map { name in
        Entry(name: name, stack: stack, users: [], folder: folders.stack(stack).volume(name))
      }
    }
    return desired.volumes.compactMap { volume in
      let users =
        desired.services.filter { service in
          service.mounts.contains { $0.source == .volume(volume.name) || $0.hostPath == volume.folder }
        }
      guard instances.isEmpty || users.contains(where: { instances.contains($0.name) }) else { return nil }
      var names: [String] = []
      for user in users where !names.contains(user.service) { names.append(user.service) }
      return Entry(name: volume.name, stack: stack, users: names, folder: volume.folder)
    }
  }
}
