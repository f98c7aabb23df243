import ArgumentParser
import Intent
import Orchestrator
import Verify

struct Up: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up", abstract: "Bring a stack up, and return when all services are ready.",
    discussion: """
      stack up stacks/web.stack                 all services of a file
      stack up                                  of the file that is found here
      stack up shop.stack db web                two services, and what they need
      stack up shop.stack --dry-run >plan.sh    the plan as shell commands
      stack up shop.stack --verify              then check the network
      stack up shop.stack --scale web=3         three replicas of web

      If the stack is up, only what differs from the file is changed.
      The difference is named.
      """)

  @OptionGroup var source: SourceOptions
  @Argument(
    help: ArgumentHelp("Services to bring up. Default: all. Dependencies are included."))
  var services: [String] = []
  @Flag(name: [.short, .long], help: "Accepted for compatibility with Compose. Services always run in the background.")
  var detach = false
  @Flag(help: "Then follow the logs, until Ctrl-C.")
  var attach = false
  @Flag(help: "Print the plan as shell commands, and change nothing.")
  var dryRun = false
  @Flag(help: "Recreate all services, changed or not.")
  var forceRecreate = false
  @Flag(help: "Recreate no service, changed or not.")
  var noRecreate = false
  @Flag(help: "Bring up only the named services, without their dependencies.")
  var noDeps = false
  @Option(
    help: ArgumentHelp(
      "Seconds until a service must be ready. Default: 60, or the duration of its health check.",
      valueName: "seconds"))
  var waitTimeout: Double?
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Seconds before SIGKILL when a service is recreated, instead of its own grace period.",
      valueName: "seconds"))
  var timeout: Double?
  @Option(help: ArgumentHelp("Number of replicas of a service.", valueName: "service=n"))
  var scale: [String] = []
  @Flag(help: "Accepted for compatibility with Compose. `up` always waits.")
  var wait = false
  @Flag(help: "Then run `stack verify`, once daemons have settled. The exit code is 1 if anything differs.")
  var verify = false
  @Flag(help: "Accepted for compatibility with Compose. `up` always removes orphans.")
  var removeOrphans = false
  @Flag(help: "Follow the logs until one service ends, then stop all. The exit code is that of the service.")
  var abortOnContainerExit = false
  @Option(
    help: ArgumentHelp("Like --abort-on-container-exit, but with the exit code of this service.", valueName: "service"))
  var exitCodeFrom: String?
  @Option(
    help: ArgumentHelp(
      "When images are fetched: missing, always or never. Default: each service's pull_policy, or else missing.",
      valueName: "when"))
  var pull: PullPolicy?
  @Flag(help: "Build the images of services with build:, though they are there.")
  var build = false
  @Flag(help: "Build no image, though one is missing.")
  var noBuild = false
  @Flag(help: "Say nothing of how far images have come.")
  var quietPull = false
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
    guard !build || !noBuild else { throw ValidationError("--build and --no-build cannot go together") }
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
      var options = UpCommand.Options()
      options.recreate = forceRecreate ? .always : noRecreate ? .never : .changed
      options.waitsForDependencies = !noDeps
      options.pull.policy = pull?.policy
      options.pull.showsProgress = !quietPull
      (options.readyTimeout, options.stopTimeout) = (waitTimeout, timeout)
      guard !dryRun else {
        return PlanPrinter(folders: session.context.folders).show(try UpCommand(session.context).plan(loaded, options))
      }

      let builds = BuildPrinter(BuildPrinter.style(progress.progress))
      options.builds = build ? true : noBuild ? false : nil
      (options.buildReport, options.whileBuilding) = ({ builds.show($0) }, { builds.tick() })
      defer { builds.end() }
      let printer = ProgressPrinter(progress, stack: loaded.name)
      var desired: DesiredStack?
      try session.finish(printer) { report in
        try UpCommand(session.context).run(loaded, options, report: report) { desired = $0 }
      }
      StatusTable.show(try desired.map(session.context.statuses(of:)) ?? [])
      if verify {
        let verification = try VerifyCommand(session.context).runSettled(loaded.name)
        print(verification.text(Terminal.verificationStyle))
        try Verdict.end(verification)
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

  /// True for a file's name: it has a slash or a full stop, as everywhere.
  private static func isFile(_ word: String) -> Bool { word == "-" || word.contains("/") || word.contains(".") }
}
