import StackFiles

/// The lines of a Dockerfile, joined where they are continued. Directives are taken from the top.
struct LineReader {
  private let file: SourceFile
  private let diagnostics: DiagnosticList
  private var position = 0
  private var areDirectivesOver = false
  private var seenDirectives: Set<String> = []

  private(set) var escape = UInt8(ascii: "\\")

  /// Bytes of one line. BuildKit takes no longer ones.
  static let lineLimit = 65535

  init(_ file: SourceFile, _ diagnostics: DiagnosticList) {
    (self.file, self.diagnostics) = (file, diagnostics)
  }

  // MARK: - Instructions

  /// The next instruction. Nil at the end of the file.
  mutating func nextInstruction() -> LogicalLine? {
    while let line = nextLine() {
      let text = withoutLeadingBlanks(line)
      guard !text.isEmpty else { areDirectivesOver = true; continue }
      if file.bytes[text.lowerBound] == UInt8(ascii: "#") {
        readDirective(text)
        continue
      }
      areDirectivesOver = true
      var joined = LogicalLine(file: file)
      let continuation = continuation(of: text)
      joined.append(continuation.text)
      if continuation.continues { appendContinuations(to: &joined) }
      if !joined.bytes.allSatisfy(\.isBlank) { return joined }
    }
    return nil
  }

  private mutating func appendContinuations(to joined: inout LogicalLine) {
    var emptyLine: Span?
    while let line = nextLine() {
      let text = withoutLeadingBlanks(line)
      if text.isEmpty {
        emptyLine = emptyLine ?? Span(file, text)
        continue
      }
      if file.bytes[text.lowerBound] == UInt8(ascii: "#") { continue }
      let continuation = continuation(of: line)
      joined.append(continuation.text)
      guard continuation.continues else { break }
    }
    guard let emptyLine else { return }
    diagnostics.add(
      Diagnostic(
        .emptyContinuation, "an instruction goes on after an empty line", at: emptyLine,
        help: ["remove the empty line, or the \(Character(UnicodeScalar(escape))) before it"]))
  }

  /// A line without the character that continues it. Blanks may follow that, and it may not be escaped itself.
  private func continuation(of line: Range<Int>) -> (text: Range<Int>, continues: Bool) {
    let bytes = file.bytes
    var end = line.upperBound
    while end > line.lowerBound, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
    guard end > line.lowerBound, bytes[end - 1] == escape else { return (line, false) }
    if end - 1 > line.lowerBound, bytes[end - 2] == escape { return (line, false) }
    return (line.lowerBound..<end - 1, true)
  }

  // MARK: - Heredocs

  /// The lines up to one that is the name. Nil where none is: then all to the end belonged to it.
  mutating func heredocBody(endingAt name: String, stripsTabs: Bool) -> Range<Int>? {
    let start = position
    let terminator = Array(name.utf8)
    while true {
      let lineStart = position
      guard let line = nextLine() else { break }
      var text = file.bytes[line]
      if stripsTabs { text = text.drop { $0 == 0x09 } }
      if text.elementsEqual(terminator) { return start..<lineStart }
    }
    return nil
  }

  // MARK: - Lines

  /// The next line without its line break.
  private mutating func nextLine() -> Range<Int>? {
    let bytes = file.bytes
    guard position < bytes.count else { return nil }
    let start = position
    let lineFeed = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
    position = min(lineFeed + 1, bytes.count)
    var end = lineFeed
    while end > start, bytes[end - 1] == 0x0D { end -= 1 }
    if end - start > Self.lineLimit {
      diagnostics.add(
        Diagnostic(
          .badInstruction, "the line is longer than \(Self.lineLimit) bytes", at: Span(file, start..<start + 1),
          help: ["move its contents into a file, and copy that"]))
    }
    return start..<end
  }

  private func withoutLeadingBlanks(_ line: Range<Int>) -> Range<Int> {
    (line.first { !file.bytes[$0].isBlank } ?? line.upperBound)..<line.upperBound
  }

  // MARK: - Directives

  private mutating func readDirective(_ comment: Range<Int>) {
    guard !areDirectivesOver else { return }
    guard let directive = Directive(comment, in: file), Directive.names.contains(directive.name) else {
      // A line `#!` may stand at the very top.
      let isShebang = comment.lowerBound == 0 && file.bytes.starts(with: "#!".utf8)
      areDirectivesOver = !isShebang
      return
    }
    guard seenDirectives.insert(directive.name).inserted else {
      diagnostics.add(
        Diagnostic(
          .badDirective, "the directive \(directive.name) stands twice", at: directive.span,
          help: ["remove one of the two"]))
      return
    }
    switch directive.name {
    case "escape": readEscape(directive)
    case "syntax": readSyntax(directive)
    default: break
    }
  }

  private mutating func readEscape(_ directive: Directive) {
    guard ["\\", "`"].contains(directive.value), let byte = directive.value.utf8.first else {
      diagnostics.add(
        Diagnostic(
          .badDirective, "\"\(directive.value)\" cannot be the escape character", at: directive.valueSpan,
          help: ["write a backslash or a backtick"]))
      return
    }
    escape = byte
  }

  /// The frontend is an image that BuildKit runs to read the file. Those of Docker read what is read here.
  private func readSyntax(_ directive: Directive) {
    let image = directive.value.split(separator: " ").first.map(String.init) ?? directive.value
    let name = image.split(whereSeparator: { $0 == ":" || $0 == "@" }).first.map(String.init) ?? image
    let docker = ["docker/dockerfile", "docker/dockerfile-upstream"]
    let known = docker + docker.map { "docker.io/\($0)" }
    guard !known.contains(name) else { return }
    diagnostics.add(
      Diagnostic(
        .foreignFrontend, "the file is to be read by \"\(image)\", a program that stack does not run",
        at: directive.valueSpan, Suggestion.question(about: name, among: docker),
        help: ["if it is a usual Dockerfile, remove this line"]))
  }
}

/// A comment of the shape `# name = value`.
private struct Directive {
  static let names: Set<String> = ["syntax", "escape", "check"]

  /// In lower case.
  var name: String
  var value: String
  var span: Span
  var valueSpan: Span

  init?(_ comment: Range<Int>, in file: SourceFile) {
    var line = LogicalLine(file: file)
    line.append(comment)
    let body = line.trimmed(1..<line.bytes.count)
    guard let equals = line.bytes[body].firstIndex(of: UInt8(ascii: "=")) else { return nil }
    let name = line.trimmed(body.lowerBound..<equals)
    let value = line.trimmed(equals + 1..<body.upperBound)
    guard !name.isEmpty, !value.isEmpty, !line.bytes[name.lowerBound].isDigit,
      line.bytes[name].allSatisfy({ $0.isNamePart && $0 != UInt8(ascii: "_") })
    else { return nil }
    self.name = line.text(name).lowercased()
    self.value = line.text(value)
    span = line.span(body)
    valueSpan = line.span(value)
  }
}
