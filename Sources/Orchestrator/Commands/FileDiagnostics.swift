import StackFiles

/// All mistakes in a stack file, with their places.
package struct FileDiagnostics: Error, Sendable {
  let diagnostics: [Diagnostic]

  package func rendered(isColored: Bool) -> String {
    DiagnosticRenderer(isColored: isColored).render(diagnostics)
  }

  /// For editors: an object a line, with stable codes.
  package var json: String { Diagnostic.jsonLines(diagnostics) }
}
