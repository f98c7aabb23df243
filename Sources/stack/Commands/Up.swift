import ArgumentParser
import Glibc
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
    help: ArgumentHelp("Services to bring up. Default: all. Dependencies are included."),
    completion: Completions.services)
  var services: [String] = []
  @Flag(name: [.short, .long], help: "Accepted for compatibility with Compose. Services always run in the background.")
  var detach = false
  @Option(
    help: ArgumentHelp(
      "Then follow the logs, until Ctrl-C: of these services, or of all (* or nothing).", valueName: "service"))
  var attach: [String] = []
  @Flag(help: "With --attach: follow the logs of what these services depend on, too.")
  var attachDependencies = false
  @Option(help: ArgumentHelp("With --attach: all logs but those of this service.", valueName: "service"))
  var noAttach: [String] = []
  @Flag(help: "With --attach: no colours.")
  var noColor = false
  @Flag(help: "With --attach: no names of services.")
  var noLogPrefix = false
  @Flag(help: "With --attach: the time of each line.")
  var timestamps = false
  @Flag(help: "Print the plan as shell commands, and change nothing.")
  var dryRun = false
  @Flag(help: "Recreate all services, changed or not.")
  var forceRecreate = false
  @Flag(help: "Recreate what the named services depend on, too, changed or not.")
  var alwaysRecreateDeps = false
  @Flag(
    name: [.customShort("V"), .long],
    help: "Give services that are recreated new volumes in place of those without a name.")
  var renewAnonVolumes = false
  @Flag(help: "Make services, and start none.")
  var noStart = false
  @Flag(help: "If a service fails, leave what has come up as it is, to be looked at.")
  var keep = false
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
    name: [.customShort("t", allowingJoined: true), .long],
    help: ArgumentHelp(
      "Seconds before SIGKILL when a service is recreated, instead of its own grace period.",
      valueName: "seconds"))
  var timeout: Double?
  @Option(help: ArgumentHelp("Number of replicas of a service.", valueName: "service=n"))
  var scale: [String] = []
  @Flag(help: "Wait until services with an image are healthy, too, where they have a health check.")
  var wait = false
  @Flag(help: "Then run `stack verify`, once daemons have settled. The exit code is 1 if anything differs.")
  var verify = false
  @Flag(help: "Accepted for compatibility with Compose. `up` always removes orphans.")
  var removeOrphans = false
  @Flag(help: "Follow the logs until one service ends, then stop all. The exit code is that of the service.")
  var abortOnContainerExit = false
  @Flag(help: "Follow the logs until one service ends with an error, then stop all.")
  var abortOnContainerFailure = false
  @Option(
    help: ArgumentHelp("Like --abort-on-container-exit, but with the exit code of this service.", valueName: "service"))
  var exitCodeFrom: String?
  @Option(
    help: ArgumentHelp(
      "When images are fetched: missing, always or never. Default: each service's pull_policy, or else missing.",
      valueName: "when"))
  var pull: PullPolicy?
  @OptionGroup var builds: BuildOptions
  @Flag(help: "Say nothing of how far images have come.")
  var quietPull = false
  @Flag(name: [.customShort("w"), .long], help: "Then bring changes of files into services, as `stack watch` does.")
  var watch = false
  @Flag(name: [.customShort("y"), .long], help: "Accepted for compatibility with Compose. `up` asks nothing.")
  var yes = false
  @OptionGroup var progress: ProgressOptions

  func validate() throws {
    guard !forceRecreate || !noRecreate else {
      throw ValidationError("--force-recreate and --no-recreate cannot go together")
    }
    guard timeout.map({ $0 >= 0 && $0 <= 86400 }) ?? true else {
      throw ValidationError("--timeout is 0 to 86400 seconds")
    }
    guard !detach || !abortOnContainerExit && !abortOnContainerFailure && exitCodeFrom == nil else {
      throw ValidationError("--detach goes with neither --abort-on-container-exit nor --exit-code-from")
    }
    guard !noStart || attach.isEmpty && !watch && !verify else {
      throw ValidationError("--no-start goes with none of --attach, --watch and --verify")
    }
    try builds.validate()
    guard waitTimeout.map({ $0 > 0 && $0 <= 86400 }) ?? true else {
      throw ValidationError("--wait-timeout is 1 to 86400 seconds")
    }
  }

  func run() throws {
    try Session.run(needsRoot: !dryRun, errors: progress.errorStyle) { session in
      let session = try session.taking(source.project)
      let loaded = try session.load(source, services: services, scale: scale, withDependencies: !noDeps)
      if let exitCodeFrom, !loaded.instanceNames.contains(exitCodeFrom) {
        throw ValidationError("--exit-code-from: there is no service \(exitCodeFrom)")
      }
      for (option, names) in [("--attach", attach), ("--no-attach", noAttach)] {
        let known = loaded.instanceNames + loaded.allServiceNames + [Self.everyService]
        guard let unknown = names.first(where: { !known.contains($0) }) else { continue }
        throw ValidationError("\(option): there is no service \(unknown)")
      }
      guard !dryRun else {
        return PlanPrinter(folders: session.context.folders).show(
          try UpCommand(session.context).plan(loaded, upOptions))
      }

      let logs = logOptions
      let desired = try session.bringUp(loaded, upOptions, progress, builds)
      try goOn(loaded, desired, logs, session)
    }
  }

  private var upOptions: UpCommand.Options {
    var options = UpCommand.Options()
    options.recreate = forceRecreate ? .always : noRecreate ? .never : .changed
    options.recreatesDependencies = alwaysRecreateDeps
    options.waitsForDependencies = !noDeps
    options.renewsVolumes = renewAnonVolumes
    (options.startsServices, options.keepsOnFailure) = (!noStart, keep)
    options.pull.policy = pull?.policy
    options.pull.showsProgress = !quietPull
    (options.readyTimeout, options.stopTimeout) = (waitTimeout, timeout)
    options.waitsForHealth = wait
    return options
  }

  /// The further wishes, once all is up.
  private func goOn(
    _ loaded: LoadedStack, _ desired: DesiredStack?, _ logs: LogsCommand.Options, _ session: Session
  ) throws {
    if verify {
      let verification = try VerifyCommand(session.context).runSettled(loaded.name)
      print(verification.text(Terminal.verificationStyle))
      try Verdict.end(verification)
    }
    let shown = try followed(loaded, desired)
    // Services that are not shown end all the same, and with the others.
    let instances = (desired?.services ?? []).filter { loaded.serviceNames.contains($0.service) }.map(\.name)
    if abortOnContainerExit || abortOnContainerFailure || exitCodeFrom != nil {
      let end: FollowCommand.End = abortOnContainerFailure && !abortOnContainerExit ? .failure : .any
      throw ExitCode(
        try session.followUntilOneEnds(
          loaded.name, instances, showing: shown, end, exitCodeFrom: exitCodeFrom, logs, progress))
    }
    if watch {
      return try WatchLoop(session, loaded, [], progress) { service in
        // Its first word may be a service, as on the command line.
        let file = source.file.flatMap { Session.isFile($0) ? $0 : nil }
        var request = try session.request(source.project.loadRequest(file), scale: scale)
        (request.services, request.includesDependencies) = ([service], false)
        return try session.context.load(request)
      }.run()
    }
    if !attach.isEmpty { try session.follow(loaded.name, shown, logs) }
  }

  private var logOptions: LogsCommand.Options {
    var options = LogsCommand.Options()
    options.follows = true
    // Earlier output of services is for `logs`, as with Compose.
    options.earliest = .now
    options.isTerminal = isatty(STDOUT_FILENO) == 1
    options.isColored = !noColor && Terminal.showsColour(STDOUT_FILENO)
    (options.showsPrefix, options.showsTime) = (!noLogPrefix, timestamps)
    return options
  }

  /// The instances whose logs are followed; all of the stack's when empty.
  private func followed(_ loaded: LoadedStack, _ desired: DesiredStack?) throws -> [String] {
    let all = desired?.services ?? []
    let named = attach.filter { $0 != Self.everyService }
    func isNamed(_ service: DesiredService) -> Bool {
      named.isEmpty ? loaded.isAbout(service.service) : named.contains(service.service) || named.contains(service.name)
    }
    let needed = attachDependencies ? loaded.dependencies(of: Set(all.filter(isNamed).map(\.service))) : []
    let meant = all.filter { service in
      !noAttach.contains(service.service) && !noAttach.contains(service.name)
        && (isNamed(service) || needed.contains(service.service))
    }
    guard !meant.isEmpty || all.isEmpty else {
      throw ValidationError("--no-attach: no service is left whose logs could be followed")
    }
    return meant.count == all.count ? [] : meant.map(\.name)
  }

  /// The value of a bare `--attach`.
  static let everyService = "*"

  /// The words with what Compose's users leave out: `--attach` alone is about all services.
  static func spelledOut(_ words: [String]) -> [String] {
    words.enumerated().map { index, word in
      let next = index + 1 < words.count ? words[index + 1] : nil
      return word == "--attach" && next.map { $0.hasPrefix("-") || Session.isFile($0) } ?? true
        ? "--attach=\(everyService)" : word
    }
  }
}
