/// Collects the entries of one mapping: refuses doubled keys, and resolves merge keys (yaml.org/type/merge.html).
struct MappingBuilder {
  private let diagnostics: DiagnosticList
  private var entries: [Node.Entry] = []
  private var spans: [String: Span] = [:]
  /// The place among `entries` before which a merge key stood, and its value.
  private var merge: (place: Int, value: Node)?

  init(_ diagnostics: DiagnosticList) {
    self.diagnostics = diagnostics
  }

  mutating func add(_ key: Node, _ value: Node) {
    guard let scalar = key.scalar, !key.isNull else {
      diagnostics.add(Diagnostic(.badKey, "a key must be text, and this is \(key.kind)", at: key.span))
      return
    }
    let isMerge = scalar.isPlain && scalar.text == "<<"
    if let first = spans[scalar.text] {
      diagnostics.add(
        Diagnostic(
          .duplicateKey, "the key \"\(scalar.text)\" stands twice in one mapping", at: key.span, "again here",
          also: [Diagnostic.Label(first, "first here")],
          help: isMerge ? ["merge several mappings with a list: `<<: [*a, *b]`"] : []))
      return
    }
    spans[scalar.text] = key.span
    if isMerge {
      merge = (entries.count, value)
    } else {
      entries.append(Node.Entry(key: Located(scalar.text, key.span), value: value))
    }
  }

  /// A mapping's own keys win over merged ones, and of several merged mappings the first that has a key.
  consuming func finished() -> [Node.Entry] {
    guard let merge else { return entries }
    var merged: [Node.Entry] = []
    var taken = Set(spans.keys)
    for source in merge.value.items ?? [merge.value] {
      guard let others = source.entries else {
        diagnostics.add(
          Diagnostic(
            .badMergeKey, "a merge key takes a mapping or a list of mappings, and this is \(source.kind)",
            at: source.span, help: ["name an anchor of a mapping: `<<: *defaults`"]))
        continue
      }
      merged += others.filter { taken.insert($0.key.value).inserted }
    }
    return entries[..<merge.place] + merged + entries[merge.place...]
  }
}
