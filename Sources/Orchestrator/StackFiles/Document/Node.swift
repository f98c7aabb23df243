/// A value of a YAML document with its place.
struct Node: Sendable {
  indirect enum Content: Sendable {
    case scalar(Scalar)
    case sequence([Node])
    case mapping([Entry])
  }

  /// A key and its value. Keys are text, and different within a mapping.
  struct Entry: Sendable {
    var key: Located<String>
    var value: Node
  }

  struct Scalar: Sendable {
    var text: String
    /// Without quotes, so that `true`, `8` and nothing at all are what they look like (YAML 1.2, section 10.3).
    var isPlain: Bool
  }

  /// Compose's tags for merging several files.
  enum MergeTag: String, Sendable {
    case reset = "!reset"
    case override = "!override"
  }

  let content: Content
  let span: Span
  let mergeTag: MergeTag?
  /// Nodes in this one, itself included, aliases counted each time. Saturates: an alias bomb has more than fit.
  let weight: Int
  /// The depth of nesting: 1 for a scalar.
  let height: Int

  init(_ content: Content, _ span: Span, mergeTag: MergeTag? = nil) {
    self.content = content
    self.span = span
    self.mergeTag = mergeTag
    var weight = 1
    var height = 0
    func hold(_ node: Node) {
      let (sum, isTooLarge) = weight.addingReportingOverflow(node.weight)
      weight = isTooLarge ? .max : sum
      height = max(height, node.height)
    }
    switch content {
    case .scalar: break
    case .sequence(let items): items.forEach(hold)
    case .mapping(let entries): entries.forEach { hold($0.value) }
    }
    self.weight = weight
    self.height = height + 1
  }
}

extension Node {
  /// The entries of a mapping; nil for anything else.
  var entries: [Entry]? {
    if case .mapping(let entries) = content { entries } else { nil }
  }

  var items: [Node]? {
    if case .sequence(let items) = content { items } else { nil }
  }

  var scalar: Scalar? {
    if case .scalar(let scalar) = content { scalar } else { nil }
  }

  /// The value under a key of a mapping.
  subscript(key: String) -> Node? {
    entries?.first { $0.key.value == key }?.value
  }

  /// A mapping with another value for a key, which is added where it is missing.
  func replacing(_ key: String, with value: Node, key place: Located<String>? = nil) -> Node {
    guard var entries else { return self }
    if let index = entries.firstIndex(where: { $0.key.value == key }) {
      entries[index].value = value
    } else {
      entries.append(Entry(key: place ?? Located(key, value.span), value: value))
    }
    return Node(.mapping(entries), span, mergeTag: mergeTag)
  }

  func without(_ key: String) -> Node {
    guard let entries else { return self }
    return Node(.mapping(entries.filter { $0.key.value != key }), span, mergeTag: mergeTag)
  }

  /// True if the other has the same values, wherever they stand. Keys may stand in another order.
  func says(_ other: Node) -> Bool {
    switch (content, other.content) {
    case (.scalar(let left), .scalar(let right)): left.text == right.text && isNull == other.isNull
    case (.sequence(let left), .sequence(let right)):
      left.count == right.count && zip(left, right).allSatisfy { $0.says($1) }
    case (.mapping(let left), .mapping(let right)):
      left.count == right.count && left.allSatisfy { entry in other[entry.key.value].map(entry.value.says) ?? false }
    default: false
    }
  }

  /// Nothing, `~` or `null`.
  var isNull: Bool { scalar.map(CoreSchema.isNull) ?? false }

  /// The kind of the node, in words.
  var kind: String {
    switch content {
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .scalar(let scalar):
      switch CoreSchema.value(of: scalar) {
      case .null: "nothing"
      case .bool: "true or false"
      case .int, .float: "a number"
      case .text: "text"
      }
    }
  }

  /// The place of a part of a scalar's text, when the file spells it as it is; else the place of the whole.
  /// - Parameter range: In bytes of the text.
  func span(of range: Range<Int>) -> Span {
    guard let scalar else { return span }
    let source = span.file.bytes[span.range]
    let text = Array(scalar.text.utf8)
    guard range.upperBound <= text.count else { return span }
    var start = span.range.lowerBound
    if source.count == text.count + 2, source.dropFirst().dropLast().elementsEqual(text) {
      start += 1
    } else if !source.elementsEqual(text) {
      return span
    }
    return Span(span.file, start + range.lowerBound..<start + range.upperBound)
  }
}
