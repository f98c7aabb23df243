import ArgumentParser
import Orchestrator

/// Options for the stack files that a command reads.
struct SourceOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "The stack file. Without it: those of COMPOSE_FILE, or the one *.stack here, or compose.yaml with "
        + "compose.override.yaml over it, here or in the nearest folder above that has one. What others may have written "
        + "has to be named.",
      valueName: "file"),
    completion: .file(extensions: ["stack", "yaml", "yml"]))
  var file: String?
  @Option(
    name: [.customShort("f"), .customLong("file")],
    help: ArgumentHelp(
      "A stack file, or - for standard input. Later files override earlier ones.", valueName: "file"),
    completion: .file(extensions: ["stack", "yaml", "yml"]))
  var files: [String] = []
  @Option(
    name: [.customShort("p"), .customLong("project")],
    help: ArgumentHelp("The name of the stack. Default: COMPOSE_PROJECT_NAME, or else the file's.", valueName: "name"))
  var name: String?
  @Option(
    help: ArgumentHelp(
      "A profile whose services run too. Default: COMPOSE_PROFILES.", valueName: "name"))
  var profile: [String] = []

  var request: LoadRequest {
    var request = LoadRequest(paths: [file].compactMap(\.self) + files)
    request.name = name
    request.profiles = profile
    return request
  }
}

/// Options for the output of progress.
struct ProgressOptions: ParsableArguments {
  enum Style: String, ExpressibleByArgument, CaseIterable { case auto, tty, plain, json, quiet }

  @Option(help: "Style of progress messages.")
  var progress = Style.auto
}

/// A stack that is up.
struct StackOptions: ParsableArguments {
  @Option(
    name: [.customShort("s"), .customLong("stack")],
    help: ArgumentHelp("The stack. Needed only when several are up. Default: COMPOSE_PROJECT_NAME.", valueName: "name"))
  var named: String?

  var stack: String? { named ?? Caller.projectName }
}
