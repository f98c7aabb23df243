import ArgumentParser
import Intent
import Orchestrator
import Verify

struct Up: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up", abstract: "Bring a stack up, and return when every service is ready.",
    discussion: """
      On a stack that is up, changes what differs from the file and says which field did. With the names of services, \
      brings up these and what they depend on, and leaves the others as they are.
      """)

  @OptionGroup var source: SourceOptions
  @Argument(
    help: ArgumentHelp("Services, where not all are meant. The first word is one too where it is no file's name."))
  var services: [String] = []
  @Flag(name: [.short, .long], help: "Accepted for Compose's sake: services always run in the background.")
  var detach = false
  @Flag(help: "Follow the logs afterwards, until Ctrl-C.")
  var attach = false
  @Flag(help: "Print the plan and change nothing.")
  var dryRun = false
  @Flag(help: "Make every service anew, changed or not.")
  var forceRecreate = false
  @Flag(help: "Leave services that exist as they are, changed or not.")
  var noRecreate = false
  @Flag(help: "Bring up only the services named, and do not wait for what they depend on.")
  var noDeps = false
  @Option(
    help: ArgumentHelp(
      "Seconds until a service that is not ready counts as failed. Default: 60, or what its health check may take.",
      valueName: "seconds"))
  var waitTimeout: Double?
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Seconds for services that are made anew to stop by themselves, instead of their own grace period.",
      valueName: "seconds"))
  var timeout: Double?
  @Option(help: ArgumentHelp("Run so many replicas of a service.", valueName: "service=n"))
  var scale: [String] = []
  @Flag(help: "Accepted for Compose's sake: up always waits.")
  var wait = false
  @Flag(help: "Then compare what the file promises with what packets do; end with status 1 when anything differs.")
  var verify = false
  @Flag(help: "Accepted for Compose's sake: up always removes services that are no longer in the file.")
  var removeOrphans = false
  @Flag(help: "Follow the logs until a service ends, then stop all of them. The exit code is that service's.")
  var abortOnContainerExit = false
  @Option(
    help: ArgumentHelp("As --abort-on-container-exit, with the exit code of this service.", valueName: "service"))
  var exitCodeFrom: String?
  @OptionGroup var progress: ProgressOptions

  func validate() throws {
    guard !forceRecreate || !noRecreate else {
      throw ValidationError("--force-recreate and --no-recreate cannot go together")
    }
    guard timeout.map({ $0 >= 0 && $0 <= 86400 }) ?? true else {
      throw ValidationError("--timeout is 0 to 86400 seconds")
    }
    guard !detach || !abortOnContainerExit && exitCodeFrom == nil else {
      throw ValidationError("--detach goes with neither --abort-on-container-exit nor --exit-code-from")
    }
    guard waitTimeout.map({ $0 > 0 && $0 <= 86400 }) ?? true else {
      throw ValidationError("--wait-timeout is 1 to 86400 seconds")
    }
  }

  func run() throws {
    try Session.run(needsRoot: !dryRun) { session in
      let loaded = try load(in: session)
      if let exitCodeFrom, !loaded.instanceNames.contains(exitCodeFrom) {
        throw ValidationError("--exit-code-from: there is no service \(exitCodeFrom)")
      }
      var options = StackCommands.UpOptions()
      options.recreate = forceRecreate ? .always : noRecreate ? .never : .changed
      options.waitsForDependencies = !noDeps
      (options.readyTimeout, options.stopTimeout) = (waitTimeout, timeout)
      guard !dryRun else {
        return PlanPrinter(folders: session.commands.folders).show(try session.commands.plan(loaded, options))
      }

      let printer = ProgressPrinter(progress, stack: loaded.name)
      var desired: DesiredStack?
      try session.finish(printer) { report in
        try session.commands.up(loaded, options, report: report) { desired = $0 }
      }
      StatusTable.show(try desired.map(session.commands.statuses(of:)) ?? [])
      if verify {
        let verification = try session.commands.verify(loaded.name)
        print(verification.text(width: Terminal.widthIfTerminal))
        if verification.wrong > 0 { throw ExitCode.failure }
      }
      let all = desired?.services ?? []
      let meant = all.filter { loaded.isAbout($0.service) }.map(\.name)
      let instances = meant.count == all.count ? [] : meant
      if abortOnContainerExit || exitCodeFrom != nil {
        throw ExitCode(try session.followUntilOneEnds(loaded.name, instances, exitCodeFrom: exitCodeFrom, progress))
      }
      if attach { try session.follow(loaded.name, instances) }
    }
  }

  private func load(in session: Session) throws -> LoadedStack {
    var source = source
    var services = services
    if let word = source.file, !Self.isFile(word) {
      source.file = nil
      services.insert(word, at: 0)
    }
    var request = try session.request(source, scale: scale)
    (request.services, request.includesDependencies) = (services, !noDeps)
    return try session.load(request)
  }

  /// As everywhere: a name with a slash or a full stop is a file's.
  private static func isFile(_ word: String) -> Bool { word == "-" || word.contains("/") || word.contains(".") }
}
