import Kernel
import Vocabulary
import ArgumentParser
import Orchestrator

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Print all details of a stack or a service as JSON.",
    discussion: "Properties that have their default value are left out.")

  @Argument(help: ArgumentHelp("A stack, or a service such as web1 or web/web1.", valueName: "name"))
  var name: String?
  @OptionGroup var options: ProjectOptions

  func run() throws {
    try Session.run(needsRoot: true, in: options.project) { session in
      print(VisibleText.json(try InspectCommand(session.context).run(name, in: session.stack)))
    }
  }
}
