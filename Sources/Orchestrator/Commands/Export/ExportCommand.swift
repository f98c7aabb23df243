import Export
import Intent
import Kernel
import Resolve
import StackFiles
import SystemPackage
import Vocabulary

/// Makes files for other engines from a stack file. Needs neither root nor a stack that is up.
package struct ExportCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  package func kubernetes(_ loaded: LoadedStack, _ options: ExportOptions) throws(StackErrors) -> KubernetesExport {
    KubernetesExport(try input(loaded), options)
  }

  package func swarm(_ loaded: LoadedStack, _ options: ExportOptions) throws(StackErrors) -> SwarmExport {
    SwarmExport(try input(loaded), options)
  }

  /// Writes one file.
  package func write(_ text: String, to path: String) throws(StackErrors) {
    try rethrowing(nil) { () throws(KernelError) in
      try Files.overwrite(absolute(path), with: Array(text.utf8), mode: Self.mode)
    }
  }

  private static let mode: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]

  /// Writes files into a folder, which is made if it is missing. Others that lie there stay.
  package func write(
    _ files: [(name: String, text: String)], to folder: String
  ) throws(StackErrors) {
    let folder = absolute(folder)
    try rethrowing(nil) { () throws(KernelError) in
      try Files.makeFolder(folder, mode: 0o755)
      for file in files {
        try Files.overwrite(
          "\(folder)/\(file.name)", with: Array(file.text.utf8), mode: Self.mode)
      }
    }
  }

  private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(context.workingFolder)/\(path)" }

  // MARK: - What it is made from

  private func input(_ loaded: LoadedStack) throws(StackErrors) -> ExportInput {
    // The file alone decides, and not what this host happens to use.
    let stack = try Resolver.resolve(
      Self.plain(loaded.file), services: loaded.services, facts: HostFacts(pools: AddressAllocator.defaultPools),
      previous: nil, folder: folders.stack(loaded.name))
    var contents: [String: BoundContent] = [:]
    for mount in loaded.services.flatMap(\.mounts) where mount.isReadOnly {
      guard case .bind(let path, _) = mount.source, contents[path] == nil else { continue }
      contents[path] = BoundContentReader.read(path)
    }
    return ExportInput(
      file: loaded.file, services: loaded.services, stack: stack, keys: loaded.keys, contents: contents,
      users: ImageCommand(context).numberedUsers(of: loaded.services))
  }

  /// With bridges in the place of networks that only a host can have. The report refuses these.
  private static func plain(_ file: StackFile) -> StackFile {
    var plain = file
    for var network in file.networks where network.external != nil || network.driver != nil {
      (network.external, network.driver) = (nil, nil)
      plain.networks[network.name.value] = network
    }
    return plain
  }
}
