import ArgumentParser
import Host
import Orchestrator

struct Wait: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait", abstract: "Wait until services end, and print their exit codes.",
    discussion: "Prints one line for each service, in the order given. After signal n the code is 128+n.")

  @Argument(
    help: ArgumentHelp(
      "Services, such as web1 or web/web1. With replicas: all of them, or one, such as web-2.", valueName: "service"))
  var services: [String]
  @OptionGroup var stack: StackOptions

  func run() throws {
    try Session.run(needsRoot: true) { session in
      for place in try session.context.index.places(of: services, in: stack.stack) {
        guard let code = try WaitCommand(session.context).run(on: place) else { throw ExitCode(130) }
        print(code)
      }
    }
  }
}
