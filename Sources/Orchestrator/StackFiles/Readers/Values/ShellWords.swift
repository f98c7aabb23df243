/// Splits a command given as text into words as Compose does (github.com/mattn/go-shellwords): quotes and backslashes
/// as in a shell, nothing else of a shell.
enum ShellWords {
  struct Problem: Error {
    enum Kind: Hashable {
      case unclosed(Character)
      /// A shell's operator. Compose drops the rest of the command there, which nobody wants.
      case shellOperator(Character)
      case trailingBackslash
    }

    var kind: Kind
    /// Byte offset into the text.
    var offset: Int
  }

  static func split(_ text: String) throws(Problem) -> [String] {
    var words: [String] = []
    var word: String?
    var quote: (mark: Unicode.Scalar, offset: Int)?
    var backslash: Int?
    var offset = 0
    for scalar in text.unicodeScalars {
      defer { offset += UTF8.width(scalar) }
      if backslash != nil {
        backslash = nil
        let meant: Unicode.Scalar = scalar == "t" ? "\t" : scalar == "n" ? "\n" : scalar
        word = (word ?? "") + String(meant)
      } else if scalar == "\\", quote?.mark != "'" {
        backslash = offset
      } else if let open = quote {
        if scalar == open.mark { quote = nil } else { word = (word ?? "") + String(scalar) }
      } else {
        switch scalar {
        case "'", "\"":
          quote = (scalar, offset)
          word = word ?? ""
        case " ", "\t", "\r", "\n":
          if let finished = word { words.append(finished) }
          word = nil
        case ";", "&", "|", "<", ">", "(", ")", "`":
          throw Problem(kind: .shellOperator(Character(scalar)), offset: offset)
        default:
          word = (word ?? "") + String(scalar)
        }
      }
    }
    if let quote { throw Problem(kind: .unclosed(Character(quote.mark)), offset: quote.offset) }
    if let backslash { throw Problem(kind: .trailingBackslash, offset: backslash) }
    if let word { words.append(word) }
    return words
  }
}

extension Field {
  /// A command: text is split into words, a list is taken as it is.
  func command() -> Located<[String]>? {
    if node.isNull { return nil }
    if let items = node.items {
      return Located(items.compactMap { with($0).text()?.value }, node.span)
    }
    guard node.scalar != nil else {
      reportShape("text or a list of texts")
      return nil
    }
    guard let text = text() else { return nil }
    do {
      return Located(try ShellWords.split(text.value), text.span)
    } catch {
      let place = node.span(of: error.offset..<error.offset + 1)
      switch error.kind {
      case .unclosed(let mark):
        report(.badQuoting, "\"\(name)\" has a quote that is not closed", "this \(mark) has no partner", at: place)
      case .trailingBackslash:
        report(.badQuoting, "\"\(name)\" ends in a backslash", at: place)
      case .shellOperator(let mark):
        report(
          .badQuoting, "\"\(name)\" is not run by a shell, so \"\(mark)\" has no meaning in it", at: place,
          help: ["run a shell: [\"sh\", \"-c\", \"…\"], or quote the \"\(mark)\""])
      }
      return nil
    }
  }
}
