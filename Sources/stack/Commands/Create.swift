import ArgumentParser
import Intent
import Orchestrator

struct Create: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create", abstract: "Make a stack's services, networks and volumes, and start nothing.",
    discussion: "`stack start`, or `stack up`, starts them.")

  @OptionGroup var source: SourceOptions
  @Argument(help: ArgumentHelp("Services. Default: all. Dependencies are included."), completion: Completions.services)
  var services: [String] = []
  @Flag(help: "Recreate all services, changed or not.")
  var forceRecreate = false
  @Flag(help: "Recreate no service, changed or not.")
  var noRecreate = false
  @Option(help: ArgumentHelp("When images are fetched: missing, always or never.", valueName: "when"))
  var pull: PullPolicy?
  @Flag(help: "Say nothing of how far images have come.")
  var quietPull = false
  @OptionGroup var builds: BuildOptions
  @Option(help: ArgumentHelp("Number of replicas of a service.", valueName: "service=n"))
  var scale: [String] = []
  @Flag(help: "Accepted for compatibility with Compose. Orphans are always removed.")
  var removeOrphans = false
  @Flag(help: "Print the plan as shell commands, and change nothing.")
  var dryRun = false
  @Flag(name: [.customShort("y"), .long], help: "Accepted for compatibility with Compose. Nothing is asked.")
  var yes = false
  @OptionGroup var progress: ProgressOptions

  func validate() throws {
    guard !forceRecreate || !noRecreate else {
      throw ValidationError("--force-recreate and --no-recreate cannot go together")
    }
  }

  func run() throws {
    try Session.run(needsRoot: !dryRun, errors: progress.errorStyle) { session in
      let session = try session.taking(source.project)
      let loaded = try session.load(source, services: services, scale: scale)
      var options = UpCommand.Options()
      options.recreate = forceRecreate ? .always : noRecreate ? .never : .changed
      options.startsServices = false
      options.pull.policy = pull?.policy
      options.pull.showsProgress = !quietPull
      guard !dryRun else {
        return PlanPrinter(folders: session.context.folders).show(try UpCommand(session.context).plan(loaded, options))
      }
      try session.bringUp(loaded, options, progress, builds)
    }
  }
}

struct Scale: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scale", abstract: "Change the number of replicas of services.",
    discussion: """
      stack scale web=3 worker=0

      The next `up` without --scale returns to the file's numbers.
      """)

  @Argument(help: ArgumentHelp("Services, each with its number of replicas.", valueName: "service=n"))
  var counts: [String]
  @OptionGroup var options: ProjectOptions
  @Flag(help: "Do not start what the services depend on.")
  var noDeps = false
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.run(needsRoot: true, errors: progress.errorStyle) { session in
      let session = try session.taking(options.project)
      var request = try session.request(options.project.loadRequest(), scale: counts)
      request.services = counts.compactMap { $0.split(separator: "=").first.map(String.init) }
      request.includesDependencies = !noDeps
      let loaded = try session.load(request)
      var up = UpCommand.Options()
      (up.recreate, up.waitsForDependencies) = (.never, !noDeps)
      try session.bringUp(loaded, up, progress)
    }
  }
}
