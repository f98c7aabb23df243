import ImageReference
import StackFiles

/// Expands one instruction with the values that hold before it.
struct ScopeExpander {
  let scope: StageScope
  private(set) var warnings: [Diagnostic] = []

  init(scope: StageScope) { self.scope = scope }

  mutating func kind(_ instruction: Instruction) throws(Diagnostic) -> Operation.Kind {
    switch instruction.kind {
    case .add(let copy): return .copy(try operation(copy, isAdd: true))
    case .copy(let copy): return .copy(try operation(copy, isAdd: false))
    case .run(let run): return .run(try operation(run))
    case .argument(let declarations): return .argument(try values(declarations))
    case .environment(let assignments): return .environment(try values(assignments))
    case .label(let assignments): return .label(try values(assignments))
    case .workingFolder(let path): return .workingFolder(try text(path))
    case .user(let user): return .user(try text(user))
    case .volume(let paths): return .volume(try texts(paths))
    case .expose(let ports): return .expose(try exposed(ports))
    case .command(let line): return .command(line)
    case .entrypoint(let line): return .entrypoint(line)
    case .healthCheck(let check): return .healthCheck(check)
    case .shell(let words): return .shell(words)
    case .stopSignal(let signal): return .stopSignal(try text(signal))
    case .onBuild(let trigger): return .onBuild(trigger.text)
    case .maintainer(let name): return .maintainer(name)
    }
  }

  // MARK: - Texts

  private mutating func text(_ expression: UnexpandedText) throws(Diagnostic) -> String {
    guard expression.text.utf8.contains(where: { $0 == 0x24 || $0 == 0x22 || $0 == 0x27 || $0 == scope.escape }) else {
      return expression.text
    }
    let known = scope
    let expanded = try expression.expanded(escape: scope.escape) { known[$0] }
    for name in expanded.unset { warn(name, expression) }
    return expanded.text
  }

  private mutating func warn(_ name: String, _ expression: UnexpandedText) {
    let question = Suggestion.question(about: name, among: scope.variables.map(\.name))
    let isGlobal = scope.globals[name] != nil
    warnings.append(
      Diagnostic(
        .unsetExpansion, "\(name) has no value here, and counts as empty", at: expression.span, question,
        help: isGlobal ? ["the ARG above the first FROM serves FROM only: add ARG \(name) to this stage"] : []))
  }

  private mutating func optional(_ expression: UnexpandedText?) throws(Diagnostic) -> String? {
    guard let expression else { return nil }
    return try text(expression)
  }

  private mutating func texts(_ expressions: [UnexpandedText]) throws(Diagnostic) -> [String] {
    var texts: [String] = []
    for expression in expressions { texts.append(try text(expression)) }
    return texts
  }

  private mutating func values(_ assignments: [Assignment]) throws(Diagnostic) -> [NamedValue] {
    var values: [NamedValue] = []
    for assignment in assignments {
      let name = try text(assignment.name)
      guard !name.isEmpty else {
        throw Diagnostic(
          .badExpansion, "\"\(assignment.name.text)\" names nothing: it expands to nothing", at: assignment.name.span)
      }
      values.append(NamedValue(name: name, value: try text(assignment.value)))
    }
    return values
  }

  /// An ARG's value: the one that was given, else its default, else that of the ARG above the first FROM.
  private mutating func values(_ declarations: [ArgumentDeclaration]) throws(Diagnostic) -> [NamedValue] {
    var values: [NamedValue] = []
    for declaration in declarations {
      let name = try text(declaration.name)
      if let given = scope.given[name] {
        values.append(NamedValue(name: name, value: given))
      } else if let value = declaration.value {
        values.append(NamedValue(name: name, value: try text(value)))
      } else {
        values.append(NamedValue(name: name, value: scope.globals[name]))
      }
    }
    return values
  }

  // MARK: - COPY and RUN

  private mutating func operation(_ copy: CopyInstruction, isAdd: Bool) throws(Diagnostic) -> CopyOperation {
    var sources: [CopyOperation.Source] = []
    for source in copy.sources {
      switch source {
      case .heredoc(let heredoc, let span):
        let known = scope
        sources.append(.file(name: heredoc.name, content: try heredoc.expanded(at: span) { known[$0] }))
      case .path(let path):
        sources.append(try self.source(try text(path), isAdd: isAdd, at: path.span))
      }
    }
    return CopyOperation(
      isAdd: isAdd, sources: sources, destination: try text(copy.destination), from: copy.from?.text,
      owner: try optional(copy.owner), mode: try mode(copy.mode), checksum: try checksum(copy.checksum, sources),
      exclusions: try texts(copy.exclusions), isLinked: copy.isLinked, unpacks: copy.unpacks,
      keepsParents: copy.keepsParents)
  }

  private mutating func mode(_ expression: UnexpandedText?) throws(Diagnostic) -> String? {
    guard let expression, let text = try optional(expression) else { return nil }
    guard FileModeChange(text) != nil else {
      throw Diagnostic(
        .badFlagValue, "--chmod cannot be \"\(text)\"", at: expression.span,
        help: ["write octal digits, or changes as chmod has them: 755, u+x, go=rX"])
    }
    return text
  }

  private mutating func checksum(
    _ expression: UnexpandedText?, _ sources: [CopyOperation.Source]
  ) throws(Diagnostic) -> String? {
    guard let expression, let text = try optional(expression) else { return nil }
    guard let digest = ContentDigest(text), digest.algorithm == .sha256 else {
      throw Diagnostic(
        .badFlagValue, "--checksum cannot be \"\(text)\"", at: expression.span,
        help: ["write sha256: and the 64 digits that sha256sum prints"])
    }
    guard case .url? = sources.first else {
      throw Diagnostic(
        .badFlagValue, "--checksum is for what ADD fetches, and this source is a file of the context",
        at: expression.span, help: ["remove --checksum"])
    }
    return "\(digest)"
  }

  private func source(_ text: String, isAdd: Bool, at span: Span) throws(Diagnostic) -> CopyOperation.Source {
    guard isAdd else { return .path(text) }
    let isGit =
      text.hasPrefix("git@") || text.hasPrefix("git://") || text.hasPrefix("ssh://") || text.hasPrefix("github.com/")
    let isURL = text.hasPrefix("http://") || text.hasPrefix("https://")
    let path = text.split(separator: "#", maxSplits: 1).first.map(String.init) ?? text
    if isGit || isURL && path.hasSuffix(".git") {
      throw Diagnostic(
        .notBuilt, "stack does not fetch from git: \"\(text)\"", at: span,
        help: ["clone it into the context, or run git in a step"])
    }
    return isURL ? .url(text) : .path(text)
  }

  private mutating func operation(_ run: RunInstruction) throws(Diagnostic) -> RunOperation {
    var mounts: [RunMount] = []
    for flag in run.mounts {
      let mount = try MountReader(flag).mount { value throws(Diagnostic) in
        try self.text(UnexpandedText(value, flag.span))
      }
      mounts.append(mount)
    }
    return RunOperation(command: command(run), mounts: mounts, network: run.network)
  }

  private func command(_ run: RunInstruction) -> RunOperation.Command {
    guard case .shell(let line) = run.command else {
      if case .words(let words) = run.command { return .words(words) }
      return .words([])
    }
    guard let first = run.heredocs.first else { return .shell(line) }
    if (try? Heredoc.head(line)) ?? nil != nil {
      return first.content.hasPrefix("#!")
        ? .script(name: first.name, content: first.content) : .shell(first.content)
    }
    return .shell(line + run.heredocs.map { "\n\($0.body)\($0.name)" }.joined())
  }

  // MARK: - EXPOSE

  private mutating func exposed(_ ports: [UnexpandedText]) throws(Diagnostic) -> [String] {
    var all: Set<ExposedPort> = []
    for port in ports {
      let known = scope
      for word in try port.expandedWords(escape: scope.escape, { known[$0] }) {
        guard let parsed = ExposedPort.parse(word) else {
          throw Diagnostic(
            .badFlagValue, "\"\(word)\" is no port to expose", at: port.span,
            help: ["write a port of 1 to 65535, or a range: 80, 53/udp, 8000-8010/tcp"])
        }
        all.formUnion(parsed)
      }
    }
    return all.sorted().map(\.description)
  }
}

/// A port and its protocol.
struct ExposedPort: Hashable, Comparable, CustomStringConvertible {
  var number: UInt16
  var transport: String

  static func < (left: Self, right: Self) -> Bool {
    (left.number, left.transport) < (right.number, right.transport)
  }

  var description: String { "\(number)/\(transport)" }

  /// `[[address:]host:]ports[/protocol]`; what stands before the ports of the service has no effect.
  static func parse(_ text: String) -> [ExposedPort]? {
    let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    let transport = halves.count > 1 && !halves[1].isEmpty ? halves[1].lowercased() : "tcp"
    guard ["tcp", "udp", "sctp"].contains(transport) else { return nil }
    let own = halves[0].split(separator: ":", omittingEmptySubsequences: false).last.map(String.init) ?? ""
    let ends = own.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { UInt16($0) }
    guard let first = ends.first ?? nil, let last = ends.last ?? nil, first > 0 || ends.count == 1, first <= last
    else { return nil }
    return (first...last).map { ExposedPort(number: $0, transport: transport) }
  }
}
