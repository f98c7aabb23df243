import ArgumentParser
import Glibc
import StackFiles

extension StackCommand {
  /// Reads the command line and does what it says. What cannot be understood ends the program with status 2. What fails
  /// ends it with 1, but for commands whose 1 is an answer.
  static func main() {
    Caller.fillStandardDescriptors()
    // Whoever has read enough ends no operation.
    signal(SIGPIPE, SIG_IGN)
    let typed = Array(CommandLine.arguments.dropFirst())
    // The parser looks at all commands to find out that none is meant, which is half of the time that this takes.
    guard typed != ["--version"], typed != ["-v"] else { return print(Version.text) }
    if let script = CompletionScript(typed) { return print(script.text) }
    var given: [String] = []
    do {
      given = try LeadingOptions(typed).words
      // Compose's other name for it.
      if given.first == "convert" { given[0] = "config" }
      let words = given.first == "up" ? Up.spelledOut(given) : given
      var command = try plainCommand(words) ?? command(of: words)
      do {
        try command.run()
      } catch let error as ValidationError {
        fail(message(about: error, of: type(of: command)))
      }
      Glibc.exit(StandardOutput.status(after: 0))
    } catch let status as ExitCode {
      // The library would first look for a message.
      Glibc.exit(StandardOutput.status(after: status.rawValue))
    } catch let error as LeadingOptions.Mistake {
      fail(error.text)
    } catch {
      guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
      fail(AbsentOption.refusal(in: given) ?? message(about: error))
    }
  }

  private static func fail(_ text: String, _ status: ExitCode = Status.usage) -> Never {
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
    case "__complete": Complete.plain(rest)
    default: nil
    }
  }

  /// A command is parsed as if there were no others. The parser would ask the runtime about each of them at every
  /// start, and each answer takes a walk past all conformances. For anything but a proper command, the whole is parsed,
  /// since its messages name the whole.
  private static func command(of words: [String]) throws -> any ParsableCommand {
    let named = configuration.subcommands.first {
      $0.configuration.commandName == words.first || words.first.map($0.configuration.aliases.contains) ?? false
    }
    if let named, let command = try? named.parseAsRoot(Array(words.dropFirst())), type(of: command) == named {
      return command
    }
    if let unknown = named.map({ unknownPart(words, of: $0) }) ?? unknownCommand(words) { fail(unknown) }
    return try parseAsRoot(words)
  }

  /// The message about a first word, one after `help`, or one of a command's own commands, that is no command. Nil when
  /// it is one.
  private static func unknownCommand(_ words: [String]) -> String? {
    let names = configuration.subcommands.flatMap { [$0.configuration.commandName ?? ""] + $0.configuration.aliases }
    let word = words.first == "help" ? words.dropFirst().first : words.first
    guard let word, !word.hasPrefix("-"), !names.contains(word), word != "help" else { return nil }
    if let refusal = AbsentCommand.refusal(of: word) { return refusal }
    return unknown(word, of: "stack", among: names)
  }

  /// The same about the word after a command that does nothing by itself, such as `image`.
  private static func unknownPart(_ words: [String], of command: any ParsableCommand.Type) -> String? {
    let configuration = command.configuration
    let names = configuration.subcommands.flatMap { [$0.configuration.commandName ?? ""] + $0.configuration.aliases }
    guard !names.isEmpty, configuration.defaultSubcommand == nil, let word = words.dropFirst().first,
      !word.hasPrefix("-"), !names.contains(word), word != "help"
    else { return nil }
    return unknown(word, of: "stack \(words[0])", among: names)
  }

  private static func unknown(_ word: String, of command: String, among names: [String]) -> String {
    let near = Suggestion.nearest(to: word, among: names.filter { !$0.hasPrefix("__") }.sorted())
    let question = near.count <= 5 ? ": did you mean \(near.map { "\"\($0)\"" }.joined(separator: " or "))?" : ""
    return "\(command) has no command \"\(word)\"\(question)\n  for all of them: \(command) --help"
  }

  /// The message about wrong arguments that a command found as it ran, in the form of the parser's.
  private static func message(about error: ValidationError, of command: any ParsableCommand.Type) -> String {
    let name = "stack \(command.configuration.commandName ?? "")"
    return "\(error.message)\nUsage: \(usageString(for: command))\n  See '\(name) --help' for more information."
  }

  /// The parser's own words, begun as all errors are.
  private static func message(about error: any Error) -> String {
    let text = fullMessage(for: error)
    // The command that a name without one stands for is typed by nobody.
    return String(text.trimmingPrefix("Error: ")).replacing("stack build make", with: "stack build")
      .replacing("stack export files", with: "stack export")
  }
}
