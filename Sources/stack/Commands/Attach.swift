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
  @Option(
    help: ArgumentHelp("The keys that detach from a terminal, such as ctrl-p,ctrl-q or ctrl-x.", valueName: "keys"))
  var detachKeys: String?
  @Option(help: ArgumentHelp("True to send signals that this command gets to the service.", valueName: "true|false"))
  var sigProxy = false
  @Argument(
    help: ArgumentHelp("The service, such as web1 or web/web1.", valueName: "service"),
    completion: Completions.services)
  var service: String
  @OptionGroup var options: ProjectOptions

  func run() throws {
    let keys = try detachKeys.map { text in
      guard let keys = KeySequence(text) else {
        throw ValidationError("--detach-keys takes keys such as ctrl-p,ctrl-q, not \(text)")
      }
      return keys.bytes
    }
    try Session.run(needsRoot: true, in: options.project) { session in
      let place = try session.context.index.find(service, replica: index, in: session.stack)
      var options = AttachCommand.Options()
      (options.takesInput, options.detachKeys, options.passesSignals) = (!noStdin, keys, sigProxy)
      throw ExitCode(try AttachCommand(session.context).run(on: place, options))
    }
  }
}
