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

  /// Writes one file, and the files that it names beside it.
  package func write(_ text: String, _ files: [ExportFile], to path: String) throws(StackErrors) {
    let path = absolute(path)
    try rethrowing(nil) { () throws(KernelError) in
      try Files.overwrite(path, with: Array(text.utf8), mode: Self.mode)
      for file in files { try write(file, in: String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])) }
    }
  }

  private static let mode: FilePermissions = [.ownerReadWrite, .groupRead, .otherRead]

  /// Writes files into a folder, which is made if it is missing. Others that lie there stay.
  package func write(_ files: [ExportFile], to folder: String) throws(StackErrors) {
    let folder = absolute(folder)
    try rethrowing(nil) { () throws(KernelError) in
      try Files.makeFolder(folder, mode: 0o755)
      for file in files { try write(file, in: folder) }
    }
  }

  private func write(_ file: ExportFile, in folder: String) throws(KernelError) {
    try Files.overwrite(
      "\(folder)/\(file.name)", with: file.bytes, mode: file.isSecret ? .ownerReadWrite : Self.mode)
  }

  private func absolute(_ path: String) -> String { path.hasPrefix("/") ? path : "\(context.workingFolder)/\(path)" }

  // MARK: - What it is made from

  private func input(_ loaded: LoadedStack) throws(StackErrors) -> ExportInput {
    // The file alone decides, and not what this host happens to use.
    let stack = try Resolver.resolve(
      ExportInput.plain(loaded.file), services: loaded.services, facts: HostFacts(pools: AddressAllocator.defaultPools),
      previous: nil, folder: folders.stack(loaded.name))
    return ExportInput(
      file: loaded.file, services: loaded.services, stack: stack, keys: loaded.keys,
      users: ImageCommand(context).numberedUsers(of: loaded.services), security: DesiredSecurity.init,
      reading: BoundContentReader.read)
  }
}
