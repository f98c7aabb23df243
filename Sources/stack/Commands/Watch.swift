import ArgumentParser
import Glibc
import Kernel
import Orchestrator

struct Watch: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "watch", abstract: "Bring changes of the host's files into services, as `develop: watch:` says.",
    discussion: """
      Runs until Ctrl-C. Brings the stack up first, unless --no-up is given.
      sync copies files into the service, sync+restart restarts it then.
      rebuild builds the service's image again and makes the service anew.
      """)

  @OptionGroup var options: ProjectOptions
  @Argument(
    help: ArgumentHelp("Services. Default: all that have something to watch.", valueName: "service"),
    completion: Completions.services)
  var services: [String] = []
  @Flag(help: "Do not bring the stack up first.")
  var noUp = false
  @Flag(inversion: .prefixedNo, help: "Accepted for compatibility with Compose. Nothing is left over to prune.")
  var prune = true
  @Flag(help: "Say nothing of how services come up.")
  var quiet = false
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.run(needsRoot: true, errors: progress.errorStyle) { session in
      let session = try session.taking(options.project)
      let loaded = try session.load(options.project.loadRequest())
      for name in services where !loaded.serviceNames.contains(name) {
        throw ValidationError("there is no service \(name)")
      }
      try WatchCommand(session.context).confirmRules(of: loaded, services: services)
      if !noUp {
        try session.bringUp(loaded, builds: nil, progress, isQuiet: quiet)
      }
      let request = options.project.loadRequest()
      try WatchLoop(session, loaded, services, progress) { service in
        var request = request
        (request.services, request.includesDependencies) = ([service], false)
        return try session.context.load(request)
      }.run()
    }
  }
}

/// Watching, until Ctrl-C.
struct WatchLoop {
  private let session: Session
  private let loaded: LoadedStack
  private let services: [String]
  private let progress: ProgressOptions
  /// Reads the file again, for one service.
  private let reload: (String) throws -> LoadedStack

  init(
    _ session: Session, _ loaded: LoadedStack, _ services: [String] = [], _ progress: ProgressOptions,
    reload: @escaping (String) throws -> LoadedStack
  ) {
    (self.session, self.loaded, self.services) = (session, loaded, services)
    (self.progress, self.reload) = (progress, reload)
  }

  func run() throws {
    try WatchCommand(session.context).run(loaded, services: services, rebuild: rebuild) { say($0) }
  }

  private func say(_ line: String) {
    print(VisibleText.lines(line))
    fflush(nil)
  }

  /// Builds a service's image and makes the service anew. What fails is said: the next change may mend it.
  private func rebuild(_ service: String) {
    do {
      try session.bringUp(try reload(service), builds: true, progress, isQuiet: false)
      say("\(service): runs from what was built")
    } catch let error as FileDiagnostics {
      say("\(service): not built\n\(error.rendered(isColored: false))")
    } catch let error as ExitCode {
      // Ctrl-C ends the watching, too.
      if error.rawValue != 130 { say("\(service): not made anew") }
    } catch {
      say("\(service): not built: \(error)")
    }
  }
}

extension Session {
  /// Brings a stack up for `watch`, with builds shown as `up` shows them.
  fileprivate func bringUp(
    _ loaded: LoadedStack, builds: Bool?, _ progress: ProgressOptions, isQuiet: Bool
  ) throws {
    let style = isQuiet ? .quiet : BuildPrinter.style(progress.progress)
    let builder = BuildPrinter(style, namesImages: loaded.buildCount > 1)
    defer { builder.end() }
    var options = UpCommand.Options()
    options.builds = builds
    (options.buildReport, options.whileBuilding) = ({ builder.show($0) }, { builder.tick() })
    let up = options
    try finish(ProgressPrinter(progress, stack: loaded.name, isQuiet: isQuiet)) { report in
      try UpCommand(context).run(loaded, up, report: report)
    }
  }
}
