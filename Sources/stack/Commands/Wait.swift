import ArgumentParser
import Glibc
import Host
import Orchestrator

struct Wait: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wait", abstract: "Wait until services end, and print their exit codes.",
    discussion: "Prints one line for each service, in the order given. After signal n the code is 128+n.")

  @Argument(
    help: ArgumentHelp(
      "Services, such as web1 or web/web1. With replicas: all of them, or one, such as web-2.", valueName: "service"),
    completion: Completions.services)
  var services: [String]
  @Flag(help: "Take the stack down when the first of them has ended.")
  var downProject = false
  @OptionGroup var options: ProjectOptions

  func run() throws {
    try Session.run(needsRoot: true, in: options.project) { session in
      for place in try session.context.index.places(of: services, in: session.stack) {
        guard let code = try WaitCommand(session.context).run(on: place) else { throw ExitCode(130) }
        print(code)
        guard downProject else { continue }
        fflush(nil)
        let printer = ProgressPrinter(ProgressOptions.withDefaults, stack: place.stack)
        try session.finish(printer) { report in
          try DownCommand(session.context).run(place.stack, removeVolumes: false, timeout: nil, report: report)
        }
        throw ExitCode(Int32(code))
      }
    }
  }
}
