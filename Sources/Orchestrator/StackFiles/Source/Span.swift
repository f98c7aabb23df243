/// A stretch of a file: what a diagnostic underlines.
package struct Span: Sendable {
  package let file: SourceFile
  /// Byte offsets into the file; empty where something is missing.
  package let range: Range<Int>

  package init(_ file: SourceFile, _ range: Range<Int>) {
    self.file = file
    self.range = range
  }

  var start: Position { file.position(at: range.lowerBound) }
  var end: Position { file.position(at: range.upperBound) }

  /// The file and line, as run-time errors quote it: `web.stack:9`.
  package var place: String { "\(file.path):\(file.line(at: range.lowerBound))" }

  /// True if another stands inside this one, or is this one.
  func holds(_ other: Span) -> Bool {
    other.file === file && range.lowerBound <= other.range.lowerBound && other.range.upperBound <= range.upperBound
  }
}

extension Span: Hashable {
  package static func == (left: Span, right: Span) -> Bool {
    left.file === right.file && left.range == right.range
  }

  package func hash(into hasher: inout Hasher) {
    hasher.combine(ObjectIdentifier(file))
    hasher.combine(range)
  }
}

extension Span: CustomStringConvertible {
  /// `web.stack:6:16`
  package var description: String {
    let start = start
    return "\(file.path):\(start.line):\(start.column)"
  }
}

/// A value and the place in the file that says so.
///
/// Equality is that of the values: moving a line does not change what the stack is.
package struct Located<Value> {
  package var value: Value
  package var span: Span

  package init(_ value: Value, _ span: Span) {
    self.value = value
    self.span = span
  }

  package func map<Result>(_ transform: (Value) -> Result) -> Located<Result> {
    Located<Result>(transform(value), span)
  }
}

extension Located: Sendable where Value: Sendable {}

extension Located: Equatable where Value: Equatable {
  package static func == (left: Self, right: Self) -> Bool { left.value == right.value }
}

extension Located: Hashable where Value: Hashable {
  package func hash(into hasher: inout Hasher) { hasher.combine(value) }
}

extension Located: CustomStringConvertible {
  package var description: String { "\(value)" }
}
