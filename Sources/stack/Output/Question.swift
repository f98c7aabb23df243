import ArgumentParser
import Glibc
import Orchestrator

/// Asks a person at a terminal before something is lost.
struct Question {
  private let context: CommandContext

  init(_ context: CommandContext) { self.context = context }

  /// Asks, where there is a terminal to ask at.
  ///
  /// - Parameter flag: the option that has to say so where there is none. Without, nobody has to.
  /// - Throws: the exit status, unless the answer is yes.
  func confirm(_ text: String, or flag: String? = nil) throws {
    guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
      guard let flag else { return }
      throw Session.failure("\(text)\n  without a terminal, nobody is asked; to do it: \(flag)")
    }
    writeError("\(text) Go on? [y/N] ")
    guard let answer = context.readLine() else {
      writeError("\n")
      throw Session.failure("nothing is removed", Status.cancelled)
    }
    guard ["y", "yes"].contains(answer.lowercased()) else { throw Session.failure("nothing is removed") }
  }
}
