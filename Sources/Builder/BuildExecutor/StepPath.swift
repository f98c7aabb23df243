import BuildContext
import Dockerfile
import StackFiles

/// A path or pattern that a step takes files by, and where it stands in the Dockerfile.
struct StepPath {
  let text: String
  let span: Span?
  /// True for COPY --parents.
  let keepsParents: Bool

  init(_ text: String, _ span: Span? = nil, keepsParents: Bool = false) {
    (self.text, self.span, self.keepsParents) = (text, span, keepsParents)
  }

  /// - Throws: a `Diagnostic` at its place, where it has one.
  func sources(in root: ContextRoot) throws -> [ContextSource] {
    try placing(span) {
      let bytes = Array(text.utf8)
      return keepsParents ? try root.sourcesWithParents(bytes) : try root.sources(bytes)
    }
  }
}

/// Gives an error of a body, which knows no place, that of what it is about.
///
/// - Throws: a `Diagnostic` in the place of ``ContextError`` and of a ``BuildFailure`` without a place.
func placing<Result>(_ span: Span?, _ body: () throws -> Result) throws -> Result {
  guard let span else { return try body() }
  do {
    return try body()
  } catch let error as ContextError {
    throw Diagnostic(.failedStep, error.message, at: span, help: error.remedy.map { [$0] } ?? [])
  } catch BuildFailure.unplaced(let message, let remedy) {
    throw Diagnostic(.failedStep, message, at: span, help: remedy.map { [$0] } ?? [])
  }
}

extension Instruction {
  /// The places of what COPY and ADD copy, in the order of ``CopyOperation/sources``.
  var sourceSpans: [Span] {
    switch kind {
    case .copy(let copy), .add(let copy):
      copy.sources.map { source in
        switch source {
        case .path(let path): path.span
        case .heredoc(_, let span): span
        }
      }
    default: []
    }
  }

  /// The place of `--chown`.
  var ownerSpan: Span? {
    switch kind {
    case .copy(let copy), .add(let copy): copy.owner?.span
    default: nil
    }
  }
}
