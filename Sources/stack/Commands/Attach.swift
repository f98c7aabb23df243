import ArgumentParser
import Host
import Orchestrator

struct Attach: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attach", abstract: "Show the output of a running service, and pass on what is typed.",
    discussion: """
      With `tty: true`, ctrl-p ctrl-q detaches. Every other key goes to the
      service.
      With `stdin_open: true` and no terminal, standard input goes to the
      service, and Ctrl-C detaches.
      If the service ends, its exit code is that of this command.
      """)

  @Flag(help: "Do not pass input to the service.")
  var noStdin = false
  @Option(help: ArgumentHelp("Number of the replica. Default: the first.", valueName: "number"))
  var index: Int?
  @Argument(help: ArgumentHelp("The service, such as web1 or web/web1.", valueName: "service"))
  var service: String
  @OptionGroup var stack: StackOptions

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let place = try session.context.index.find(service, replica: index, in: stack.stack)
      throw ExitCode(try AttachCommand(session.context).run(on: place, withInput: !noStdin))
    }
  }
}
