import ArgumentParser
import Glibc
import Orchestrator

extension StackCommand {
  /// Reads the command line and does what it says. What cannot be understood ends the program with status 1, as everything
  /// that fails does.
  static func main() {
    Caller.fillStandardDescriptors()
    do {
      var command = try command(of: Array(CommandLine.arguments.dropFirst()))
      try command.run()
    } catch {
      // A command that `exec` runs may well end with the parser's number for what it cannot understand.
      guard !(error is ExitCode), exitCode(for: error) == .validationFailure else { exit(withError: error) }
      standardError("error: ", unknownCommand() ?? message(about: error))
      Glibc.exit(ExitCode.failure.rawValue)
    }
  }

  /// A command is parsed as if there were no others: the parser would ask the runtime about each of them at every start, and an
  /// answer takes a walk past all conformances that there are. What comes of anything but a proper command is for the whole
  /// to say, whose words name the whole.
  private static func command(of words: [String]) throws -> any ParsableCommand {
    let named = configuration.subcommands.first { $0.configuration.commandName == words.first }
    if let named, let command = try? named.parseAsRoot(Array(words.dropFirst())), type(of: command) == named {
      return command
    }
    return try parseAsRoot(words)
  }

  /// What to say of a first word that is no command; nil when it is one.
  private static func unknownCommand() -> String? {
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    guard let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), !names.contains(word) else {
      return nil
    }
    let question = Suggestion.question(about: word, among: names)
    return "stack has no command \"\(word)\"\(question.isEmpty ? "" : ": \(question)")\n  for all of them: stack --help"
  }

  /// The parser's own words, begun as all errors are.
  private static func message(about error: any Error) -> String {
    let text = fullMessage(for: error)
    return String(text.trimmingPrefix("Error: "))
  }
}
