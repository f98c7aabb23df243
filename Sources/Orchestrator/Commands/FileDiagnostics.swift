import StackFiles

/// All mistakes in a stack file, with their places.
package struct FileDiagnostics: Error, Sendable {
  let diagnostics: [Diagnostic]

  /// True for mistakes in files. A step of a build that cannot be carried out is none: it depends on other files, too.
  package var areMistakes: Bool { diagnostics.contains { $0.severity == .error && $0.code != .failedStep } }

  package func rendered(isColored: Bool) -> String {
    DiagnosticRenderer(isColored: isColored).render(diagnostics)
  }

  /// For editors: an object a line, with stable codes.
  package var json: String { Diagnostic.jsonLines(diagnostics) }
}
