import ArgumentParser
import Host
import Orchestrator

struct Wait: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait", abstract: "Wait until services have ended, and print their exit codes.",
    discussion: "One line for each service, in the order given: 128+n after a signal.")

  @Argument(
    help: ArgumentHelp("Services, as web1 or web/web1: with replicas, all of them, or web-2.", valueName: "service"))
  var services: [String]
  @OptionGroup var stack: StackOptions

  func run() throws {
    try Session.run(needsRoot: true) { session in
      for place in try session.commands.index.places(of: services, in: stack.stack) {
        guard let code = try session.commands.wait(for: place) else { throw ExitCode(130) }
        print(code)
      }
    }
  }
}
