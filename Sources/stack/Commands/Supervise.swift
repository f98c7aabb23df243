import ArgumentParser
import Orchestrator

/// What `up` starts for a stack: not for people to type.
struct Supervise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "supervise", abstract: "Supervise a stack.", shouldDisplay: false)

  @Argument var stack: String

  func run() throws {
    try StackCommands.supervise(stack, initProgram: InitProgram.find())
  }
}
