import ArgumentParser
import Orchestrator

/// The command that `up` starts for a stack: not for people to type.
struct Supervise: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "supervise", abstract: "Supervise a stack.", shouldDisplay: false)

  @Argument var stack: String
  /// The path of stack-init, from the command that starts the supervisor. A supervisor is executed from a mount on
  /// which its own path may be another.
  @Argument var initProgram: String?

  func run() throws {
    try SuperviseCommand.run(stack, initProgram: initProgram)
  }
}
