import StackFiles

/// What is wrong with a stack file: everything, with the places.
package struct FileDiagnostics: Error, Sendable {
  let diagnostics: [Diagnostic]

  package func rendered(isColored: Bool) -> String {
    DiagnosticRenderer(isColored: isColored).render(diagnostics)
  }

  /// For editors: an object a line, with stable codes.
  package var json: String { Diagnostic.jsonLines(diagnostics) }
}
