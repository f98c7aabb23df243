/// Something wrong with a stack file, and where.
package struct Diagnostic: Error, Sendable, Hashable {
  package enum Severity: String, Sendable { case error, warning, note }

  /// A stretch of a file with what there is to say about it. The text may be empty.
  package struct Label: Sendable, Hashable {
    var span: Span
    var text: String

    package init(_ span: Span, _ text: String = "") {
      self.span = span
      self.text = text
    }
  }

  package var code: DiagnosticCode
  /// One line, without a full stop.
  package var message: String
  /// The file, as the user wrote its path.
  var path: String
  /// Nil when the whole file is meant: it cannot be read, say.
  var primary: Label?
  /// Other places that take part: the declaration that disagrees.
  var secondary: [Label] = []
  /// The remedies, a line each.
  package var help: [String] = []

  package var severity: Severity { code.severity }

  package init(
    _ code: DiagnosticCode, _ message: String, at span: Span, _ label: String = "", also secondary: [Label] = [],
    help: [String] = []
  ) {
    self.code = code
    self.message = message
    self.path = span.file.path
    self.primary = Label(span, label)
    self.secondary = secondary
    self.help = help
  }

  package init(_ code: DiagnosticCode, _ message: String, file path: String, help: [String] = []) {
    self.code = code
    self.message = message
    self.path = path
    self.help = help
  }
}

/// The findings of reading a stack: all of them. Several stages write to one list.
package final class DiagnosticList {
  private var diagnostics: [Diagnostic] = []
  private var seen: Set<Diagnostic> = []
  private var spoiled: [Span] = []
  private var fileOrder: [String: Int] = [:]
  package private(set) var errorCount = 0
  package var hasErrors: Bool { errorCount > 0 }

  /// More than this many are no help to anyone, and a hostile file could ask for millions.
  static let limit = 1000

  /// Files are reported in the order in which they are first heard of.
  func register(file path: String) {
    if fileOrder[path] == nil { fileOrder[path] = fileOrder.count }
  }

  /// Reports a wrong value, and marks its place so that consequences are not reported.
  func add(_ diagnostic: Diagnostic, spoiling span: Span) {
    add(diagnostic)
    if !isFull { spoiled.append(span) }
  }

  package func add(_ diagnostic: Diagnostic) {
    if let primary = diagnostic.primary, spoiled.contains(where: { $0.holds(primary.span) }) { return }
    register(file: diagnostic.path)
    if diagnostic.severity == .error { errorCount += 1 }
    // An anchor's contents are read once for each alias: one report is enough.
    guard diagnostics.count < Self.limit, seen.insert(diagnostic).inserted else { return }
    diagnostics.append(diagnostic)
  }

  /// True if further diagnostics are dropped. Then the work of describing them can be saved.
  var isFull: Bool { diagnostics.count >= Self.limit }

  package init() {}

  func contains(where predicate: (Diagnostic) -> Bool) -> Bool { diagnostics.contains(where: predicate) }

  /// By file, then by place.
  package var sorted: [Diagnostic] {
    func key(_ diagnostic: Diagnostic) -> (Int, Int) {
      (fileOrder[diagnostic.path] ?? 0, diagnostic.primary?.span.range.lowerBound ?? -1)
    }
    return diagnostics.enumerated()
      .sorted { (key($0.element).0, key($0.element).1, $0.offset) < (key($1.element).0, key($1.element).1, $1.offset) }
      .map(\.element)
  }
}
