import Kernel

/// A refusal or a failure: the subject, the cause, and what to do now.
///
///     error: web/web1: cannot publish 0.0.0.0:8081: in use by nginx (pid 412)
///       choose another host port in web.stack:9, or stop that process
package struct StackError: Error, Codable, Hashable, Sendable {
  /// The stack or service that it happened to: `web/web1`; nil where it concerns no single one.
  var subject: String?
  var message: String
  /// Advice to the reader, as a sentence without its full stop.
  package var remedy: String?
  /// The service whose log tells more, as `web/web1`. A log goes with its stack, and so does this advice.
  package var logsOf: String?
  /// The last lines that the service at fault wrote.
  package var logLines: [String] = []
  /// The last lines of its last health check, if that was at fault.
  package var probeLines: [String] = []

  package init(_ subject: String?, _ message: String, remedy: String? = nil) {
    self.subject = subject
    self.message = message
    self.remedy = remedy
  }

  package init(_ subject: String?, _ error: KernelError) {
    var plain = error
    plain.remedy = nil
    self.init(subject, "\(plain)", remedy: error.remedy)
  }
}

extension StackError: CustomStringConvertible {
  package var description: String {
    let prefix = subject.map { "\($0): " } ?? ""
    let advice = [remedy, logsOf.map { "see what it wrote: stack logs \($0)" }].compactMap(\.self)
      .map { "\n  \($0)" }.joined()
    let probe = Self.quoted(probeLines, "its last health check said:")
    return "\(prefix)\(message)\(advice)\(probe)\(Self.quoted(logLines, "its last words:"))"
  }

  private static func quoted(_ lines: [String], _ heading: String) -> String {
    lines.isEmpty ? "" : "\n  \(heading)\n" + lines.map { "    \($0)" }.joined(separator: "\n")
  }
}

/// All causes of a failure, and not only the first.
package struct StackErrors: Error, Hashable, Sendable, CustomStringConvertible {
  var errors: [StackError]
  /// True if the command line is wrong, and nothing was tried.
  package private(set) var areMistakes = false

  package init(_ errors: [StackError]) {
    self.errors = errors
  }

  /// A value on the command line that cannot be meant.
  package init(mistake message: String, remedy: String? = nil) {
    self.init([StackError(nil, message, remedy: remedy)])
    areMistakes = true
  }

  package var description: String { errors.map { "error: \($0)" }.joined(separator: "\n") }
}
