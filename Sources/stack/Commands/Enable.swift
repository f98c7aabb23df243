import ArgumentParser
import Orchestrator

struct Enable: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable", abstract: "Bring a stack up whenever this host starts.",
    discussion: """
      stack enable shop.stack          as the systemd unit stack-shop.service
      stack enable                     the stack of this folder's file
      systemctl status stack-shop      what came of it at the last start

      The stack is brought up after the network is online. What its services do
      then is theirs: `restart: always` and `unless-stopped` hold as ever.
      """)

  @OptionGroup var source: SourceOptions
  @Flag(help: "Bring it up now, too.")
  var now = false
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.run(needsRoot: true) { session in
      let session = try session.taking(source.project)
      let loaded = try session.load(source.request)
      let unit = try BootCommand(session.context).enable(loaded, source.request)
      if now { try session.bringUp(loaded, UpCommand.Options(), progress) }
      print("stack \(loaded.name) comes up with the host: \(unit)")
    }
  }
}

struct Disable: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disable", abstract: "Do not bring a stack up any more when this host starts.",
    discussion: "What runs goes on: to take it down, stack down.")

  @Argument(
    help: ArgumentHelp("A stack, or its file. Default: the stack of this folder's file.", valueName: "name"),
    completion: Completions.stacks)
  var word: String?
  @OptionGroup var options: ProjectOptions

  func run() throws {
    try Session.run(needsRoot: true, in: options.project) { session in
      let name = try nameOfStack(session)
      let unit = try BootCommand(session.context).disable(name)
      print("stack \(name) stays down when the host starts: \(unit) is gone")
    }
  }

  private func nameOfStack(_ session: Session) throws -> String {
    guard let word else { return try DownCommand(session.context).stack(session.stack) }
    return Session.isFile(word) ? try session.context.load(LoadRequest(paths: [word])).name : word
  }
}
