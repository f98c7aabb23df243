import ArgumentParser
import Glibc
import Kernel
import Orchestrator
import SystemPackage

struct Export: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Write the files of a running service as a tar archive.",
    discussion: """
      stack export web -o web.tar
      stack export web | tar -t

      What is mounted into the service, such as volumes, is not part of it.
      """)

  @OptionGroup var export: ServiceExportOptions

  func run() throws { try export.run() }
}

/// The options of an export of files.
struct ServiceExportOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp("The service, such as web1 or web/web1.", valueName: "service"),
    completion: Completions.services)
  var service: String
  @Option(
    name: [.short, .long], help: ArgumentHelp("The archive. Default: standard output.", valueName: "file"),
    completion: .file())
  var output: String?
  @Option(help: ArgumentHelp("Number of the replica. Default: the first.", valueName: "number"))
  var index: Int?
  @OptionGroup var options: ProjectOptions

  func run() throws {
    guard output != nil || isatty(STDOUT_FILENO) != 1 else {
      throw ValidationError("an archive is not for a terminal: name a file, -o web.tar")
    }
    try Session.run(needsRoot: true, in: options.project) { session in
      let file = try output.map { path in
        do {
          return try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch {
          throw Session.failure("cannot write \(path): \(error)")
        }
      }
      defer { try? file?.close() }
      try ServiceExportCommand(session.context).run(
        service, replica: index, in: session.stack, to: file ?? .standardOutput)
    }
  }
}
