import ArgumentParser
import Orchestrator

struct Ls: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ls", abstract: "List the stacks of this host, with their files.",
    discussion: "Stacks that are down are listed with -a, as long as volumes of theirs are kept.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @Flag(name: [.short, .long], help: "Include stacks that are down and have left volumes.")
  var all = false
  @Flag(name: [.short, .long], help: "Print names only.")
  var quiet = false
  @Option(help: ArgumentHelp("List only stacks whose name begins so.", valueName: "name=text"))
  var filter: [String] = []
  @Option(help: "Format of the output; json is one list, as Compose prints it.")
  var format = Format.table

  func validate() throws {
    for entry in filter where !entry.hasPrefix("name=") {
      throw ValidationError("--filter takes name=text, not \(entry)")
    }
  }

  func run() throws {
    try Session.run(needsRoot: true, errors: format == .json ? .json : .text) { session in
      let prefixes = filter.map { $0.dropFirst("name=".count) }
      let stacks = try ListCommand(session.context).run(withThoseDown: all).filter { stack in
        prefixes.isEmpty || prefixes.contains { stack.name.hasPrefix($0) }
      }
      if quiet {
        for stack in stacks { print(stack.name) }
      } else if format == .json {
        print(ListCommand.json(stacks))
      } else {
        let rows = stacks.map { stack in
          [
            stack.name, stack.state, stack.age ?? "-", stack.volumes.isEmpty ? "-" : "\(stack.volumes.count)",
            stack.file ?? "-",
          ]
        }
        let table = Table(
          [["NAME", "STATE", "AGE", "VOLUMES", "FILE"]] + rows, dispensable: [3], width: Terminal.widthIfTerminal)
        print(table.text { _, _, text in text }, terminator: "")
      }
    }
  }
}
