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
      let session = session.taking(options.project)
      let loaded = try session.load(options.project.loadRequest())
      for name in services where !loaded.serviceNames.contains(name) {
        throw ValidationError("there is no service \(name)")
      }
      try WatchCommand(session.context).confirmRules(of: loaded, services: services)
      if !noUp {
        let printer = ProgressPrinter(progress, stack: loaded.name, isQuiet: quiet)
        try session.finish(printer) { report in
          try UpCommand(session.context).run(loaded, UpCommand.Options(), report: report)
        }
      }
      try WatchLoop(session, loaded, services).run()
    }
  }
}

/// Watching, until Ctrl-C.
struct WatchLoop {
  private let session: Session
  private let loaded: LoadedStack
  private let services: [String]

  init(_ session: Session, _ loaded: LoadedStack, _ services: [String] = []) {
    (self.session, self.loaded, self.services) = (session, loaded, services)
  }

  func run() throws {
    try WatchCommand(session.context).run(loaded, services: services) { line in
      print(VisibleText.lines(line))
      fflush(nil)
    }
  }
}
