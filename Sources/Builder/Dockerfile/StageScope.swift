import StackFiles

/// The variables of one stage while its instructions are read in order.
///
/// ARG and ENV share one set of names, in which the later one holds. The reference says that ENV wins; BuildKit does
/// this.
package struct StageScope: Sendable {
  let escape: UInt8
  let globals: [String: String]
  let given: [String: String]
  /// ENV and ARG in the order in which names came first. This is what RUN gets.
  package private(set) var variables: [NamedValue] = []
  /// The ARGs among them by name, for keys and reasons.
  package private(set) var arguments: [String: String] = [:]

  /// - Parameters:
  ///   - environment: The base's ENV, in order.
  ///   - parent: The scope at the end of the stage that it is built FROM; its ARGs hold here too.
  package init(
    _ dockerfile: Dockerfile, _ graph: StageGraph, _ inputs: BuildInputs, environment: [NamedValue],
    parent: StageScope? = nil
  ) {
    escape = dockerfile.escape
    globals = graph.globals
    given = inputs.arguments
    if let parent { (variables, arguments) = (parent.variables, parent.arguments) }
    for variable in environment { set(variable.name, variable.value ?? "") }
  }

  /// The value of a variable. Nil where it has none.
  package subscript(_ name: String) -> String? { variables.first { $0.name == name }?.value }

  private mutating func set(_ name: String, _ value: String) {
    if let place = variables.firstIndex(where: { $0.name == name }) {
      variables[place].value = value
    } else {
      variables.append(NamedValue(name: name, value: value))
    }
  }

  /// The instruction with its variables expanded. ARG and ENV change the scope for those that follow.
  ///
  /// - Throws: what cannot be expanded, with its place.
  package mutating func operation(_ instruction: Instruction) throws(Diagnostic) -> Operation {
    var expander = ScopeExpander(scope: self)
    let kind = try expander.kind(instruction)
    switch kind {
    case .argument(let values):
      for value in values {
        guard let text = value.value else { continue }
        set(value.name, text)
        arguments[value.name] = text
      }
    case .environment(let values):
      for value in values {
        set(value.name, value.value ?? "")
        arguments[value.name] = nil
      }
    default: break
    }
    return Operation(kind: kind, instruction: instruction, warnings: expander.warnings)
  }
}
