@testable import Dockerfile
@testable import StackFiles

/// A Dockerfile's text, read as a build reads it.
struct Reading {
  let tree: Dockerfile?
  let diagnostics: [Diagnostic]

  init(_ text: String) { self.init(bytes: Array(text.utf8)) }

  init(bytes: [UInt8]) {
    let list = DiagnosticList()
    tree = DockerfileParser.parse(path: "Dockerfile", bytes: bytes, list)
    diagnostics = list.sorted
  }

  /// What is printed for its mistakes.
  var text: String { DiagnosticRenderer().render(diagnostics) }

  var codes: [String] { diagnostics.map(\.code.rawValue) }

  /// The instructions of all stages.
  var instructions: [Instruction] { tree?.stages.flatMap(\.instructions) ?? [] }
}

/// The operations of a file's last stage, and the codes of all that was said.
struct Expansion {
  var operations: [Operation] = []
  var diagnostics: [Diagnostic] = []
  var graph: StageGraph?

  init(_ text: String, _ inputs: BuildInputs = BuildInputs(), environment: [NamedValue] = []) {
    let list = DiagnosticList()
    defer { diagnostics = list.sorted }
    guard let tree = DockerfileParser.parse(path: "Dockerfile", bytes: Array(text.utf8), list),
      let graph = StageGraph.resolve(tree, inputs, list)
    else { return }
    self.graph = graph
    var scopes: [Int: StageScope] = [:]
    for node in graph.nodes {
      var parent: StageScope?
      if case .stage(let index) = node.base { parent = scopes[index] }
      var scope = StageScope(tree, graph, inputs, environment: environment, parent: parent)
      operations = []
      for instruction in node.stage.instructions {
        do throws(Diagnostic) {
          let operation = try scope.operation(instruction)
          operation.warnings.forEach(list.add)
          operations.append(operation)
        } catch {
          list.add(error)
        }
      }
      scopes[node.stage.index] = scope
    }
  }

  var kinds: [Operation.Kind] { operations.map(\.kind) }
  var codes: [String] { diagnostics.map(\.code.rawValue) }

  /// What is printed for its mistakes.
  var text: String { DiagnosticRenderer().render(diagnostics) }
}

extension Diagnostic {
  /// A part of the place that it points at.
  func text(of part: KeyPath<Position, Int>) -> Int? { primary?.span.start[keyPath: part] }
}
