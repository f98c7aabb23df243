import ArgumentParser
import Orchestrator

/// Which file a command is about, and how it is read.
struct SourceOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "The stack file. Without it: the one *.stack here, or compose.yaml.", valueName: "file"),
    completion: .file(extensions: ["stack", "yaml", "yml"]))
  var file: String?
  @Option(
    name: [.customShort("f"), .customLong("file")],
    help: ArgumentHelp("A stack file; later ones are merged over earlier ones.", valueName: "file"),
    completion: .file(extensions: ["stack", "yaml", "yml"]))
  var files: [String] = []
  @Option(
    name: [.customShort("p"), .customLong("project")], help: ArgumentHelp("The stack's name.", valueName: "name"))
  var name: String?
  @Option(help: ArgumentHelp("A profile whose services are to run too.", valueName: "name"))
  var profile: [String] = []

  var request: LoadRequest {
    var request = LoadRequest(paths: files + [file].compactMap(\.self))
    request.name = name
    request.profiles = profile
    return request
  }
}

/// How progress is shown.
struct ProgressOptions: ParsableArguments {
  enum Style: String, ExpressibleByArgument, CaseIterable { case auto, tty, plain, json, quiet }

  @Option(help: "How progress is shown: auto, tty, plain, json, quiet.")
  var progress = Style.auto
}

/// A stack that is up.
struct StackOptions: ParsableArguments {
  @Option(name: [.short, .long], help: ArgumentHelp("The stack, when more than one is up.", valueName: "name"))
  var stack: String?
}
