import ArgumentParser
import Host
import Orchestrator

struct Attach: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "attach", abstract: "Show what a running service writes, and give it what is typed.",
    discussion: """
      With `tty: true` ctrl-p ctrl-q leaves it alone again, and every other key is the service's. With `stdin_open: true` and
      no terminal standard input is passed on, and Ctrl-C leaves it. The exit code is the service's if it ends meanwhile.
      """)

  @Flag(help: "Pass nothing on to the service.")
  var noStdin = false
  @Option(help: ArgumentHelp("Which replica of the service: the first, if none is named.", valueName: "number"))
  var index: Int?
  @Argument(help: ArgumentHelp("The service, as web1 or web/web1.", valueName: "service"))
  var service: String
  @OptionGroup var stack: StackOptions

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let place = try session.commands.index.find(service, replica: index, in: stack.stack)
      throw ExitCode(try session.commands.attach(to: place, withInput: !noStdin))
    }
  }
}
