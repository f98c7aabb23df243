import ArgumentParser
import Orchestrator

struct Volumes: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "volumes", abstract: "List the volumes of a stack, with their folders.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @Argument(
    help: ArgumentHelp("Services: only volumes that these use.", valueName: "service"),
    completion: Completions.services)
  var services: [String] = []
  @OptionGroup var options: ProjectOptions
  @Flag(name: [.short, .long], help: "Print names only.")
  var quiet = false
  @Option(help: "Format of the output; json has one object a line.")
  var format = Format.table

  func run() throws {
    try Session.run(needsRoot: true, in: options.project, errors: format == .json ? .json : .text) { session in
      // A stack that is down may have kept some.
      let isDown = try session.stack == nil && services.isEmpty && session.context.listedStacks().isEmpty
      let kept = isDown ? session.context.scope?.names.map { Session.Target(stack: $0) } : nil
      let targets = try kept ?? session.targets(services)
      for target in targets {
        let volumes = try StackVolumesCommand(session.context).run(target.stack, of: target.services)
        if quiet {
          for volume in volumes { print(volume.name) }
        } else if format == .json {
          for volume in volumes { print(volume.jsonLine) }
        } else {
          let rows = volumes.map { [$0.name, $0.users.isEmpty ? "-" : $0.users.joined(separator: ", "), $0.folder] }
          let table = Table(
            [["VOLUME", "SERVICES", "FOLDER"]] + rows, dispensable: [], width: Terminal.widthIfTerminal)
          print(table.text { _, _, text in text }, terminator: "")
        }
      }
    }
  }
}
