import ArgumentParser
import Orchestrator

struct Policy: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy", abstract: "Show the policy rules of a stack in order, with their counters.",
    discussion: """
      stack policy shop                   rules, with packets and bytes
      stack policy shop --format json     the same for scripts
      stack reach web1 db:5432            the rule that decides about one pair

      An `allow` rule counts the first packet of each connection, a `deny` rule
      every packet.
      """)

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @Argument(
    help: ArgumentHelp(
      "A stack. Default: that of this folder's file, or else the only one that is up.", valueName: "stack"))
  var stack: String?
  @OptionGroup var options: ProjectOptions
  @Option(help: "Format of the output.")
  var format = Format.table

  func run() throws {
    try Session.run(needsRoot: true, in: options.project) { session in
      let report = try PolicyCommand(session.context).run(on: try session.stackName(stack))
      guard format == .table else { return print(report.json) }
      let rules = report.rules.map { ["\($0.packets)", "\($0.bytes)", $0.place, "\($0.action.rawValue): \($0.rule)"] }
      let defaults = report.defaults.sorted { $0.key < $1.key }.map { network, action in
        ["-", "-", "network \(network)", "default: \(action.rawValue)"]
      }
      print(Table.text([["PACKETS", "BYTES", "PLACE", "RULE"]] + rules + defaults), terminator: "")
    }
  }
}
