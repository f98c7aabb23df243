import ArgumentParser
import Host
import Orchestrator

struct Events: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "events", abstract: "Show what happens to services: start, ready, die, stop, health_status.",
    discussion: "Goes on until Ctrl-C, from now or from --since on.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: ArgumentHelp("Stacks. Without any: all that are up.", valueName: "stack"))
  var stacks: [String] = []
  @Option(help: ArgumentHelp("From a time on: 2026-01-31T12:00:00Z, or 10m ago.", valueName: "time"))
  var since: String?
  @Option(help: ArgumentHelp("Up to a time.", valueName: "time"))
  var until: String?
  @Flag(help: "Only what has happened so far.")
  var noFollow = false
  @Option(help: "text or json (one object a line).")
  var format = Format.text
  @Flag(help: "The same as --format json.")
  var json = false

  func run() throws {
    try Session.run(needsRoot: true) { session in
      var options = StackCommands.EventOptions()
      options.since = since
      options.until = until
      options.follows = !noFollow
      options.isJSON = json || format == .json
      let names = try stacks.isEmpty ? session.commands.index.names() : stacks.map { try session.stackName($0) }
      try session.commands.events(of: names, options)
    }
  }
}
