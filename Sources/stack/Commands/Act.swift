import ArgumentParser
import Host
import Intent
import Orchestrator

/// The services that commands such as `start` and `stop` are about.
struct ServiceOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Services, such as web1 or web/web1. With replicas: all of them, or one, such as web-2. Default: all of the stack.",
      valueName: "service"),
    completion: Completions.services)
  var services: [String] = []
}

struct Start: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "start", abstract: "Start services that are stopped.")

  @OptionGroup var target: ServiceOptions
  @OptionGroup var options: ProjectOptions
  @Flag(help: "Wait until services with an image are healthy, too, where they have a health check.")
  var wait = false
  @Option(
    help: ArgumentHelp("Seconds until a service must be ready. Default: as for `up`.", valueName: "seconds"))
  var waitTimeout: Double?
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.act(
      .start, on: target.services, in: options.project, readyTimeout: waitTimeout, waitsForHealth: wait,
      progress: progress)
  }
}

struct Stop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Stop services, and keep their networks, files and logs.")

  @OptionGroup var target: ServiceOptions
  @OptionGroup var options: ProjectOptions
  @Option(
    name: [.customShort("t", allowingJoined: true), .long],
    help: ArgumentHelp("Seconds to wait before SIGKILL.", valueName: "seconds"))
  var timeout: Double?
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.act(.stop, on: target.services, in: options.project, timeout: timeout, progress: progress)
  }
}

struct Restart: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restart", abstract: "Stop services and start them again.")

  @OptionGroup var target: ServiceOptions
  @OptionGroup var options: ProjectOptions
  @Option(
    name: [.customShort("t", allowingJoined: true), .long],
    help: ArgumentHelp("Seconds to wait before SIGKILL.", valueName: "seconds"))
  var timeout: Double?
  @Flag(help: "Leave alone what is to be restarted with these services (`restart: true` of depends_on).")
  var noDeps = false
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.act(
      .restart, on: target.services, in: options.project, timeout: timeout, withFollowers: !noDeps,
      progress: progress)
  }
}

struct Kill: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kill", abstract: "Send a signal to services. Default: SIGKILL.")

  @OptionGroup var target: ServiceOptions
  @OptionGroup var options: LetteredProjectOptions<LettersWithoutStack>
  @Option(name: [.customShort("s"), .customShort("S"), .long], help: "The signal's name or number.")
  var signal = "SIGKILL"
  @Flag(help: "Accepted for compatibility with Compose. `up` has removed orphans already.")
  var removeOrphans = false
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    guard let number = ActCommand.signalNumber(signal) else {
      throw ValidationError("there is no signal \(signal)")
    }
    try Session.act(.kill(signal: number), on: target.services, in: options.project, progress: progress)
  }
}
