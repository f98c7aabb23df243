/// The meaning of one diagnostic, with a stack file that has the mistake and the same file mended.
///
/// `stack explain` and docs/diagnostics.md are both made from ``table``. A test reads every example.
struct DiagnosticExplanation: Sendable {
  /// A file `web.stack`, and the shell commands that make the files beside it.
  struct Example: Sendable {
    var commands: [String]
    var file: String
  }

  var code: DiagnosticCode
  /// One clause, without a capital and without a full stop.
  var meaning: String
  /// The cause and the remedy, in sentences that are wrapped at 100 columns.
  var text: String
  var wrong: Example
  var mended: Example

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

  /// One entry for each code, in the order of the codes' numbers.
  static let table: [DiagnosticExplanation] =
    documents + keys + references + values + addresses + conflicts + rules + interfaces + ipv6 + names + conditions
    + users + limits
}
