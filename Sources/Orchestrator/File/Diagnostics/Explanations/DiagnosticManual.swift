/// The diagnostics of stack files in words: what `stack explain` prints, and docs/diagnostics.md.
public enum DiagnosticManual {
  /// One line for each code, with its meaning.
  public static var list: String {
    DiagnosticExplanation.table.map { "\($0.code.rawValue)  \($0.meaning)\n" }.joined()
  }

  /// The explanation of one diagnostic, with a wrong and a mended file. Ends with a newline.
  ///
  /// - Parameter code: As it stands in a message, in upper or lower case: `E0550`.
  /// - Throws: ``StackErrors`` when there is no such code, with the nearest one.
  public static func page(on code: String) throws(StackErrors) -> String {
    guard let entry = DiagnosticExplanation.table.first(where: { $0.code.rawValue == code.uppercased() }) else {
      throw StackErrors([StackError(nil, unknown(code), remedy: "for all of them: stack explain")])
    }
    return """
      \(entry.code.severity.rawValue)[\(entry.code.rawValue)]: \(entry.meaning)

      \(entry.text)

      Wrong:

      \(indented(entry.wrong.transcript))

      Mended:

      \(indented(entry.mended.transcript))

      """
  }

  private static func unknown(_ code: String) -> String {
    let known = DiagnosticExplanation.table.map(\.code.rawValue)
    // A code with another letter in front is the likeliest mistake: W0550 for E0550.
    let question =
      known.first { $0.dropFirst() == code.dropFirst() }.map { "did you mean \"\($0)\"?" }
      ?? Suggestion.question(about: code, among: known)
    return "there is no diagnostic \"\(code)\"" + (question.isEmpty ? "" : ": \(question)")
  }

  private static func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "    \($0)" }
      .joined(separator: "\n")
  }

  // MARK: - docs/diagnostics.md

  static var markdown: String {
    """
    # Diagnostics

    <!-- Made from DiagnosticExplanation.table. Rewrite: STACK_REWRITE_GOLDEN=1 tools/test --filter DiagnosticManual -->

    Each mistake in a stack file has a code that never changes. E is an error, W a warning, N a note.
    `stack explain E0550` prints one of these entries, and `stack explain` lists all codes.
    `stack config --quiet FILE` checks a file without running it. With `--format json`, diagnostics are printed as JSON,
    one object a line.

    Lines that begin with `$` make the files that the example needs beside it.

    | code | meaning |
    | --- | --- |
    \(DiagnosticExplanation.table.map(row).joined(separator: "\n"))

    \(DiagnosticExplanation.table.map(section).joined(separator: "\n"))
    """
  }

  private static func row(_ entry: DiagnosticExplanation) -> String {
    let code = entry.code.rawValue
    return "| [\(code)](#\(code.lowercased())) | \(entry.meaning) |"
  }

  private static func section(_ entry: DiagnosticExplanation) -> String {
    """
    ## \(entry.code.rawValue)

    \(entry.text)

    Wrong:

    \(indented(entry.wrong.transcript))

    Mended:

    \(indented(entry.mended.transcript))

    """
  }
}

extension DiagnosticExplanation.Example {
  /// The file, after the commands that make what stands beside it.
  fileprivate var transcript: String {
    commands.isEmpty ? file : (commands + ["cat web.stack"]).map { "$ \($0)\n" }.joined() + file
  }
}
