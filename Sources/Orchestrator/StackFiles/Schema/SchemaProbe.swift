/// Finds out what values a key takes, by having its reader read samples and noting what it asks for.
///
/// So a JSON Schema comes from the same tables as the checks, and says the same.
final class SchemaProbe {
  /// The places in a sample.
  enum Place: Int, CaseIterable {
    case value, item, entry, itemOfEntry
  }

  /// What the reader has asked of the value at a place.
  struct Shape {
    var isText = false
    var isBoolean = false
    var range: ClosedRange<Int>?
    var choices: [String] = []
    var isList = false
    var isMapping = false
    /// The schema of the table that it was read with.
    var table: OutputValue?

    var isKnown: Bool { isText || isBoolean || range != nil || !choices.isEmpty || isList || isMapping || table != nil }
  }

  /// A text that no file has: places are told apart by where a value stands in it.
  let file = SourceFile(path: "", bytes: [UInt8](repeating: 0x20, count: Place.allCases.count + 1))
  private(set) var shapes: [Place: Shape] = [:]

  func note(_ field: Field, _ change: (inout Shape) -> Void) { note(field.node.span, change) }

  func note(_ span: Span, _ change: (inout Shape) -> Void) {
    guard span.file === file, let place = Place(rawValue: span.range.lowerBound) else { return }
    change(&shapes[place, default: Shape()])
  }

  // MARK: Samples

  private func span(_ place: Place) -> Span { Span(file, place.rawValue..<place.rawValue + 1) }

  private func text(_ place: Place) -> Node { Node(.scalar(Node.Scalar(text: "x", isPlain: false)), span(place)) }

  private func list(_ item: Node, _ place: Place) -> Node { Node(.sequence([item]), span(place)) }

  private func mapping(_ value: Node, _ place: Place) -> Node {
    // A number is a name too, where names are wanted. Nothing is noted of the key itself.
    let end = Place.allCases.count
    let key = Located("1", Span(file, end..<end + 1))
    return Node(.mapping([Node.Entry(key: key, value: value)]), span(place))
  }

  private func nothing(_ place: Place) -> Node { Node(.mapping([]), span(place)) }

  /// A value of each kind, with values of each kind in it.
  var samples: [Node] {
    [
      text(.value), nothing(.value), list(text(.item), .value), list(nothing(.item), .value),
      mapping(text(.entry), .value), mapping(nothing(.entry), .value),
      mapping(list(text(.itemOfEntry), .entry), .value),
    ]
  }

  // MARK: The schema

  /// The schema of the values that were asked for. Nothing at all is allowed anywhere.
  func schema() -> OutputValue { schema(.value, item: .item, entry: .entry) }

  private func schema(_ place: Place, item: Place?, entry: Place?) -> OutputValue {
    let shape = shapes[place] ?? Shape()
    let items = item.flatMap { shapes[$0]?.isKnown ?? false ? $0 : nil }
    let values = entry.flatMap { shapes[$0]?.isKnown ?? false ? $0 : nil }
    guard shape.isKnown || items != nil || values != nil else { return .mapping([]) }
    var kinds = scalars(shape)
    if let table = shape.table { kinds.append(table) }
    if shape.isList || items != nil {
      kinds.append(
        .mapping(["type": .text("array"), "items": items.map { schema($0, item: nil, entry: nil) }]))
    }
    if shape.table == nil, shape.isMapping || values != nil {
      kinds.append(
        .mapping([
          "type": .text("object"),
          "additionalProperties": values.map { schema($0, item: .itemOfEntry, entry: nil) },
        ]))
    }
    return .mapping(["anyOf": .list(kinds + [.mapping(["type": .text("null")])])])
  }

  /// A variable may stand for any of them, so text is allowed where it holds a `$`.
  private func scalars(_ shape: Shape) -> [OutputValue] {
    let variable: OutputValue = .mapping(["type": .text("string"), "pattern": .text("\\$|^-?[0-9]+$|^$")])
    var kinds: [OutputValue] = []
    if shape.isText { kinds.append(.mapping(["type": .texts(["string", "number", "boolean"])])) }
    if !shape.choices.isEmpty {
      kinds += [
        .mapping(["enum": .texts(shape.choices)]),
        .mapping(["type": .text("string"), "pattern": .text("\\$|^$")]),
      ]
    }
    if shape.isBoolean {
      let words = "^([Yy]([Ee][Ss])?|[Nn][Oo]?|[Oo][Nn]|[Oo][Ff][Ff]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$"
      kinds += [
        .mapping(["type": .text("boolean")]), .mapping(["type": .text("string"), "pattern": .text("\\$|^$|\(words)")]),
      ]
    }
    if let range = shape.range {
      kinds += [
        .mapping([
          "type": .text("integer"), "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound),
        ]), variable,
      ]
    }
    return kinds
  }
}

extension KeyTable {
  /// The schema of such a mapping.
  ///
  /// - Parameter target: what readers fill in; its values do not count.
  func schema(_ target: Target) -> OutputValue {
    let properties = keys.compactMap { key -> OutputValue.Entry? in
      switch key.handling {
      case .notSupported: return nil
      case .ignored: return OutputValue.Entry(key: key.name, value: .mapping(["description": .text(key.summary)]))
      case .read(let reader):
        let probe = SchemaProbe()
        for sample in probe.samples {
          var copy = target
          reader(Field(node: sample, name: key.name, key: sample.span, context: ReadingContext(probe: probe)), &copy)
        }
        return OutputValue.Entry(
          key: key.name, value: OutputValue.mapping(["description": .text(key.summary)]).adding(probe.schema().entries))
      }
    }
    return .mapping([
      "type": .text("object"), "properties": .mapping(properties),
      "patternProperties": .mapping(["^x-": .mapping([])]), "additionalProperties": .bool(false),
    ])
  }
}

extension OutputValue {
  fileprivate var entries: [Entry] {
    if case .mapping(let entries) = self { entries } else { [] }
  }
}

/// The JSON Schema of stack files, for editors (json-schema.org, draft 7).
package enum StackSchema {
  package static var text: String {
    OutputValue.mapping([
      "$schema": .text("http://json-schema.org/draft-07/schema#"), "title": .text("A stack file"),
      "description": .text("What stack reads: its own keys and Compose's."),
    ]).adding(StackKeys.table.schema(StackDraft()).entries).prettyJSON
  }
}

private struct NoFiles: FileReading {
  func read(_ path: String, limit: Int) throws(FileReadingError) -> [UInt8] { throw .missing }
}

extension ReadingContext {
  fileprivate convenience init(probe: SchemaProbe) {
    let diagnostics = DiagnosticList()
    self.init(
      diagnostics: diagnostics, folder: "/", home: "/", variables: Variables(environment: [:]),
      loader: SourceLoader(files: NoFiles(), diagnostics: diagnostics))
    self.probe = probe
  }
}

extension Field {
  /// The value, for a reader that needs other keys too and so reads it later.
  ///
  /// - Parameter read: what is going to be asked of it.
  func later(_ read: (Field) -> Void) -> Field {
    if context.probe != nil { read(self) }
    return self
  }
}
