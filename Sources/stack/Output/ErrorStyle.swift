import ArgumentParser
import Kernel
import Vocabulary
import Orchestrator

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

  func show(_ text: String) {
    guard self == .json else { return standardError("error: ", text) }
    let plain = text.hasPrefix("error: ") ? String(text.dropFirst("error: ".count)) : text
    standardError("", ErrorMessage(message: plain).jsonLine)
  }
}
