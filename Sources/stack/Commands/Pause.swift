import ArgumentParser
import Orchestrator

struct Pause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pause",
    abstract: "Have services stand still, with all that they have in memory and all their connections.")

  @OptionGroup var target: ServiceOptions
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.act(.pause, on: target, progress: progress)
  }
}

struct Unpause: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpause", abstract: "Let services that stand still go on.")

  @OptionGroup var target: ServiceOptions
  @OptionGroup var progress: ProgressOptions

  func run() throws {
    try Session.act(.unpause, on: target, progress: progress)
  }
}
