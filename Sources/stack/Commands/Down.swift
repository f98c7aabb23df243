import ArgumentParser
import Orchestrator

struct Down: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "down", abstract: "Take a stack down. Only its named volumes stay.")

  @Argument(
    help: ArgumentHelp("The name of the stack, or its file. Default: the only stack that is up.", valueName: "stack"))
  var stack: String?
  @Option(
    name: [.customShort("f"), .customLong("file")],
    help: ArgumentHelp("The stack file.", valueName: "file"), completion: .file())
  var file: String?
  @Option(
    name: [.customShort("p"), .customLong("project")],
    help: ArgumentHelp("The name of the stack. Overrides the file. Default: COMPOSE_PROJECT_NAME.", valueName: "name"))
  var project: String?
  @Flag(name: [.short, .long], help: "Remove its named volumes too.")
  var volumes = false
  @Option(
    name: [.short, .long],
    help: ArgumentHelp(
      "Seconds to wait before SIGKILL, instead of each service's own grace period.", valueName: "seconds"))
  var timeout: Double?
  @Flag(help: "Accepted for compatibility with Compose. `down` always removes orphans.")
  var removeOrphans = false
  @OptionGroup var progress: ProgressOptions

  func validate() throws {
    guard timeout.map({ $0 >= 0 && $0 <= 86400 }) ?? true else {
      throw ValidationError("--timeout is 0 to 86400 seconds")
    }
  }

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let name = try nameOfStack(in: session)
      let printer = ProgressPrinter(progress, stack: name)
      try session.finish(printer) { report in
        try DownCommand(session.context).run(name, removeVolumes: volumes, timeout: timeout, report: report)
      }
      printer.say("stack \(name) is down")
    }
  }

  private func nameOfStack(in session: Session) throws -> String {
    if let project { return try DownCommand(session.context).stack(project, withVolumes: volumes) }
    return try session.stackToTakeDown(stack ?? file ?? Caller.projectName, withVolumes: volumes)
  }
}
