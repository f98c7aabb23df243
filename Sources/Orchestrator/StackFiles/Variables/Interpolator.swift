/// Replaces the variables in the values of a document. Keys are left alone.
struct Interpolator {
  let variables: Variables
  let diagnostics: DiagnosticList
  /// Every variable the documents refer to, in the order of the file.
  private(set) var uses: [VariableUse] = []
  private var known: Set<VariableUse> = []
  private var size = 0

  init(variables: Variables, diagnostics: DiagnosticList) {
    self.variables = variables
    self.diagnostics = diagnostics
  }

  mutating func interpolate(_ node: Node) -> Node {
    switch node.content {
    case .scalar(let scalar):
      guard scalar.text.utf8.contains(UInt8(ascii: "$")) else { return node }
      // A variable's value is text: an empty value is not a missing one.
      let text = expand(scalar.text, node)
      return Node(.scalar(Node.Scalar(text: text, isPlain: false)), node.span, mergeTag: node.mergeTag)
    case .sequence(let items):
      var result: [Node] = []
      for item in items { result.append(interpolate(item)) }
      return Node(.sequence(result), node.span, mergeTag: node.mergeTag)
    case .mapping(let entries):
      var result: [Node.Entry] = []
      for entry in entries { result.append(Node.Entry(key: entry.key, value: interpolate(entry.value))) }
      return Node(.mapping(result), node.span, mergeTag: node.mergeTag)
    }
  }

  private mutating func expand(_ text: String, _ node: Node) -> String {
    let template: Template
    do {
      template = try Template(text)
    } catch {
      diagnostics.add(
        Diagnostic(.badInterpolation, error.words, at: node.span(of: error.range), help: [error.help]),
        spoiling: node.span)
      return text
    }
    for use in template.uses where known.insert(use).inserted { uses.append(use) }
    let outcome = template.expanded { variables[$0] }
    if let missing = outcome.missing {
      let name = missing.variable.name
      let message =
        "required variable \(name) is missing a value" + (missing.message.isEmpty ? "" : ": \(missing.message)")
      diagnostics.add(
        Diagnostic(
          .missingVariable, message, at: node.span(of: missing.variable.range), question(name),
          help: ["set it in the environment or in .env"]),
        spoiling: node.span)
    }
    for variable in outcome.unset {
      diagnostics.add(
        Diagnostic(
          .unsetVariable, "the variable \(variable.name) is not set and counts as empty",
          at: node.span(of: variable.range), question(variable.name),
          help: ["set it, or say what it is without: ${\(variable.name):-value}"]))
    }
    size += outcome.text.utf8.count
    guard max(size, outcome.size) <= Template.sizeLimit else {
      diagnostics.add(
        Diagnostic(
          .tooManyNodes, "the values are larger than \(Template.sizeLimit >> 20) MiB once variables are expanded",
          at: node.span))
      return ""
    }
    return outcome.text
  }

  private func question(_ name: String) -> String {
    Suggestion.question(about: name, among: variables.names)
  }
}
