import ArgumentParser
import Glibc
import Kernel
import Orchestrator
import StackFiles
import SystemPackage

extension ExportFor {
  /// `stack export web`: the files of a running service.
  struct Files: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "files", abstract: "Write the files of a running service as a tar archive.",
      discussion: """
        stack export web -o web.tar
        stack export web | tar -t

        What is mounted into the service, such as volumes, is not part of it.
        """)

    @Argument(
      help: ArgumentHelp("The service, such as web1 or web/web1.", valueName: "service"),
      completion: Completions.services)
    var service: String
    @Argument(help: .hidden)
    var others: [String] = []
    @Option(
      name: [.short, .long], help: ArgumentHelp("The archive. Default: standard output.", valueName: "file"),
      completion: .file())
    var output: String?
    @Option(help: ArgumentHelp("Number of the replica. Default: the first.", valueName: "number"))
    var index: Int?
    @OptionGroup var options: ProjectOptions

    func validate() throws {
      guard others.isEmpty else {
        let form = Suggestion.closest(to: service, among: ["kubernetes", "swarm"])
        let near = form.map { ": did you mean \($0)?" } ?? ""
        throw ValidationError("export takes one service, or kubernetes or swarm with a file\(near)")
      }
    }

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
}
