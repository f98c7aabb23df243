import StackFiles

/// A Dockerfile as it is written: nothing is expanded, and no image is looked at.
///
/// Source: the Dockerfile reference, and what BuildKit does where the reference is silent.
package struct Dockerfile: Sendable {
  /// The file, as the user wrote its path.
  package var path: String
  /// The character that continues lines and escapes: a backslash, or a backtick by `# escape=`.
  package var escape: UInt8
  /// The ARGs before the first FROM, in order. They serve the FROM lines.
  package var arguments: [ArgumentDeclaration]
  package var stages: [Stage]
}

/// One FROM and the instructions up to the next.
package struct Stage: Sendable {
  /// From 0, in the order of the file.
  package var index: Int
  /// In lower case. Nil for one without AS.
  package var name: String?
  /// The image, or the stage, or `scratch`, that it begins with.
  package var base: UnexpandedText
  package var platform: UnexpandedText?
  package var instructions: [Instruction]
  /// The line of FROM.
  package var span: Span

  /// The name, or the number, as progress and messages show it.
  package var label: String { name ?? "\(index)" }
}

/// Text whose variables are expanded once their values are known.
package struct UnexpandedText: Sendable {
  package var text: String
  package var span: Span

  package init(_ text: String, _ span: Span) {
    self.text = text
    self.span = span
  }
}

/// One name of an ARG instruction.
package struct ArgumentDeclaration: Sendable {
  package var name: UnexpandedText
  /// Nil without `=`.
  package var value: UnexpandedText?
}
