import ArgumentParser
import Host
import Intent
import Orchestrator

struct Ps: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ps", abstract: "List services with their state, addresses and published ports.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @Argument(help: ArgumentHelp("A stack. Default: all that are up.", valueName: "stack"))
  var stack: String?
  @Flag(name: [.short, .long], help: "Include services that have ended.")
  var all = false
  @Flag(name: [.short, .long], help: "Print process ids only.")
  var quiet = false
  @Flag(help: "Print names of services only.")
  var services = false
  @Option(help: "List only services in this state: created, starting, running, restarting, exited.")
  var status: [String] = []
  @Option(help: "Format of the output; json has one object a line.")
  var format = Format.table

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let names = try stack.map { [try session.stackName($0)] } ?? session.context.index.names()
      for name in names {
        standardError("", try session.context.mendRecords(of: name).map { "warning: \(name): \($0)" })
      }
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
        for entry in statuses { print(entry.jsonLine) }
      } else {
        StatusTable.show(statuses, showsStack: names.count > 1)
        for text in session.context.complaints(of: names) {
          standardError("", "warning: \(text); stack up puts it back")
        }
      }
    }
  }
}
