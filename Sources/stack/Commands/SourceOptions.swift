import ArgumentParser
import Glibc
import Orchestrator

/// Options for the stack files that a command reads.
struct SourceOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "The stack file. Without it: those of COMPOSE_FILE, or the one *.stack here, or compose.yaml with "
        + "compose.override.yaml over it, here or in the nearest folder above that has one. What others may have written "
        + "has to be named.",
      valueName: "file"),
    completion: Completions.sources)
  var file: String?
  @OptionGroup var options: ProjectOptions

  var project: ProjectRequest { options.project }
  var request: LoadRequest { project.loadRequest(file) }
}

/// Options for the output of progress.
struct ProgressOptions: ParsableArguments {
  enum Style: String, ExpressibleByArgument, CaseIterable { case auto, tty, plain, json, quiet }

  @Option(help: "Style of progress messages.")
  var progress = Style.auto

  /// The style: the command's own, or else that before the command (COMPOSE_PROGRESS).
  var style: Style {
    guard progress == .auto, let text = getenv("COMPOSE_PROGRESS") else { return progress }
    return Style(rawValue: String(cString: text)) ?? .auto
  }

  var errorStyle: ErrorStyle { style == .json ? .json : .text }

  /// True if the table of services follows.
  var showsTable: Bool { style != .quiet && style != .json }
}
