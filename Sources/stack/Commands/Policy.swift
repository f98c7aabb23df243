import ArgumentParser
import Orchestrator

struct Policy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "Show who may talk to whom: the rules in order, and what each has decided on.",
    discussion: "A rule counts the first packet of each connection that it allows, and every packet that it refuses.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @Argument(help: ArgumentHelp("A stack.", valueName: "stack"))
  var stack: String?
  @Option(help: "table or json.")
  var format = Format.table

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let report = try session.commands.policy(of: try session.stackName(stack))
      guard format == .table else { return print(report.json) }
      let rules = report.rules.map { ["\($0.packets)", "\($0.bytes)", $0.place, "\($0.action.rawValue): \($0.rule)"] }
      let defaults = report.defaults.sorted { $0.key < $1.key }.map { network, action in
        ["-", "-", "network \(network)", "default: \(action.rawValue)"]
      }
      print(Table.text([["PACKETS", "BYTES", "PLACE", "RULE"]] + rules + defaults), terminator: "")
    }
  }
}
