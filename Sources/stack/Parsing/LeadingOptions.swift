import Glibc
import StackFiles

/// Options before the command, as Compose has them: `stack -p shop -f x.yaml logs -f`.
///
/// Those that say which stack is meant become long options of the command. There each letter may mean something else.
struct LeadingOptions {
  struct Mistake: Error {
    var text: String
  }

  /// The command with its words.
  let words: [String]

  /// An option before the command, and what becomes of it.
  struct Known {
    enum Effect {
      /// Becomes this option of the command.
      case passed(String)
      /// Becomes this variable of the environment, with one of these values.
      case variable(String, [String])
      /// Becomes this flag of the command.
      case flag(String)
      /// A number that means nothing here.
      case number
      /// Means nothing here.
      case ignored
    }

    let names: [String]
    let effect: Effect

    var takesValue: Bool {
      switch effect {
      case .passed, .variable, .number: true
      case .flag, .ignored: false
      }
    }
  }

  static let known: [Known] = [
    Known(names: ["-f", "--file"], effect: .passed("--file")),
    Known(names: ["-p", "--project-name", "--project"], effect: .passed("--project-name")),
    Known(names: ["-s", "--stack"], effect: .passed("--stack")),
    Known(names: ["--profile"], effect: .passed("--profile")),
    Known(names: ["--env-file"], effect: .passed("--env-file")),
    Known(names: ["--project-directory", "--workdir"], effect: .passed("--project-directory")),
    Known(names: ["--ansi"], effect: .variable("COMPOSE_ANSI", ["auto", "never", "always"])),
    Known(names: ["--progress"], effect: .variable("COMPOSE_PROGRESS", ["auto", "tty", "plain", "json", "quiet"])),
    Known(names: ["--dry-run"], effect: .flag("--dry-run")),
    Known(names: ["--parallel"], effect: .number),
    Known(
      names: ["--compatibility", "--verbose", "--all-resources", "--no-ansi"], effect: .ignored),
  ]

  /// Commands that are about no stack: what says which one is dropped, as Compose drops it.
  static let commandsWithoutProject: Set<String> = [
    "version", "doctor", "explain", "licenses", "images", "image", "load", "save", "tag", "login", "logout", "ls",
    "supervise", "unpack", "help", "volume", "network", "system", "builder", "__complete", "registry",
  ]
  private static let dryRunCommands: Set<String> = ["up", "create"]
  /// Commands of which some forms have a word more.
  private static let forms: [String: Set<String>] = ["export": ["kubernetes", "swarm", "files"], "build": ["prune"]]
  private static let formsWithoutProject: Set<String> = ["build prune"]

  init(_ typed: [String]) throws(Mistake) {
    var rest = typed[...]
    var passed: [String] = []
    var flags: [String] = []
    while let word = rest.first, word.hasPrefix("-"), word != "-" {
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let option = Self.known.first(where: { $0.names.contains(parts[0]) }) else {
        // Help and version are the library's.
        if ["-h", "--help", "--version", "-v"].contains(word) || word.hasPrefix("--generate") || word.hasPrefix("---") {
          break
        }
        throw Self.unknown(parts[0])
      }
      rest.removeFirst()
      guard option.takesValue else {
        if case .flag(let name) = option.effect { flags.append(name) }
        continue
      }
      guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
        throw Mistake(text: "\(parts[0]) needs a value\n  for all options: stack --help")
      }
      switch option.effect {
      case .passed(let name): passed += ["\(name)=\(value)"]
      case .variable(let name, let values):
        guard values.contains(value) else {
          throw Mistake(text: "\(parts[0]) is one of \(values.joined(separator: ", ")), not \(value)")
        }
        setenv(name, value, 1)
      case .number:
        guard Int(value) != nil else { throw Mistake(text: "\(parts[0]) takes a number, not \(value)") }
      case .flag, .ignored: break
      }
    }
    guard let command = rest.first, !command.hasPrefix("-") else {
      words = Array(rest)
      return
    }
    let form = rest.dropFirst().first.flatMap { word in Self.forms[command]?.contains(word) == true ? word : nil }
    let name = [command] + (form.map { [$0] } ?? [])
    let takesProject =
      !Self.commandsWithoutProject.contains(command)
      && !Self.formsWithoutProject.contains(name.joined(separator: " "))
    guard flags.isEmpty || Self.dryRunCommands.contains(command) else {
      throw Mistake(text: "--dry-run goes with up and create alone\n  what up would do: stack up --dry-run")
    }
    words = name + (takesProject ? passed : []) + flags + rest.dropFirst(name.count)
  }

  private static func unknown(_ word: String) -> Mistake {
    let names = known.flatMap(\.names) + ["--help", "--version"]
    let near = Suggestion.nearest(to: word, among: names)
    let question = near.count <= 5 ? ": did you mean \(near.joined(separator: " or "))?" : ""
    return Mistake(
      text:
        "there is no option \(word) before a command\(question)\n  options of a command stand after it: stack up --help"
    )
  }
}
