import Vocabulary

/// The diagnostics of stack files in words: what `stack explain` prints. A test makes docs/diagnostics.md of the same.
package enum DiagnosticManual {
  /// One line for each code, with its meaning.
  package static var list: String {
    DiagnosticExplanation.table.map { "\($0.code.rawValue)  \($0.meaning)\n" }.joined()
  }

  /// The explanation of one diagnostic, with a wrong and a mended file. Ends with a newline.
  ///
  /// - Parameter code: As it stands in a message, in upper or lower case: `E0550`.
  /// - Throws: `StackErrors` when there is no such code, with the nearest one.
  package static func page(on code: String) throws(StackErrors) -> String {
    guard let entry = DiagnosticExplanation.table.first(where: { $0.code.rawValue == code.uppercased() }) else {
      throw StackErrors([StackError(nil, unknown(code), remedy: "for all of them: stack explain")])
    }
    return "\(entry.code.severity.rawValue)[\(entry.code.rawValue)]: \(entry.meaning)\n\n\(body(of: entry))"
  }

  /// The text and both files, indented by four columns. Ends with a newline.
  static func body(of entry: DiagnosticExplanation) -> String {
    """
    \(entry.text)

    Wrong:

    \(indented(entry.wrong.transcript))

    Mended:

    \(indented(entry.mended.transcript))

    """
  }

  private static func unknown(_ code: String) -> String {
    let known = DiagnosticExplanation.table.map(\.code.rawValue)
    // The number alone tells codes apart: 550, E550 and W0550 mean E0550.
    let number = Int(code.drop(while: \.isLetter))
    let sameNumber = known.first { number != nil && Int($0.dropFirst()) == number }
    let question =
      sameNumber.map { "did you mean \"\($0)\"?" } ?? Suggestion.question(about: code, among: known)
    return "there is no diagnostic \"\(code)\"" + (question.isEmpty ? "" : ": \(question)")
  }

  private static func indented(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "    \($0)" }
      .joined(separator: "\n")
  }
}

extension DiagnosticExplanation.Example {
  /// The file, after the commands that make what stands beside it.
  fileprivate var transcript: String {
    commands.isEmpty ? file : (commands + ["cat \(name)"]).map { "$ \($0)\n" }.joined() + file
  }
}
