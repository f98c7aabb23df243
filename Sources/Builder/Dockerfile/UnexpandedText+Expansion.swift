import StackFiles

extension UnexpandedText {
  /// Variables in an expression that had no value, with their places.
  package struct Expanded: Sendable, Hashable {
    package var text: String
    package var unset: [String]
  }

  /// The text with variables, quotes and escapes resolved.
  ///
  /// - Parameters:
  ///   - escape: The file's escape character.
  ///   - values: The value of a name; nil where it has none.
  /// - Throws: what is wrong with the text, with its place.
  package func expanded(
    escape: UInt8, _ values: @escaping (String) -> String?
  ) throws(Diagnostic) -> Expanded {
    var lexer = ExpressionLexer(text, .init(escape: escape), values: values)
    do {
      let word = try lexer.word()
      return Expanded(text: word, unset: lexer.unset.map(\.name))
    } catch {
      throw diagnostic(error)
    }
  }

  /// The words of the text once it is expanded.
  ///
  /// - Throws: what is wrong with the text, with its place.
  package func expandedWords(
    escape: UInt8, _ values: @escaping (String) -> String?
  ) throws(Diagnostic) -> [String] {
    var lexer = ExpressionLexer(text, .init(escape: escape), values: values)
    do {
      return try lexer.words()
    } catch {
      throw diagnostic(error)
    }
  }

  private func diagnostic(_ problem: ExpressionLexer.Problem) -> Diagnostic {
    // The text is that of the file only where no line was joined.
    let length = span.range.count
    let place =
      length == text.utf8.count
      ? Span(
        span.file, span.range.lowerBound + problem.range.lowerBound..<span.range.lowerBound + problem.range.upperBound)
      : span
    return Diagnostic(.badExpansion, "cannot expand \"\(text)\": \(problem.message)", at: place)
  }
}

extension Heredoc {
  /// The content with its variables. Quotes mean nothing in it, and the escape character is always a backslash.
  ///
  /// - Throws: what is wrong with it, at the place that is given.
  package func expanded(at span: Span, _ values: @escaping (String) -> String?) throws(Diagnostic) -> String {
    guard isExpanded else { return content }
    var lexer = ExpressionLexer(content, .init(ignoresQuotes: true), values: values)
    do {
      return try lexer.word()
    } catch {
      throw Diagnostic(
        .badExpansion, "cannot expand the heredoc \(name): \(error.message)", at: span,
        help: ["to have its text as it is, quote the name: <<'\(name)'"])
    }
  }

  /// The heredoc that a word begins (`<<EOF`), without its body. Nil for another word.
  static func head(_ word: String) throws(ExpressionLexer.Problem) -> Heredoc? {
    var rest = Substring(word)
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    rest = rest.dropFirst(digits.count)
    guard rest.hasPrefix("<<") else { return nil }
    rest = rest.dropFirst(2)
    let stripsTabs = rest.hasPrefix("-")
    if stripsTabs { rest = rest.dropFirst() }
    rest = rest.drop { $0.utf8.allSatisfy(\.isBlank) }
    guard !rest.isEmpty, !rest.contains("<") else { return nil }

    let words = try words(of: rest, keepsQuotes: false)
    guard words.count == 1, let name = words.first else { return nil }
    let raw = try Self.words(of: rest, keepsQuotes: true)
    func quotes(_ text: String?) -> Int { text?.utf8.count { $0 == 0x27 || $0 == 0x22 } ?? 0 }
    return Heredoc(
      name: name, body: "", isExpanded: quotes(name) == quotes(raw.first), stripsTabs: stripsTabs,
      descriptor: Int(digits))
  }

  private static func words(
    of text: Substring, keepsQuotes: Bool
  ) throws(ExpressionLexer.Problem) -> [String] {
    var lexer = ExpressionLexer(String(text), .init(keepsQuotes: keepsQuotes, keepsUnset: true)) { _ in nil }
    return try lexer.words()
  }

  /// The heredocs that a line begins, in order. A line with a quote that is not closed begins none.
  static func heads(in line: String) throws(ExpressionLexer.Problem) -> [Heredoc] {
    guard line.utf8.contains(UInt8(ascii: "<")) else { return [] }
    var lexer = ExpressionLexer(line, .init(keepsQuotes: true, keepsEscapes: true, keepsUnset: true)) { _ in nil }
    guard let words = try? lexer.words() else { return [] }
    var heads: [Heredoc] = []
    for word in words {
      if let head = try head(word) { heads.append(head) }
    }
    return heads
  }
}
