/// The keys of one kind of mapping: what each means and how it is read. Adding a key is adding a line to a table.
///
/// The table also answers what a mistyped key may have meant, and is the source of the list of keys in the documentation.
struct KeyTable<Target>: Sendable {
  typealias Reader = @Sendable (Field, inout Target) -> Void

  enum Handling: Sendable {
    case read(Reader)
    /// Accepted, without effect: why.
    case ignored(String)
    /// A key of Compose's that stack does not do: what to do instead.
    case notSupported(String)
  }

  struct Key: Sendable {
    let name: String
    /// The summary, in a line.
    let summary: String
    let handling: Handling
    /// True if an empty value counts as none, as Compose has it: `user: ${UNSET}`.
    var mayBeEmpty = false

    /// The same key, of which an empty value counts as none.
    var optional: Key {
      var key = self
      key.mayBeEmpty = true
      return key
    }

    static func read(_ name: String, _ summary: String, _ reader: @escaping Reader) -> Key {
      Key(name: name, summary: summary, handling: .read(reader))
    }

    static func ignored(_ name: String, _ reason: String) -> Key {
      Key(name: name, summary: "accepted: \(reason)", handling: .ignored(reason))
    }

    static func notSupported(_ name: String, _ remedy: String) -> Key {
      Key(name: name, summary: "not supported: \(remedy)", handling: .notSupported(remedy))
    }
  }

  /// The name of such a mapping in messages: `service`.
  let subject: String
  let keys: [Key]
  private let places: [String: Int]

  init(_ subject: String, _ keys: [Key]) {
    self.subject = subject
    self.keys = keys
    self.places = Dictionary(keys.enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
  }

  /// The keys that may be written, which are what a typing error is compared with.
  var candidates: [String] {
    keys.compactMap { if case .notSupported = $0.handling { nil } else { $0.name } }
  }

  /// The keys themselves where a line has room for them.
  private var overview: String {
    candidates.count <= 16
      ? "it has \(candidates.sorted().joined(separator: ", "))"
      : "docs/stack-file.md has its keys, and so has `stack config --schema`"
  }

  /// Reads every entry of a mapping; what is wrong is reported and the rest still read.
  func read(_ field: Field, into target: inout Target) {
    if let probe = field.context.probe {
      guard field.node.entries != nil else { return }
      return probe.note(field) { shape in
        if shape.table == nil { shape.table = schema(target) }
      }
    }
    guard let entries = field.entries() else { return }
    for entry in withExtras(entries, field) {
      readEntry(field.entry(entry), into: &target)
    }
  }

  private func readEntry(_ field: Field, into target: inout Target) {
    guard let place = places[field.name] else {
      // Compose's rule for what other programs keep in the file.
      if field.name.hasPrefix("x-") { return }
      let question = Suggestion.question(about: field.name, among: candidates)
      field.report(
        .unknownKey, "a \(subject) has no key \"\(field.name)\"", question, at: field.key,
        help: question.isEmpty ? [overview] : [])
      return
    }
    field.context.keys.append(UsedKey(subject: subject, path: field.path, span: field.key))
    if keys[place].mayBeEmpty, field.isEmpty { return }
    switch keys[place].handling {
    case .read(let reader): reader(field, &target)
    case .ignored(let reason):
      field.report(.ignoredKey, "\"\(field.name)\" has no effect: \(reason)", at: field.key)
    case .notSupported(let remedy):
      field.report(.notSupported, "\"\(field.name)\" is not supported", at: field.key, help: [remedy])
    }
  }

  /// Keys under `x-stack:` count as if they stood beside it, so that a file with extras stays loadable by Compose.
  private func withExtras(_ entries: [Node.Entry], _ field: Field) -> [Node.Entry] {
    guard let extras = entries.first(where: { $0.key.value == "x-stack" }) else { return entries }
    var all = entries.filter { $0.key.value != "x-stack" }
    for extra in field.entry(extras).entries() ?? [] {
      if let same = all.first(where: { $0.key.value == extra.key.value }) {
        field.report(
          .conflictingKeys, "\"\(extra.key.value)\" is given twice", "again here", at: extra.key.span,
          also: [Diagnostic.Label(same.key.span, "first here")])
      } else {
        all.append(extra)
      }
    }
    return all
  }
}
