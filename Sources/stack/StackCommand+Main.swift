import ArgumentParser
import Glibc
import StackFiles

extension StackCommand {
  /// Reads the command line and does what it says. What cannot be understood ends the program with status 1, as everything
  /// that fails does, but for commands whose 1 is an answer.
  static func main() {
    Caller.fillStandardDescriptors()
    let words = Array(CommandLine.arguments.dropFirst())
    // The parser looks at all commands to find out that none is meant, which is half of the time that this takes.
    guard words != ["--version"] else { return print(Version.text) }
    let status = Verdict.commands.contains(words.first ?? "") ? Verdict.unasked : ExitCode.failure
    do {
      var command = try plainCommand(words) ?? command(of: words)
      do {
        try command.run()
      } catch let error as ValidationError {
        fail(message(about: error, of: type(of: command)), status)
      }
    } catch let status as ExitCode {
      // The library would first look for a message.
      Glibc.exit(status.rawValue)
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      fail(message(about: error), status)
    }
  }

  private static func fail(_ text: String, _ status: ExitCode = .failure) -> Never {
    standardError("error: ", text)
    Glibc.exit(status.rawValue)
  }

  /// The commands that are typed most, or that `stack` starts itself, in their common forms.
  static func plainCommand(_ words: [String]) -> (any ParsableCommand)? {
    let rest = words.dropFirst()
    return switch words.first {
    case "exec": Exec.plain(rest)
    case "up": Up.plain(rest)
    case "down": Down.plain(rest)
    case "ps": Ps.plain(rest)
    case "supervise": Supervise.plain(rest)
    default: nil
    }
  }

  /// A command is parsed as if there were no others. The parser would ask the runtime about each of them at every
  /// start, and each answer takes a walk past all conformances. For anything but a proper command, the whole is parsed,
  /// since its messages name the whole.
  private static func command(of words: [String]) throws -> any ParsableCommand {
    let named = configuration.subcommands.first { $0.configuration.commandName == words.first }
    if let named, let command = try? named.parseAsRoot(Array(words.dropFirst())), type(of: command) == named {
      return command
    }
    if named == nil, let unknown = unknownCommand(words) { fail(unknown) }
    return try parseAsRoot(words)
  }

  /// The message about a first word, or one after `help`, that is no command; nil when it is one.
  private static func unknownCommand(_ words: [String]) -> String? {
    let names = configuration.subcommands.compactMap { $0.configuration.commandName }
    let word = words.first == "help" ? words.dropFirst().first : words.first
    guard let word, !word.hasPrefix("-"), !names.contains(word), word != "help" else { return nil }
    let question = Suggestion.question(about: word, among: names)
    return "stack has no command \"\(word)\"\(question.isEmpty ? "" : ": \(question)")\n  for all of them: stack --help"
  }

  /// The message about wrong arguments that a command found as it ran, in the form of the parser's.
  private static func message(about error: ValidationError, of command: any ParsableCommand.Type) -> String {
    let name = "stack \(command.configuration.commandName ?? "")"
    return "\(error.message)\nUsage: \(usageString(for: command))\n  See '\(name) --help' for more information."
  }

  /// The parser's own words, begun as all errors are.
  private static func message(about error: any Error) -> String {
    let text = fullMessage(for: error)
    return String(text.trimmingPrefix("Error: "))
  }
}
