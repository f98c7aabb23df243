/// The meaning of one diagnostic, with a file that has the mistake and the same file mended.
///
/// `stack explain` and docs/diagnostics.md are both made from ``table``. A test reads every example.
package struct DiagnosticExplanation: Sendable {
  /// A file, and the shell commands that make the files beside it or use it.
  package struct Example: Sendable {
    package var commands: [String]
    package var file: String
    /// `web.stack`, `Dockerfile` or `.dockerignore`.
    package var name = "web.stack"
  }

  package var code: DiagnosticCode
  /// One clause, without a capital and without a full stop.
  var meaning: String
  /// The cause and the remedy, in sentences that are wrapped at 100 columns.
  var text: String
  package var wrong: Example
  package var mended: Example

  init(
    _ code: DiagnosticCode, _ meaning: String, _ text: String, wrongBeside: [String] = [], wrong: String,
    mendedBeside: [String] = [], mended: String
  ) {
    self.code = code
    self.meaning = meaning
    self.text = text
    self.wrong = Example(commands: wrongBeside, file: wrong)
    self.mended = Example(commands: mendedBeside, file: mended)
  }

  /// A mistake in a Dockerfile, or in the file of another name.
  init(
    _ code: DiagnosticCode, _ meaning: String, _ text: String, name: String = "Dockerfile",
    using command: String? = nil,
    wrongDockerfile: String, mendedDockerfile: String
  ) {
    self.init(code, meaning, text, wrong: wrongDockerfile, mended: mendedDockerfile)
    let commands = command.map { [$0] } ?? []
    wrong = Example(commands: commands, file: wrongDockerfile, name: name)
    mended = Example(commands: commands, file: mendedDockerfile, name: name)
  }

  /// One entry for each code, in the order of the codes' numbers.
  package static let table: [DiagnosticExplanation] =
    documents + keys + references + values + addresses + conflicts + rules + interfaces + ipv6 + names + conditions
    + users + limits + dockerfiles + dockerfileStages + dockerfileWarnings
}
