import ArgumentParser
import Orchestrator

struct Pause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Freeze the processes of services. Memory and connections stay.")

  @OptionGroup var target: ServiceOptions
  @OptionGroup var options: ProjectOptions
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.act(.pause, on: target.services, in: options.project, progress: progress)
  }
}

struct Unpause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpause", abstract: "Resume services that are paused.")

  @OptionGroup var target: ServiceOptions
  @OptionGroup var options: ProjectOptions
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.act(.unpause, on: target.services, in: options.project, progress: progress)
  }
}
