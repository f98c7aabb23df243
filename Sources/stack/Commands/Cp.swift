import Kernel
import Vocabulary
import ArgumentParser
import Orchestrator

struct Cp: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cp", abstract: "Copy files and folders between a running service and the host.",
    discussion: """
      stack cp web1:/var/log/app ./logs    from the service
      stack cp ./pages/. web1:/srv/www     the contents of a folder, into the service

      If the target is an existing folder, the copy keeps its name. Symbolic
      links are copied as links. No link leads out of the service.
      """)

  @Argument(
    help: ArgumentHelp("The source: web1:/path, web/web1:/path, or a path of the host.", valueName: "source"),
    completion: .file())
  var source: String
  @Argument(help: ArgumentHelp("The target, in the same forms.", valueName: "target"), completion: .file())
  var target: String
  @Flag(
    name: [.customShort("a"), .long], help: "Keep owners and groups by their numbers.")
  var archive = false
  @Flag(name: [.customShort("L"), .long], help: "Follow a symbolic link that is the source.")
  var followLink = false
  @Option(help: ArgumentHelp("Number of the replica. Default: the first.", valueName: "number"))
  var index: Int?
  @OptionGroup var options: ProjectOptions

  private var wishes: CopyCommand.Options {
    var wishes = CopyCommand.Options()
    (wishes.keepsOwners, wishes.followsLink, wishes.replica) = (archive, followLink, index)
    return wishes
  }

  func run() throws {
    try Session.run(needsRoot: true, in: options.project) { session in
      for path in try CopyCommand(session.context).run(source, to: target, in: session.stack, wishes) {
        standardError(
          "", "warning: \(VisibleText.line(path)) is a device, a socket, a FIFO or a file of the kernel: left out")
      }
    }
  }
}
