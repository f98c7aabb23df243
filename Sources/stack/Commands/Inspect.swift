import ArgumentParser
import Orchestrator

struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect", abstract: "Show everything that is known of a stack or a service, as JSON.",
    discussion: "What is as it is for everybody who says nothing, such as no limits, is left out.")

  @Argument(help: ArgumentHelp("A stack, or a service as web1 or web/web1.", valueName: "name"))
  var name: String?
  @OptionGroup var stack: StackOptions

  func run() throws {
    try Session.run(needsRoot: true) { session in
      print(VisibleText.json(try session.commands.inspect(name, in: stack.stack)))
    }
  }
}
