/// A value that is being read, and what to call it in messages.
package struct Field {
  let node: Node
  /// The key's name as messages quote it: `hostname`, `ports`.
  let name: String
  /// The place of the key, or of the item in a list.
  let key: Span
  let context: ReadingContext

  func with(_ node: Node, named name: String? = nil) -> Field {
    Field(node: node, name: name ?? self.name, key: node.span, context: context)
  }

  /// The same, with diagnostics that nobody sees.
  var quiet: Field { Field(node: node, name: name, key: key, context: context.quiet) }

  /// The variables that the value's file sees.
  var variables: Variables { context.variables(at: span) }

  /// True for nothing at all, and for text without a character, as an unset variable gives.
  var isEmpty: Bool { node.isNull || node.scalar?.text.isEmpty ?? false }

  func entry(_ entry: Node.Entry) -> Field {
    Field(node: entry.value, name: entry.key.value, key: entry.key.span, context: context)
  }

  /// The place to point at: the value, or the key when there is no value.
  var span: Span { node.span.range.isEmpty ? key : node.span }

  func report(
    _ code: DiagnosticCode, _ message: String, _ label: @autoclosure () -> String = "", at span: Span? = nil,
    also secondary: [Diagnostic.Label] = [], help: [String] = []
  ) {
    let label = context.diagnostics.isFull ? "" : label()
    context.diagnostics.add(
      Diagnostic(code, message, at: span ?? self.span, label, also: secondary, help: help))
  }

  func reportShape(_ expected: String, help: [String] = []) {
    report(.wrongShape, "\"\(name)\" must be \(expected)", "this is \(node.kind)", help: help)
  }
}

// MARK: - Scalars

extension Field {
  /// Any scalar but an empty one, as it is written: `8080` and `true` are text where text is wanted.
  func text() -> Located<String>? {
    context.probe?.note(self) { $0.isText = true }
    guard let scalar = node.scalar, !node.isNull else {
      reportShape("text")
      return nil
    }
    guard !scalar.text.utf8.contains(0) else {
      report(.controlCharacter, "\"\(name)\" holds a NUL character, which no program can be given")
      return nil
    }
    return Located(scalar.text, node.span)
  }

  func nonEmptyText() -> Located<String>? {
    guard let text = text() else { return nil }
    guard !text.value.isEmpty else {
      report(.emptyText, "\"\(name)\" is empty")
      return nil
    }
    return text
  }

  /// `true` or `false`, in quotes too: that is what a variable's value looks like. YAML 1.1's other words for the two
  /// count as well, since Compose takes them.
  func boolean() -> Bool? {
    context.probe?.note(self) { $0.isBoolean = true }
    switch node.scalar?.text.lowercased() {
    case "true", "yes", "on", "y": return true
    case "false", "no", "off", "n": return false
    default:
      reportShape("true or false")
      return nil
    }
  }

  /// A whole number within limits.
  func integer(in range: ClosedRange<Int>) -> Located<Int>? {
    context.probe?.note(self) { $0.range = range }
    guard let scalar = node.scalar,
      case .int(let value) = CoreSchema.value(of: Node.Scalar(text: scalar.text, isPlain: true))
    else {
      reportShape("a whole number")
      return nil
    }
    guard let value, range.contains(value) else {
      report(
        .numberOutOfRange, "\"\(name)\" must be \(range.lowerBound) to \(range.upperBound)",
        "\(scalar.text) is not")
      return nil
    }
    return Located(value, node.span)
  }

  /// One of the raw values of an enumeration.
  func choice<Value: RawRepresentable & CaseIterable>(_ type: Value.Type) -> Located<Value>?
  where Value.RawValue == String {
    if let probe = context.probe {
      probe.note(self) { $0.choices = type.allCases.map(\.rawValue) }
      return nil
    }
    guard let text = nonEmptyText() else { return nil }
    if let value = Value(rawValue: text.value) { return Located(value, text.span) }
    reportChoice(text.value, among: type.allCases.map(\.rawValue))
    return nil
  }

  func reportChoice(_ text: String, among choices: [String]) {
    report(
      .badChoice, "\"\(name)\" cannot be \"\(text)\"", Suggestion.question(about: text, among: choices),
      help: ["it can be: \(choices.joined(separator: ", "))"])
  }
}

// MARK: - Collections

extension Field {
  /// The items of a list. Nothing at all is an empty list: that is what a list looks like with its items commented out.
  func items() -> [Field]? {
    context.probe?.note(self) { $0.isList = true }
    if node.isNull { return [] }
    guard let items = node.items else {
      reportShape("a list")
      return nil
    }
    return items.map { with($0) }
  }

  /// The entries of a mapping. Nothing at all is an empty mapping.
  func entries() -> [Node.Entry]? {
    context.probe?.note(self) { $0.isMapping = true }
    if node.isNull { return [] }
    guard let entries = node.entries else {
      reportShape("a mapping")
      return nil
    }
    return entries
  }

  /// A list of texts.
  func texts() -> [Located<String>] {
    items()?.compactMap { $0.nonEmptyText() } ?? []
  }

  /// A text, or a list of them. An empty text is none.
  func textOrTexts() -> [Located<String>] {
    if isEmpty { return [] }
    if node.scalar != nil { return nonEmptyText().map { [$0] } ?? [] }
    if node.isNull || node.items != nil { return texts() }
    reportShape("text or a list of texts")
    return []
  }

  /// `NAME=value` items or `NAME: value` entries. A name without a value has nil.
  func assignments() -> [(name: Located<String>, value: String?)] {
    context.probe?.note(self) { ($0.isList, $0.isMapping) = (true, true) }
    if let items = node.items {
      return items.compactMap { item in
        guard let text = with(item).nonEmptyText() else { return nil }
        let bytes = text.value.utf8
        guard let sign = bytes.firstIndex(of: UInt8(ascii: "=")) else { return (text, nil) }
        let name = String(text.value[..<sign])
        let length = bytes.distance(from: bytes.startIndex, to: sign)
        return (Located(name, item.span(of: 0..<length)), String(text.value[text.value.index(after: sign)...]))
      }
    }
    guard node.isNull || node.entries != nil else {
      reportShape("a mapping or a list of NAME=value")
      return []
    }
    return (node.entries ?? []).compactMap { item in
      if item.value.isNull { return (item.key, nil) }
      return entry(item).text().map { (item.key, $0.value) }
    }
  }
}
