import StackFiles

/// Reads a Dockerfile. Mistakes go to a list, all of them; after one, reading goes on with the next instruction.
package struct DockerfileParser {
  let file: SourceFile
  let diagnostics: DiagnosticList
  private var lines: LineReader
  private var arguments: [ArgumentDeclaration] = []
  private var stages: [Stage] = []

  package init(_ file: SourceFile, _ diagnostics: DiagnosticList) {
    (self.file, self.diagnostics) = (file, diagnostics)
    lines = LineReader(file, diagnostics)
  }

  /// The file's tree. Nil, with diagnostics, where it has a mistake.
  ///
  /// - Parameters:
  ///   - path: As messages show it.
  ///   - bytes: The file's contents; a byte-order mark is skipped.
  package static func parse(path: String, bytes: [UInt8], _ diagnostics: DiagnosticList) -> Dockerfile? {
    var parser = DockerfileParser(SourceFile(path: path, bytes: bytes), diagnostics)
    return parser.parse()
  }

  mutating func parse() -> Dockerfile? {
    let known = diagnostics.errorCount
    var count = 0
    while let line = lines.nextInstruction() {
      count += 1
      readInstruction(line)
    }
    if diagnostics.errorCount == known { checkNotEmpty(count) }
    guard diagnostics.errorCount == known else { return nil }
    return Dockerfile(path: file.path, escape: lines.escape, arguments: arguments, stages: stages)
  }

  private func checkNotEmpty(_ count: Int) {
    if count == 0 {
      diagnostics.add(
        Diagnostic(
          .emptyDockerfile, "the file has no instruction", file: file.path,
          help: ["begin with the image to build upon: FROM debian:12"]))
    } else if stages.isEmpty {
      diagnostics.add(
        Diagnostic(
          .emptyDockerfile, "the file has no FROM", file: file.path,
          help: ["add the image to build upon: FROM debian:12"]))
    }
  }

  // MARK: - Instructions

  private mutating func readInstruction(_ line: LogicalLine) {
    do throws(Diagnostic) {
      try checkText(line)
      let whole = line.trimmed(0..<line.bytes.count)
      let parts = InstructionParts(line, whole, escape: lines.escape)
      switch parts.keyword {
      case "FROM":
        try addStage(parts)
      default:
        let heredocs = try readHeredocs(parts)
        let reader = InstructionReader(parts: parts, heredocs: heredocs, diagnostics: diagnostics)
        try add(try reader.instruction(), parts)
      }
    } catch {
      diagnostics.add(error)
    }
  }

  private func checkText(_ line: LogicalLine) throws(Diagnostic) {
    if String(validating: line.bytes, as: UTF8.self) != nil, !line.bytes.contains(0) { return }
    throw Diagnostic(
      .badInstruction, "the instruction is not UTF-8 text", at: line.span(0..<line.bytes.count),
      help: ["convert the file: iconv -f ISO-8859-1 -t UTF-8"])
  }

  private mutating func add(_ instruction: Instruction, _ parts: InstructionParts) throws(Diagnostic) {
    guard stages.isEmpty else {
      stages[stages.count - 1].instructions.append(instruction)
      return
    }
    guard case .argument(let declarations) = instruction.kind else {
      throw Diagnostic(
        .outsideStage, "\(instruction.keyword) stands before the first FROM", at: parts.keywordSpan,
        help: ["only ARG may stand there: move this line below FROM"])
    }
    arguments += declarations
  }

  /// The bodies that follow a line. ONBUILD takes those of its instruction.
  private mutating func readHeredocs(_ parts: InstructionParts) throws(Diagnostic) -> [Heredoc] {
    let inner = parts.keyword == "ONBUILD" ? parts.nested : parts
    guard let inner, ["ADD", "COPY", "RUN"].contains(inner.keyword) else { return [] }
    if case .words = JSONWords(inner.argumentText) { return [] }
    var heredocs: [Heredoc] = []
    do throws(ExpressionLexer.Problem) {
      heredocs = try Heredoc.heads(in: parts.line.text(parts.whole))
    } catch {
      throw Diagnostic(.badExpansion, "cannot read a heredoc's name: \(error.message)", at: parts.span)
    }
    for index in heredocs.indices { heredocs[index].body = try body(of: heredocs[index], parts) }
    return heredocs
  }

  private mutating func body(of heredoc: Heredoc, _ parts: InstructionParts) throws(Diagnostic) -> String {
    guard let range = lines.heredocBody(endingAt: heredoc.name, stripsTabs: heredoc.stripsTabs) else {
      throw Diagnostic(
        .openHeredoc, "the heredoc \"\(heredoc.name)\" does not end", at: parts.span,
        help: [
          "end it with a line that is \(heredoc.name) and nothing else",
          "if no heredoc is meant, quote the <<",
        ])
    }
    guard let text = String(validating: file.bytes[range], as: UTF8.self) else {
      throw Diagnostic(
        .badInstruction, "the heredoc \"\(heredoc.name)\" is not UTF-8 text", at: Span(file, range),
        help: ["copy the bytes from a file of the context instead"])
    }
    return text
  }

  // MARK: - Stages

  private mutating func addStage(_ parts: InstructionParts) throws(Diagnostic) {
    let reader = InstructionReader(parts: parts, heredocs: [], diagnostics: diagnostics)
    var stage = try reader.stage()
    stage.index = stages.count
    // A stage whose name is wrong is kept, so that its instructions are checked.
    if let name = stage.name, let other = stages.first(where: { $0.name == name }) {
      diagnostics.add(
        Diagnostic(
          .repeatedStageName, "two stages are named \"\(name)\"; later lines mean the second", at: stage.span,
          also: [.init(other.span, "the first stands here")], help: ["give one of them another name"]))
    }
    stages.append(stage)
  }
}
