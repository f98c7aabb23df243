import Host
import Intent
import Kernel
import Vocabulary

/// The named volumes of this host: those of stacks, and those by a name for all stacks.
package struct VolumeCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// A volume with the stacks that are up and have it.
  package struct Entry: Sendable, Encodable {
    package var name: String
    /// nil for one that belongs to no stack alone.
    package var stack: String?
    package var folder: String
    package var users: [String]

    private enum CodingKeys: String, CodingKey {
      case name = "Name", stack = "Stack", folder = "Mountpoint", users = "UsedBy"
    }
  }

  /// Makes a volume that stacks have by its name: `volumes: {data: {external: true}}`, or `name:`.
  package func create(_ name: String) throws(StackErrors) {
    if let problem = NameRule.object.problem(with: name) {
      throw StackErrors([StackError(nil, "\"\(name)\" cannot name a volume: a volume's name \(problem.words)")])
    }
    try rethrowing(nil) { () throws(KernelError) in
      try Files.makeFolder(folders.lib, above: 0o700)
      try Files.makeFolder(folders.sharedVolume(name), mode: 0o755, above: 0o700)
      try Files.closeToOthers(folders.lib)
    }
  }

  package func entries() throws(StackErrors) -> [Entry] {
    var users: [String: [String]] = [:]
    for name in index.names() {
      let desired = try rethrowing(name) { () throws(KernelError) in try index.desired(name) }
      for volume in desired?.volumes ?? [] { users[volume.folder, default: []].append(name) }
    }
    return VolumeIndex(folders: folders).entries().map { volume in
      Entry(name: volume.name, stack: volume.stack, folder: volume.folder, users: users[volume.folder] ?? [])
    }
  }

  package func inspect(_ names: [String]) throws(StackErrors) -> String { try entries().described(names) }

  /// Removes a volume with all that is in it.
  ///
  /// - Throws: that there is none, or that a stack that is up has it.
  package func remove(_ name: String) throws(StackErrors) {
    let volume = try entries().entry(named: name)
    guard volume.users.isEmpty else {
      throw StackErrors([
        StackError(
          nil, "volume \(name) is in use by \(volume.users.joined(separator: ", "))",
          remedy: "take that down first: stack down \(volume.users[0])")
      ])
    }
    try rethrowing(nil) { () throws(KernelError) in try Files.remove(volume.folder) }
    Files.removeIfEmpty(folders.sharedVolumes)
    guard let stack = volume.stack else { return }
    Files.removeIfEmpty(folders.stack(stack).volumes)
    Files.removeIfEmpty(folders.stack(stack).lib)
  }

  /// The volumes that no stack that is up has.
  package func idle() throws(StackErrors) -> [String] { try entries().filter(\.users.isEmpty).map(\.name) }
}

extension VolumeCommand.Entry: NamedEntry {
  static let kind = "volume"

  func isMeant(by name: String) -> Bool { name == self.name }
}
