import StackFiles
import Vocabulary

/// Reads one instruction's flags and arguments.
struct InstructionReader {
  let parts: InstructionParts
  let heredocs: [Heredoc]
  let diagnostics: DiagnosticList

  static let keywords = [
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
    "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
  ]

  func instruction() throws(Diagnostic) -> Instruction {
    Instruction(kind: try kind(), keyword: parts.keyword, text: parts.line.text(parts.whole), span: parts.span)
  }

  private func kind() throws(Diagnostic) -> Instruction.Kind {
    switch parts.keyword {
    case "ADD": return .add(try copy(isAdd: true))
    case "COPY": return .copy(try copy(isAdd: false))
    case "RUN": return .run(try run())
    case "HEALTHCHECK": return .healthCheck(try healthCheck())
    case "ONBUILD": return .onBuild(try trigger())
    default: break
    }
    try refuseFlags()
    switch parts.keyword {
    case "ARG": return .argument(try arguments())
    case "ENV": return .environment(try assignments())
    case "LABEL": return .label(try assignments())
    case "WORKDIR": return .workingFolder(try oneArgument(example: "WORKDIR /app"))
    case "USER": return .user(try oneArgument(example: "USER app"))
    case "STOPSIGNAL": return .stopSignal(try oneArgument(example: "STOPSIGNAL SIGQUIT"))
    case "MAINTAINER": return .maintainer(try oneArgument(example: "LABEL maintainer=\"me@example.org\"").text)
    case "VOLUME": return .volume(try list(example: "VOLUME /var/lib/app"))
    case "EXPOSE": return .expose(try exposed())
    case "CMD": return .command(try commandLine())
    case "ENTRYPOINT": return .entrypoint(try commandLine())
    case "SHELL": return .shell(try shell())
    default: throw unknown(parts.keyword)
    }
  }

  private func unknown(_ keyword: String) -> Diagnostic {
    Diagnostic(
      .unknownInstruction, "there is no instruction \"\(parts.line.text(parts.keywordRange))\"",
      at: parts.keywordSpan, Suggestion.question(about: keyword, among: Self.keywords),
      help: parts.keyword.hasPrefix("<<") || parts.keyword == "EOF" ? ["a heredoc may have ended above"] : [])
  }

  // MARK: - Arguments

  func missing(_ what: String, example: String) -> Diagnostic {
    Diagnostic(.badInstruction, "\(parts.keyword) needs \(what)", at: parts.span, help: ["for example: \(example)"])
  }

  private func oneArgument(example: String) throws(Diagnostic) -> UnexpandedText {
    guard !parts.arguments.isEmpty else { throw missing("a value", example: example) }
    return parts.line.expression(parts.arguments)
  }

  /// A JSON array of texts, or nil for the shell form.
  func jsonWords() throws(Diagnostic) -> [String]? {
    switch JSONWords(parts.argumentText) {
    case .words(let words): return words
    case .absent: return nil
    case .otherValues:
      throw Diagnostic(
        .badJSONForm, "the list holds something that is no text", at: parts.argumentSpan,
        help: ["put every word between double quotes"])
    case .malformed:
      // [ is also a program of the shell: [ -f x ] || y.
      guard parts.argumentText.dropFirst().first.map({ "\"'".contains($0) }) ?? false else { return nil }
      diagnostics.add(
        Diagnostic(
          .looksLikeJSON, "this is no JSON, so it is taken as text for the shell", at: parts.argumentSpan,
          help: ["JSON needs double quotes, and commas between words, none after the last"]))
      return nil
    }
  }

  /// The words of the JSON form, or those between blanks.
  func pathList() throws(Diagnostic) -> [UnexpandedText] {
    if let words = try jsonWords() { return words.map { UnexpandedText($0, parts.argumentSpan) } }
    return parts.line.words(in: parts.arguments).map { parts.line.expression($0) }
  }

  private func list(example: String) throws(Diagnostic) -> [UnexpandedText] {
    let words = try pathList()
    guard !words.isEmpty, words.allSatisfy({ !$0.text.allSatisfy(\.isWhitespace) }) else {
      throw missing("a path", example: example)
    }
    return words
  }

  private func exposed() throws(Diagnostic) -> [UnexpandedText] {
    guard !parts.arguments.isEmpty else { throw missing("a port", example: "EXPOSE 80/tcp") }
    return parts.line.words(in: parts.arguments).map { parts.line.expression($0) }
  }

  /// CMD and ENTRYPOINT may be empty: no command then.
  func commandLine() throws(Diagnostic) -> CommandLine {
    if let words = try jsonWords() { return .words(words) }
    return parts.arguments.isEmpty ? .words([]) : .shell(parts.argumentText)
  }

  private func shell() throws(Diagnostic) -> [String] {
    guard let words = try jsonWords(), !words.isEmpty else {
      throw missing("a list in the JSON form", example: #"SHELL ["/bin/bash", "-o", "pipefail", "-c"]"#)
    }
    return words
  }

  private func arguments() throws(Diagnostic) -> [ArgumentDeclaration] {
    let words = parts.splitter.words(in: parts.arguments)
    guard !words.isEmpty else { throw missing("a name", example: "ARG VERSION=1.0") }
    var declarations: [ArgumentDeclaration] = []
    for word in words {
      let (name, value) = halves(of: word)
      guard !name.isEmpty else { throw nameless(word) }
      declarations.append(
        ArgumentDeclaration(name: parts.line.expression(name), value: value.map { parts.line.expression($0) }))
    }
    return declarations
  }

  /// ENV and LABEL: pairs, or the old form `name value` of one pair.
  private func assignments() throws(Diagnostic) -> [Assignment] {
    let words = parts.splitter.words(in: parts.arguments)
    let example = parts.keyword == "ENV" ? "ENV PORT=80" : "LABEL version=1.0"
    guard let first = words.first else { throw missing("a name and a value", example: example) }
    guard parts.line.bytes[first].contains(UInt8(ascii: "=")) else { return [try oldAssignment(example: example)] }
    var assignments: [Assignment] = []
    for word in words {
      let (name, value) = halves(of: word)
      guard let value else {
        throw Diagnostic(
          .badInstruction, "\"\(parts.line.text(word))\" has no \"=\"", at: parts.line.span(word),
          help: ["write name=value, and quote values that hold blanks"])
      }
      guard !name.isEmpty else { throw nameless(word) }
      assignments.append(Assignment(name: parts.line.expression(name), value: parts.line.expression(value)))
    }
    return assignments
  }

  private func oldAssignment(example: String) throws(Diagnostic) -> Assignment {
    let bytes = parts.line.bytes
    let end = bytes[parts.arguments].firstIndex(where: \.isBlank) ?? parts.arguments.upperBound
    let value = parts.line.trimmed(end..<parts.arguments.upperBound)
    guard !value.isEmpty else { throw missing("a name and a value", example: example) }
    return Assignment(
      name: parts.line.expression(parts.arguments.lowerBound..<end), value: parts.line.expression(value))
  }

  private func nameless(_ word: Range<Int>) -> Diagnostic {
    Diagnostic(
      .badInstruction, "\"\(parts.line.text(word))\" has no name before \"=\"", at: parts.line.span(word))
  }

  /// The parts of a word before its first `=` and behind it.
  private func halves(of word: Range<Int>) -> (Range<Int>, Range<Int>?) {
    guard let equals = parts.line.bytes[word].firstIndex(of: UInt8(ascii: "=")) else { return (word, nil) }
    return (word.lowerBound..<equals, equals + 1..<word.upperBound)
  }
}
