import ArgumentParser
import Host
import Intent
import Orchestrator

struct Ps: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ps", abstract: "Show services: state, addresses, published ports.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @Argument(help: ArgumentHelp("A stack. Without it: all that are up.", valueName: "stack"))
  var stack: String?
  @Flag(name: [.short, .long], help: "Also services that have ended.")
  var all = false
  @Flag(name: [.short, .long], help: "Only the process ids.")
  var quiet = false
  @Flag(help: "Only the services' names.")
  var services = false
  @Option(help: "Only services in this state: created, starting, running, restarting, exited.")
  var status: [String] = []
  @Option(help: "table or json (one object a line).")
  var format = Format.table

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let names = try stack.map { [try session.stackName($0)] } ?? session.commands.index.names()
      let statuses = try names.flatMap { try session.statuses(of: $0) }.filter { entry in
        status.isEmpty
          ? all || format == .table || !entry.isExited : status.contains(entry.phase)
      }
      if services {
        var shown: Set<String> = []
        for entry in statuses where shown.insert(entry.service.service).inserted { print(entry.service.service) }
      } else if quiet {
        for pid in statuses.compactMap(\.pid) { print(pid) }
      } else if format == .json {
        for entry in statuses { print(session.commands.jsonLine(of: entry)) }
      } else {
        StatusTable.show(statuses, showsStack: names.count > 1)
      }
    }
  }
}
