import ArgumentParser
import Glibc
import Host
import Orchestrator

struct Logs: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "logs", abstract: "Show the output of services.")

  @Argument(
    help: ArgumentHelp(
      "Services, such as web1 or web/web1. With replicas: all of them, or one, such as web-2. Default: all of the stack.",
      valueName: "service"),
    completion: Completions.services)
  var services: [String] = []
  @OptionGroup var options: LetteredProjectOptions<LettersWithoutFile>
  @Flag(name: [.short, .long], help: "Follow new output, until Ctrl-C.")
  var follow = false
  @Option(
    name: [.customShort("n", allowingJoined: true), .long],
    help: ArgumentHelp("Show only the last lines of each service.", valueName: "lines"))
  var tail: String?
  @Flag(name: [.short, .long], help: "Show the time of each line.")
  var timestamps = false
  @Option(help: ArgumentHelp("Start time: 2026-01-31T12:00:00Z, or 10m for ten minutes ago.", valueName: "time"))
  var since: String?
  @Option(help: ArgumentHelp("End time, in the same forms.", valueName: "time"))
  var until: String?
  @Flag(help: "Do not show names of services.")
  var noLogPrefix = false
  @Flag(help: "Do not use colours.")
  var noColor = false

  @Option(help: ArgumentHelp("Number of the replica. Default: all.", valueName: "number"))
  var index: Int?

  func run() throws {
    try Session.run(needsRoot: true, in: options.project) { session in
      let former = try failed(in: session)
      if former == nil, try session.hasNothing("show") { return }
      let target = try former ?? target(in: session)
      var options = LogsCommand.Options()
      options.follows = follow
      options.showsTime = timestamps
      options.showsPrefix = !noLogPrefix
      options.isTerminal = isatty(STDOUT_FILENO) == 1
      options.isColored = !noColor && Terminal.showsColour(STDOUT_FILENO)
      options.since = since
      options.until = until
      if let tail, tail != "all" {
        guard let lines = Int(tail), lines >= 0 else { throw ValidationError("--tail takes a number of lines, or all") }
        options.tail = lines
      }
      try LogsCommand(session.context).run(on: target.services, in: target.stack, options)
    }
  }

  /// The stack whose last `up` failed, where it is meant and not up.
  private func failed(in session: Session) throws -> Session.Target? {
    let logs = LogsCommand(session.context)
    var (stack, names) = (session.stack, services)
    // The advice of a failed `up` is `stack logs shop/web`.
    if let word = services.first, let slash = word.firstIndex(of: "/") {
      stack = String(word[..<slash])
      names = services.map { $0.replacing("\(stack ?? "")/", with: "", maxReplacements: 1) }
    }
    let stacks = stack.map { logs.isOfFailedUp($0) ? [$0] : [] } ?? logs.failedStacks()
    guard stacks.count == 1, let only = stacks.first,
      try session.stack != nil || session.context.listedStacks().isEmpty || stack != nil
    else { return nil }
    let known = logs.failedServices(of: only)
    let meant = known.filter { instance in
      names.contains { instance == $0 || instance.hasPrefix("\($0)-") }
    }
    guard names.isEmpty || !meant.isEmpty else { return nil }
    standardError("", "note: stack \(only) is not up; this is what its services wrote before its last up failed")
    return Session.Target(stack: only, services: meant)
  }

  private func target(in session: Session) throws -> Session.Target {
    if let index {
      guard services.count == 1 else { throw ValidationError("--index goes with one service") }
      let place = try session.context.index.find(services[0], replica: index, in: session.stack)
      return Session.Target(stack: place.stack, services: [place.service])
    }
    let places = try session.context.index.places(of: services, in: session.stack)
    let name = try places.first?.stack ?? session.context.index.stack(named: session.stack)
    guard places.allSatisfy({ $0.stack == name }) else {
      throw ValidationError("logs shows the services of one stack at a time")
    }
    return Session.Target(stack: name, services: places.map(\.service))
  }
}
