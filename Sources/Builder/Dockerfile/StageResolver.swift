import ImageFormat
import StackFiles

/// Finds out which stages a target needs.
struct StageResolver {
  let dockerfile: Dockerfile
  let inputs: BuildInputs
  let diagnostics: DiagnosticList

  private var stages: [Stage] { dockerfile.stages }

  func graph() -> StageGraph? {
    do throws(Diagnostic) {
      let globals = try globalArguments()
      warnAboutUndeclared()
      let target = try targetIndex()
      let nodes = try neededNodes(target, globals)
      return StageGraph(nodes: nodes, target: target, globals: globals)
    } catch {
      diagnostics.add(error)
      return nil
    }
  }

  // MARK: - Arguments

  private func globalArguments() throws(Diagnostic) -> [String: String] {
    var values = inputs.platformArguments
    for argument in dockerfile.arguments {
      let known = values
      let name = try argument.name.expanded(escape: dockerfile.escape) { known[$0] }.text
      if let given = inputs.arguments[name] {
        values[name] = given
      } else if let value = argument.value {
        values[name] = try value.expanded(escape: dockerfile.escape) { known[$0] }.text
      }
    }
    return values
  }

  /// A build argument without ARG has no effect.
  private func warnAboutUndeclared() {
    var declared = Set(dockerfile.arguments.map(\.name.text))
    for instruction in stages.flatMap(\.instructions) {
      if case .argument(let arguments) = instruction.kind { declared.formUnion(arguments.map(\.name.text)) }
    }
    let usual = Set(inputs.platformArguments.keys).union(BuildInputs.proxies).union(["SOURCE_DATE_EPOCH"])
    for name in inputs.arguments.keys.sorted()
    where !declared.contains(name) && !usual.contains(name) && !name.hasPrefix("BUILDKIT_") {
      let question = Suggestion.question(about: name, among: declared.sorted())
      diagnostics.add(
        Diagnostic(
          .undeclaredArgument, "the build argument \(name) has no effect: no ARG names it", file: dockerfile.path,
          help: question.isEmpty ? ["add ARG \(name) to the stage that is to use it"] : [question]))
    }
  }

  // MARK: - Stages

  private func targetIndex() throws(Diagnostic) -> Int {
    guard let target = inputs.target, !target.isEmpty else { return stages.count - 1 }
    if let stage = stages.last(where: { $0.name == target.lowercased() }) { return stage.index }
    if let number = Int(target), stages.indices.contains(number) { return number }
    let names = stages.compactMap(\.name)
    let question = Suggestion.question(about: target, among: names)
    throw Diagnostic(
      .unknownStage, "there is no stage \"\(target)\" to build", file: dockerfile.path,
      help: [question.isEmpty ? "stages: " + stages.map(\.label).joined(separator: ", ") : question])
  }

  /// The target and what it needs, each behind what it needs itself.
  private func neededNodes(_ target: Int, _ globals: [String: String]) throws(Diagnostic) -> [StageGraph.Node] {
    var found: [Int: StageGraph.Node] = [:]
    var waiting = [target]
    while let index = waiting.popLast() {
      guard found[index] == nil else { continue }
      let node = try node(stages[index], globals)
      found[index] = node
      waiting += node.dependencies
    }
    // A stage refers to earlier ones only, so the order of the file is one in which they can be built.
    return found.keys.sorted().compactMap { found[$0] }
  }

  private func node(_ stage: Stage, _ globals: [String: String]) throws(Diagnostic) -> StageGraph.Node {
    try checkPlatform(of: stage, globals)
    if let name = stage.name, inputs.contexts.contains(name) {
      // The context stands for the stage, whose instructions then count for nothing.
      var stage = stage
      stage.instructions = []
      return StageGraph.Node(stage: stage, base: .context(name), dependencies: [], origins: [:])
    }
    let base = try base(of: stage, globals)
    var origins: [String: StageGraph.Origin] = [:]
    for from in stage.instructions.flatMap(\.origins) where origins[from.text] == nil {
      origins[from.text] = try origin(from, in: stage)
    }
    let indices = ([base] + origins.values).compactMap { if case .stage(let index) = $0 { index } else { nil } }
    return StageGraph.Node(stage: stage, base: base, dependencies: Set(indices).sorted(), origins: origins)
  }

  private func base(of stage: Stage, _ globals: [String: String]) throws(Diagnostic) -> StageGraph.Origin {
    let expanded = try stage.base.expanded(escape: dockerfile.escape) { globals[$0] }
    let name = expanded.text
    guard !name.isEmpty else {
      throw Diagnostic(
        .badExpansion, "\"\(stage.base.text)\" names no image: it expands to nothing", at: stage.base.span,
        help: unsetHelp(expanded.unset, globals))
    }
    warnAboutUnset(expanded.unset, stage.base, globals)
    if let earlier = stages[..<stage.index].last(where: { $0.name == name.lowercased() }) {
      return .stage(earlier.index)
    }
    if inputs.contexts.contains(name) { return .context(name) }
    if name == "scratch" { return .scratch }
    if let later = stages[stage.index...].first(where: { $0.name == name }) { warnAboutLater(later, stage) }
    return .image(name)
  }

  /// It is an image then, as `FROM python AS python` means the image.
  private func warnAboutLater(_ later: Stage, _ stage: Stage) {
    guard later.index != stage.index else { return }
    diagnostics.add(
      Diagnostic(
        .stageCycle, "stage \(stage.label) is built FROM stage \"\(later.label)\", which stands further down",
        at: stage.base.span, also: [.init(later.span, "\"\(later.label)\" begins here")],
        help: ["move \"\(later.label)\" up; for the image of that name, write its tag too"]))
  }

  private func origin(_ from: UnexpandedText, in stage: Stage) throws(Diagnostic) -> StageGraph.Origin {
    let name = from.text
    if inputs.contexts.contains(name) { return .context(name) }
    let named = stages.filter { $0.name == name.lowercased() }
    if let earlier = named.last(where: { $0.index < stage.index }) { return .stage(earlier.index) }
    if let other = named.first { throw notYet(other, from, in: stage) }
    if let number = Int(name) {
      guard stages.indices.contains(number) else {
        throw Diagnostic(
          .unknownStage, "there is no stage \(number)", at: from.span,
          help: ["the stages that may be named here: " + stages[..<stage.index].map(\.label).joined(separator: ", ")])
      }
      guard number < stage.index else { throw notYet(stages[number], from, in: stage) }
      return .stage(number)
    }
    if name == "scratch" { return .scratch }
    guard !name.isEmpty else {
      throw Diagnostic(.badFlagValue, "\"from\" is empty", at: from.span, help: ["name a stage or an image"])
    }
    return .image(name)
  }

  private func notYet(_ other: Stage, _ from: UnexpandedText, in stage: Stage) -> Diagnostic {
    if other.index == stage.index {
      return Diagnostic(
        .stageCycle, "stage \(stage.label) takes files from itself", at: from.span,
        help: ["take them from an earlier stage, or copy within the stage: RUN cp"])
    }
    return Diagnostic(
      .stageCycle, "stage \(stage.label) takes files from stage \"\(other.label)\", which stands further down",
      at: from.span, also: [.init(other.span, "\"\(other.label)\" begins here")],
      help: ["move \"\(other.label)\" above this stage"])
  }

  // MARK: - Platforms and values

  private func checkPlatform(of stage: Stage, _ globals: [String: String]) throws(Diagnostic) {
    guard let expression = stage.platform else { return }
    let text = try expression.expanded(escape: dockerfile.escape) { globals[$0] }.text
    guard let platform = ImagePlatform(text), !text.isEmpty else {
      throw Diagnostic(
        .badFlagValue, "\"\(text)\" is no platform", at: expression.span, help: ["for example: linux/amd64"])
    }
    guard inputs.platform.runs(platform) else {
      throw Diagnostic(
        .notBuilt, "\(platform) does not run on this machine, which is \(inputs.platform)", at: expression.span,
        help: ["build on a machine of that kind, or write --platform=$BUILDPLATFORM"])
    }
  }

  private func warnAboutUnset(_ names: [String], _ expression: UnexpandedText, _ globals: [String: String]) {
    for name in names {
      diagnostics.add(
        Diagnostic(
          .unsetExpansion, "\(name) has no value here, and counts as empty", at: expression.span,
          Suggestion.question(about: name, among: globals.keys.sorted()), help: unsetHelp([name], globals)))
    }
  }

  /// FROM sees only the ARGs above the first FROM.
  private func unsetHelp(_ names: [String], _ globals: [String: String]) -> [String] {
    names.prefix(1).map { "give it a value above the first FROM: ARG \($0)=…" }
  }
}

extension Instruction {
  /// The texts of `--from` and of mounts' `from=`.
  fileprivate var origins: [UnexpandedText] {
    switch kind {
    case .copy(let copy): return copy.from.map { [$0] } ?? []
    case .run(let run): return run.mounts.compactMap { MountReader($0).origin }
    default: return []
    }
  }
}
