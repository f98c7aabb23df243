import FoundationEssentials
import Glibc
import Testing

@testable import Dockerfile
@testable import StackFiles

/// Dockerfiles of other projects, which are not part of this one. Scripts/parse-dockerfiles.py writes beside each how
/// BuildKit's own parser reads it. STACK_DOCKERFILES names their folder; without it there is nothing to compare.
@Suite struct PublicDockerfileTests {
  struct Peer: Codable {
    struct Instruction: Codable, Equatable {
      var keyword: String
      var nested: String
      var flags: [String]
      var values: [String]
      var json: Bool
      var line: Int
      var heredocs: [[String]]
    }

    var error: String?
    var instructions: [Instruction]?
  }

  static var files: [String] {
    guard let folder = getenv("STACK_DOCKERFILES").map({ String(cString: $0) }),
      let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
    else { return [] }
    return names.filter { !$0.hasSuffix(".parsed.json") }.sorted().map { "\(folder)/\($0)" }
  }

  @Test(arguments: files)
  func readsAsBuildKitDoes(_ path: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    let peer = try JSONDecoder().decode(Peer.self, from: Data(contentsOf: URL(filePath: path + ".parsed.json")))
    let reading = Reading(bytes: bytes)
    guard let expected = peer.instructions else {
      #expect(reading.tree == nil, "BuildKit refuses it: \(peer.error ?? "")")
      return
    }
    // BuildKit's own examples for its parser alone: parts of files, and flags that no instruction has.
    let isPart =
      !expected.contains { $0.keyword == "FROM" } || reading.codes.contains { ["E0704", "E0707"].contains($0) }
    if isPart, path.contains("parser_testfiles") { return }
    // Refused by intent: --keep-git-dir.
    if reading.codes.contains("E0713") { return }
    let tree = try #require(reading.tree, "\(reading.text)")
    #expect(reading.diagnostics.filter { $0.severity == .error }.isEmpty, "\(reading.text)")
    let found = Self.instructions(of: tree)
    let single = Self.withSingleArguments(expected)
    for (mine, theirs) in zip(found, single) { #expect(mine == theirs) }
    #expect(found.count == single.count)
  }

  /// The ARGs before the first FROM stand in the tree one by one.
  private static func withSingleArguments(_ instructions: [Peer.Instruction]) -> [Peer.Instruction] {
    let start = instructions.firstIndex { $0.keyword == "FROM" } ?? 0
    return instructions[..<start].flatMap { instruction in
      instruction.values.map { value in
        var single = instruction
        single.values = [value]
        return single
      }
    } + instructions[start...].map { $0.keyword == "FROM" ? withSmallName($0) : $0 }
  }

  /// Names of stages stand in lower case in the tree.
  private static func withSmallName(_ instruction: Peer.Instruction) -> Peer.Instruction {
    var small = instruction
    small.values = instruction.values.prefix(1) + instruction.values.dropFirst().map { $0.lowercased() }
    return small
  }

  /// A tree in the words of the peer.
  static func instructions(of tree: Dockerfile) -> [Peer.Instruction] {
    let globals = tree.arguments.map { declaration in
      Peer.Instruction(
        keyword: "ARG", nested: "", flags: [], values: [text(declaration)], json: false,
        line: line(declaration.name.span), heredocs: [])
    }
    return globals + tree.stages.flatMap { stage in [from(stage, tree)] + stage.instructions.map { peer($0, tree) } }
  }

  private static func line(_ span: Span) -> Int { span.file.line(at: span.range.lowerBound) }

  private static func from(_ stage: Stage, _ tree: Dockerfile) -> Peer.Instruction {
    let name = stage.name.map { ["as", $0] } ?? []
    return Peer.Instruction(
      keyword: "FROM", nested: "", flags: stage.platform.map { ["--platform=\($0.text)"] } ?? [],
      values: [stage.base.text] + name, json: false, line: line(stage.span), heredocs: [])
  }

  private static func peer(_ instruction: Instruction, _ tree: Dockerfile) -> Peer.Instruction {
    var line = LogicalLine(file: SourceFile(path: "", bytes: Array(instruction.text.utf8)))
    line.append(0..<instruction.text.utf8.count)
    var parts = InstructionParts(line, 0..<line.bytes.count, escape: tree.escape)
    var nested = ""
    if instruction.keyword == "ONBUILD", let inner = parts.nested { (parts, nested) = (inner, inner.keyword) }
    let (values, isJSON) = values(of: instruction.kind)
    return Peer.Instruction(
      keyword: instruction.keyword, nested: nested,
      flags: parts.flags.map { flag in "--\(flag.name)" + (flag.value.map { "=\($0)" } ?? "") }, values: values,
      json: isJSON, line: Self.line(instruction.span), heredocs: heredocs(of: instruction.kind))
  }

  private static func values(of kind: Instruction.Kind) -> ([String], Bool) {
    switch kind {
    case .add(let copy), .copy(let copy):
      let sources = copy.sources.map { source in
        switch source {
        case .path(let path): path.text
        case .heredoc(_, let span): String(decoding: span.file.bytes[span.range], as: UTF8.self)
        }
      }
      let isJSON = copy.sources.contains { if case .path(let path) = $0 { path.text != written(path) } else { false } }
      return (sources + [copy.destination.text], isJSON)
    case .run(let run): return values(of: run.command)
    case .command(let line), .entrypoint(let line): return values(of: line)
    case .argument(let declarations): return (declarations.map(text), false)
    case .environment(let pairs), .label(let pairs): return (pairs.flatMap { [$0.name.text, $0.value.text] }, false)
    case .workingFolder(let text), .user(let text), .stopSignal(let text): return ([text.text], false)
    case .volume(let paths):
      return (paths.map(\.text), paths.contains { $0.text != written($0) })
    case .expose(let ports): return (ports.map(\.text), false)
    case .healthCheck(let check):
      guard let command = check.command else { return (["NONE"], false) }
      let (words, isJSON) = values(of: command)
      return (["CMD"] + words, isJSON)
    case .shell(let words): return (words, true)
    case .onBuild(let trigger):
      let inner = Reading("FROM scratch\n\(trigger.text)\n").instructions.first
      return inner.map { values(of: $0.kind) } ?? ([], false)
    case .maintainer(let name): return ([name], false)
    }
  }

  private static func values(of line: CommandLine) -> ([String], Bool) {
    switch line {
    case .words(let words): (words, true)
    case .shell(let text): ([text], false)
    }
  }

  private static func heredocs(of kind: Instruction.Kind) -> [[String]] {
    switch kind {
    case .add(let copy), .copy(let copy):
      copy.sources.compactMap { if case .heredoc(let heredoc, _) = $0 { [heredoc.name, heredoc.body] } else { nil } }
    case .run(let run): run.heredocs.map { [$0.name, $0.body] }
    default: []
    }
  }

  private static func text(_ declaration: ArgumentDeclaration) -> String {
    declaration.name.text + (declaration.value.map { "=\($0.text)" } ?? "")
  }

  private static func written(_ expression: UnexpandedText) -> String {
    String(decoding: expression.span.file.bytes[expression.span.range], as: UTF8.self)
  }
}
