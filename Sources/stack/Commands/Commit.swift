import ArgumentParser
import Orchestrator

struct Commit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "commit", abstract: "Make what a service has written an image on top of its own.",
    discussion: """
      stack commit web shop/web:patched
      stack commit shop/db db:seeded --message 'with test data'

      Volumes are not part of it. The configuration stays that of the service's image.
      """)

  @Argument(help: "A service, or stack/service.", completion: Completions.services)
  var service: String
  @Argument(help: ArgumentHelp("The image's name.", valueName: "name"))
  var name: String
  @Option(name: [.short, .long], help: "Who made it.")
  var author: String?
  @Option(name: [.short, .long], help: "What it is for: a line of its history.")
  var message: String?
  @Flag(inversion: .prefixedNo, help: "Whether the service stands still meanwhile.")
  var pause = true
  @OptionGroup var options: LetteredProjectOptions<LettersWithoutName>

  func run() throws {
    try Session.run(needsRoot: true, in: options.project) { session in
      print(
        try ImageCommand(session.context).commit(
          service, in: session.stack, as: name, author: author, message: message, pauses: pause
        ) { _ in })
    }
  }
}
