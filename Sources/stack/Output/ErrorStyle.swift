import ArgumentParser
import Glibc
import Kernel
import Orchestrator
import Vocabulary

/// The exit statuses of this program's own.
enum Status {
  /// A mistake in the command line, or in a file.
  static let usage = ExitCode(2)
  /// Ctrl-C.
  static let cancelled = ExitCode(130)
}

/// The form of errors: for people, or one JSON object a line where the output was asked for as JSON.
enum ErrorStyle {
  case text, json

  /// That of commands without a choice of their own: what `--progress` before the command says.
  static var usual: ErrorStyle { getenv("COMPOSE_PROGRESS").map { String(cString: $0) } == "json" ? .json : .text }

  func show(_ text: String) {
    guard self == .json else { return standardError("error: ", text) }
    let plain = text.hasPrefix("error: ") ? String(text.dropFirst("error: ".count)) : text
    standardError("", ErrorMessage(message: plain).jsonLine)
  }
}
