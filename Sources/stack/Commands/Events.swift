import ArgumentParser
import Host
import Orchestrator

struct Events: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Show events of services: start, ready, die, stop, health_status.",
    discussion: "Runs until Ctrl-C. Starts now, or at --since.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(
    help: ArgumentHelp(
      "Services, or stacks. Default: the stack of this folder's file; where there is none, all that are up.",
      valueName: "name"),
    completion: Completions.services)
  var words: [String] = []
  @OptionGroup var project: ProjectOptions
  @Option(help: ArgumentHelp("Start time: 2026-01-31T12:00:00Z, or 10m for ten minutes ago.", valueName: "time"))
  var since: String?
  @Option(help: ArgumentHelp("End time, in the same forms.", valueName: "time"))
  var until: String?
  @Flag(help: "Print past events only, and end.")
  var noFollow = false
  @Option(help: "Format of the output; json has one object a line.")
  var format = Format.text
  @Flag(help: "The same as --format json.")
  var json = false

  func run() throws {
    try Session.run(needsRoot: true, in: project.project) { session in
      var options = EventsCommand.Options()
      options.since = since
      options.until = until
      options.follows = !noFollow
      options.isJSON = json || format == .json
      let targets = try session.listed(words)
      options.services = Dictionary(
        targets.filter { !$0.services.isEmpty }.map { ($0.stack, Set($0.services)) }, uniquingKeysWith: { $1 })
      try EventsCommand(session.context).run(on: targets.map(\.stack), options)
    }
  }
}
