import ArgumentParser
import Orchestrator

/// The letters of options that Compose gives another meaning in a command: `logs -f` follows, and `kill -s` names a signal.
protocol ProjectLetters {
  static var file: NameSpecification { get }
  static var stack: NameSpecification { get }
  static var name: NameSpecification { get }
}

extension ProjectLetters {
  static var file: NameSpecification { [.customShort("f"), .customLong("file")] }
  static var stack: NameSpecification { [.customShort("s"), .customLong("stack")] }
  static var name: NameSpecification { [.customShort("p"), .customLong("project-name"), .customLong("project")] }
}

/// The letters of most commands.
enum UsualLetters: ProjectLetters {}

/// Those of `logs` and `version`, whose -f is another.
enum LettersWithoutFile: ProjectLetters {
  static var file: NameSpecification { .customLong("file") }
}

/// Those of `kill`, whose -s is the signal.
enum LettersWithoutStack: ProjectLetters {
  static var stack: NameSpecification { .customLong("stack") }
}

/// Those of `rm`, with -f for force and -s for stop.
enum LettersOfRemoval: ProjectLetters {
  static var file: NameSpecification { .customLong("file") }
  static var stack: NameSpecification { .customLong("stack") }
}

/// Those of `run`, whose -p publishes a port.
enum LettersWithoutName: ProjectLetters {
  static var name: NameSpecification { [.customLong("project-name"), .customLong("project")] }
}

/// The options that say which stack a command is about. Before the command, all of their letters are free.
struct LetteredProjectOptions<Letters: ProjectLetters>: ParsableArguments {
  @Option(
    name: Letters.file,
    help: ArgumentHelp(
      "A stack file, or - for standard input. Later files override earlier ones. Default: the file of this folder.",
      valueName: "file"),
    completion: .file(extensions: ["stack", "yaml", "yml"]))
  var files: [String] = []
  @Option(
    name: Letters.stack,
    help: ArgumentHelp(
      "The stack, by its name. Default: that of this folder's file; where there is none, the only one that is up.",
      valueName: "name"),
    completion: Completions.stacks)
  var stack: String?
  @Option(
    name: Letters.name,
    help: ArgumentHelp("The name of the stack. Default: COMPOSE_PROJECT_NAME, or else the file's.", valueName: "name"),
    completion: Completions.stacks)
  var name: String?
  @Option(
    help: ArgumentHelp("A profile whose services run too. Default: COMPOSE_PROFILES.", valueName: "name"),
    completion: Completions.profiles)
  var profile: [String] = []
  @Option(
    name: .customLong("env-file"),
    help: ArgumentHelp("A file of variables, in place of .env. Default: COMPOSE_ENV_FILES.", valueName: "file"),
    completion: .file())
  var environmentFiles: [String] = []
  @Option(
    name: .customLong("project-directory"),
    help: ArgumentHelp("The folder that relative paths start from. Default: the first file's.", valueName: "folder"),
    completion: .directory)
  var folder: String?

  var project: ProjectRequest {
    ProjectRequest(
      files: files, name: name ?? stack, profiles: profile, environmentFiles: environmentFiles, folder: folder)
  }
}

typealias ProjectOptions = LetteredProjectOptions<UsualLetters>

/// The stack that a command line means: values of ``LetteredProjectOptions``.
struct ProjectRequest {
  var files: [String] = []
  /// Nil for what the files say.
  var name: String?
  var profiles: [String] = []
  var environmentFiles: [String] = []
  var folder: String?

  /// The files to read, with one that a command takes without an option.
  func loadRequest(_ file: String? = nil) -> LoadRequest {
    var request = LoadRequest(paths: [file].compactMap(\.self) + files)
    request.name = name
    request.profiles = profiles
    return request
  }

  /// The stack that is named, by an option or by the environment; nil where a folder's file says it.
  var givenName: String? { name ?? Caller.projectName }
}
