import ArgumentParser
import Glibc
import Host
import Orchestrator

struct Stats: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "Show resource usage of services: CPU, memory, network, block devices, processes.",
    discussion: "100 % is one CPU. Memory excludes inactive page cache.")

  enum Format: String, ExpressibleByArgument, CaseIterable { case table, json }

  @Argument(
    help: ArgumentHelp(
      "Services, such as web1 or web/web1. With replicas: all of them, or one, such as web-2. Default: all that run.",
      valueName: "service"))
  var services: [String] = []
  @OptionGroup var options: ProjectOptions
  @Flag(
    name: [.customShort("a"), .long], help: "Accepted for compatibility with Docker. What does not run uses nothing.")
  var all = false
  @Flag(help: "Accepted for compatibility with Docker. Nothing is cut outside of terminals.")
  var noTrunc = false
  @Flag(help: "Print once, instead of every second until Ctrl-C.")
  var noStream = false
  @Option(help: "Format of the output; json has one object a line.")
  var format = Format.table

  func run() throws {
    try Session.run(needsRoot: true, in: options.project) { session in
      let places = try session.context.index.places(of: services, in: session.stack)
      let stacks =
        places.isEmpty
        ? try session.listed().map(\.stack)
        : Set(places.map(\.stack)).sorted()
      let isLive = !noStream && Terminal.canMove(STDOUT_FILENO)
      var table = LiveTable(isLive: isLive)
      try StatsCommand(session.context).run(on: places, in: stacks, isOnce: noStream) { usages in
        format == .json
          ? table.show(usages.map { $0.jsonLine + "\n" }.joined(), isAppended: true)
          : table.show(
            UsageTable.text(
              usages, showsStack: stacks.count > 1, width: isLive ? Terminal.width(of: STDOUT_FILENO) : nil))
            && !usages.isEmpty
      }
    }
  }
}

struct Top: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "top", abstract: "List the processes of services, with the host's process ids.")

  @Argument(
    help: ArgumentHelp(
      "Services, such as web1 or web/web1. With replicas: all of them, or one, such as web-2. Default: all that run.",
      valueName: "service"))
  var services: [String] = []
  @OptionGroup var options: ProjectOptions

  func run() throws {
    try Session.run(needsRoot: true, in: options.project) { session in
      if try session.hasNothing("show") { return }
      var places = try session.context.index.places(of: services, in: session.stack)
      if places.isEmpty {
        let name = try session.context.index.stack(named: session.stack)
        places = try session.statuses(of: name).map { try session.context.index.find($0.name, in: name) }
      }
      for place in places {
        let rows = try TopCommand(session.context).run(on: place)
        print("\(place.stack)/\(place.service)")
        print(UsageTable.text(rows))
      }
    }
  }
}
