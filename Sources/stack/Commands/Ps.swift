import ArgumentParser
import Host
import Intent
import Orchestrator

struct Ps: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ps", abstract: "List services with their state, addresses and published ports.")

  @Argument(
    help: ArgumentHelp(
      "Services, a stack, or its file. Default: the stack of this folder's file; where there is none, all that are up.",
      valueName: "name"),
    completion: Completions.services)
  var words: [String] = []
  @OptionGroup var options: ProjectOptions
  @Flag(name: [.short, .long], help: "Include services that do not run.")
  var all = false
  @Flag(name: [.short, .long], help: "Print ids only, such as shop.web.")
  var quiet = false
  @Flag(help: "Print names of services only.")
  var services = false
  @Option(help: "List only services in this state: created, starting, running, paused, restarting, exited.")
  var status: [String] = []
  @Option(help: ArgumentHelp("List only services in this state, as Compose writes it.", valueName: "status=state"))
  var filter: [String] = []
  @Option(
    help: ArgumentHelp("Format of the output: table, json (an object a line), or a template.", valueName: "format"))
  var format = "table"
  @Flag(inversion: .prefixedNo, help: "Include services that the file no longer has. `up` removes them.")
  var orphans = true
  @Flag(help: "Print all ports, and lines as long as they are.")
  var noTrunc = false

  func validate() throws {
    for entry in filter where !entry.hasPrefix("status=") {
      throw ValidationError("--filter takes status=running and the like, not \(entry)")
    }
    // Those of Docker's that no service here is ever in select nothing.
    let known = StackIndex.ServiceStatus.phases + ["dead", "removing"]
    for state in status + filter.map({ String($0.dropFirst("status=".count)) }) where !known.contains(state) {
      throw ValidationError("--status is one of \(known.joined(separator: ", ")), not \(state)")
    }
    if format != "table", format != "json" { _ = try template() }
  }

  private func template() throws -> OutputTemplate {
    do {
      return try OutputTemplate(format, fields: StackIndex.ServiceStatus.fieldNames)
    } catch {
      throw ValidationError("--format: \(error.text)")
    }
  }

  func run() throws {
    try Session.run(needsRoot: true, in: options.project, errors: format == "json" ? .json : .text) { session in
      let targets = try session.listed(words)
      let readings = try targets.map { target in
        try session.context.readMending(target.stack) { standardError("", "warning: \(target.stack): \($0)") }
      }
      let states = status + filter.map { String($0.dropFirst("status=".count)) }
      let statuses = zip(targets, readings).flatMap { target, reading in
        reading.statuses.filter { target.services.isEmpty || target.services.contains($0.service.name) }
      }.filter { entry in
        states.isEmpty ? all || entry.isAlive : states.contains(entry.phase)
      }
      try show(statuses, of: readings.compactMap(\.desired), session)
    }
  }

  private func show(_ statuses: [StackIndex.ServiceStatus], of stacks: [DesiredStack], _ session: Session) throws {
    if services {
      var shown: Set<String> = []
      for entry in statuses where shown.insert(entry.service.service).inserted { print(entry.service.service) }
    } else if quiet {
      for entry in statuses { print(entry.identifier) }
    } else if format == "json" {
      for entry in statuses { print(entry.jsonLine) }
    } else if format == "table" {
      StatusTable.show(statuses, showsStack: stacks.count > 1, isWhole: noTrunc)
      for text in session.context.complaints(of: stacks) {
        standardError("", "warning: \(text); stack up puts it back")
      }
    } else {
      print(try template().lines(statuses.map { ($0.fields, $0.jsonLine) }), terminator: "")
    }
  }
}
