import ArgumentParser
import Orchestrator

struct Tag: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "tag", abstract: "Give an image another name.")

  @Argument(
    help: ArgumentHelp("A name, or the beginning of an id.", valueName: "image"), completion: Completions.images)
  var image: String
  @Argument(help: ArgumentHelp("The new name.", valueName: "name"))
  var name: String

  func run() throws {
    try Session.run(needsRoot: true) { session in try ImageCommand(session.context).tagImage(image, as: name) }
  }
}
