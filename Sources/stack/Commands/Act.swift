import ArgumentParser
import Host
import Intent
import Orchestrator

/// The services that `start`, `stop`, `restart` and `kill` are about.
struct ServiceOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "Services, such as web1 or web/web1. With replicas: all of them, or one, such as web-2. Default: all of the stack.",
      valueName: "service"))
  var services: [String] = []
  @OptionGroup var stack: StackOptions
}

struct Start: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "start", abstract: "Start services that are stopped.")

  @OptionGroup var target: ServiceOptions
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.act(.start, on: target, progress: progress)
  }
}

struct Stop: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Stop services, and keep their networks, files and logs.")

  @OptionGroup var target: ServiceOptions
  @Option(name: [.short, .long], help: ArgumentHelp("Seconds to wait before SIGKILL.", valueName: "seconds"))
  var timeout: Double?
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.act(.stop, on: target, timeout: timeout, progress: progress)
  }
}

struct Restart: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restart", abstract: "Stop services and start them again.")

  @OptionGroup var target: ServiceOptions
  @Option(name: [.short, .long], help: ArgumentHelp("Seconds to wait before SIGKILL.", valueName: "seconds"))
  var timeout: Double?
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.act(.restart, on: target, timeout: timeout, progress: progress)
  }
}

struct Kill: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kill", abstract: "Send a signal to services. Default: SIGKILL.")

  @OptionGroup var target: ServiceOptions
  @Option(name: [.customShort("S"), .long], help: "The signal's name or number.")
  var signal = "SIGKILL"
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    guard let number = ActCommand.signalNumber(signal) else {
      throw ValidationError("there is no signal \(signal)")
    }
    if let name = target.stack.named, ActCommand.signalNumber(name) != nil,
      !StackIndex(folders: StateFolders()).names().contains(name)
    {
      throw Session.failure("no stack named \(name) is up\n  -s names the stack; for the signal write --signal \(name)")
    }
    try Session.act(.kill(signal: number), on: target, progress: progress)
  }
}
