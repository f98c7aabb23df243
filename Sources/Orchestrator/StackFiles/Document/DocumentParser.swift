/// Builds the node tree of one file. Everything that a hostile file could make large is bounded.
struct DocumentParser {
  /// Nodes after aliases are expanded. A thousand services take about 30,000.
  static let nodeLimit = 250_000
  static let depthLimit = 100

  private let source: SourceFile
  private let diagnostics: DiagnosticList
  private var anchors: [String: Anchor] = [:]
  private var nodeCount = 0

  private enum Anchor {
    case reading
    case read(Node)
  }

  /// The document cannot be read further; why has been reported.
  private struct Stop: Error {}

  private init(_ source: SourceFile, _ diagnostics: DiagnosticList) {
    self.source = source
    self.diagnostics = diagnostics
  }

  /// The roots of the documents in a file, with anchors, aliases and merge keys resolved. Nil when a diagnostic says why
  /// not.
  static func parse(_ source: SourceFile, _ diagnostics: DiagnosticList) -> [Node]? {
    var parser = DocumentParser(source, diagnostics)
    return source.bytes.withUnsafeBufferPointer { bytes in
      guard var events = YAMLEvents(bytes) else {
        diagnostics.add(Diagnostic(.syntax, "there is no memory to read the file", file: source.path))
        return nil
      }
      return try? parser.documents(&events)
    }
  }

  private mutating func documents(_ events: inout YAMLEvents) throws(Stop) -> [Node]? {
    var roots: [Node] = []
    while case (.documentStart, _) = try next(&events) {
      let root = try node(try next(&events), &events, depth: 1)
      if !root.isNull { roots.append(root) }
      // An anchor belongs to its document.
      anchors = [:]
    }
    return roots.isEmpty ? empty() : roots
  }

  private func empty() -> [Node]? {
    diagnostics.add(
      Diagnostic(.emptyFile, "the file is empty", file: source.path, help: ["a stack has at least `services:`"]))
    return nil
  }

  private mutating func node(
    _ event: (YAMLEvents.Event, Range<Int>), _ events: inout YAMLEvents, depth: Int
  ) throws(Stop) -> Node {
    let (event, range) = event
    guard depth <= Self.depthLimit else { throw tooDeep(range) }
    switch event {
    case .alias(let name):
      return try alias(name, range, depth: depth)
    case .scalar(let text, let isPlain, let anchor, let tag):
      try count(1, range)
      let meaning = try meaning(of: tag, range)
      let scalar = Node.Scalar(text: text, isPlain: isPlain && !meaning.isText)
      let node = Node(.scalar(scalar), span(range), mergeTag: meaning.merge)
      if let anchor { anchors[anchor] = .read(node) }
      return node
    case .sequenceStart(let anchor, let tag):
      let items = { (parser: inout DocumentParser, events: inout YAMLEvents, end: inout Int) throws(Stop) in
        Node.Content.sequence(try parser.items(&events, &end, depth: depth + 1))
      }
      return try collection(anchor, tag, range, &events, items)
    case .mappingStart(let anchor, let tag):
      let entries = { (parser: inout DocumentParser, events: inout YAMLEvents, end: inout Int) throws(Stop) in
        Node.Content.mapping(try parser.entries(&events, &end, depth: depth + 1))
      }
      return try collection(anchor, tag, range, &events, entries)
    case .documentStart, .sequenceEnd, .mappingEnd, .streamEnd:
      throw stop(.syntax, "the document ends too early", range)
    }
  }

  private mutating func alias(_ name: String, _ range: Range<Int>, depth: Int) throws(Stop) -> Node {
    switch anchors[name] {
    case nil:
      let question = Suggestion.question(about: name, among: anchors.keys.sorted())
      throw stop(.badAlias, "no anchor \"\(name)\" stands above this alias", range, question)
    case .reading:
      throw stop(.badAlias, "the anchor \"\(name)\" contains itself", range)
    case .read(let node):
      try count(node.weight, range)
      guard depth + node.height - 1 <= Self.depthLimit else { throw tooDeep(range) }
      return node
    }
  }

  private typealias Contents = (inout DocumentParser, inout YAMLEvents, inout Int) throws(Stop) -> Node.Content

  private mutating func collection(
    _ anchor: String?, _ tag: String?, _ start: Range<Int>, _ events: inout YAMLEvents, _ contents: Contents
  ) throws(Stop) -> Node {
    try count(1, start)
    let meaning = try meaning(of: tag, start)
    if let anchor { anchors[anchor] = .reading }
    var end = start.upperBound
    let content = try contents(&self, &events, &end)
    let node = Node(content, span(start.lowerBound..<end), mergeTag: meaning.merge)
    if let anchor { anchors[anchor] = .read(node) }
    return node
  }

  private mutating func items(_ events: inout YAMLEvents, _ end: inout Int, depth: Int) throws(Stop) -> [Node] {
    var items: [Node] = []
    while true {
      let event = try next(&events)
      end = max(end, endOfText(event))
      if case .sequenceEnd = event.0 { return items }
      let item = try node(event, &events, depth: depth)
      end = max(end, own(item).upperBound)
      items.append(item)
    }
  }

  private mutating func entries(
    _ events: inout YAMLEvents, _ end: inout Int, depth: Int
  ) throws(Stop) -> [Node.Entry] {
    var entries = MappingBuilder(diagnostics)
    while true {
      let event = try next(&events)
      end = max(end, endOfText(event))
      if case .mappingEnd = event.0 { return entries.finished() }
      let key = try node(event, &events, depth: depth)
      let valueEvent = try next(&events)
      let value = try node(valueEvent, &events, depth: depth)
      end = max(end, endOfText(valueEvent), own(value).upperBound)
      entries.add(key, value)
    }
  }

  // MARK: - Places

  /// A block collection's end event stands at the next token, far below; a flow collection's at its bracket.
  private func endOfText(_ event: (YAMLEvents.Event, Range<Int>)) -> Int {
    switch event.0 {
    case .sequenceEnd, .mappingEnd: event.1.isEmpty ? 0 : event.1.upperBound
    default: event.1.isEmpty ? event.1.lowerBound : trimmed(event.1).upperBound
    }
  }

  /// The place of a node, unless an alias brought it from elsewhere.
  private func own(_ node: Node) -> Range<Int> { node.span.range }

  private func span(_ range: Range<Int>) -> Span { Span(source, trimmed(range)) }

  /// Without the line breaks and spaces that libyaml counts into block scalars.
  private func trimmed(_ range: Range<Int>) -> Range<Int> {
    var end = range.upperBound
    while end > range.lowerBound, [0x20, 0x09, 0x0A, 0x0D].contains(source.bytes[end - 1]) { end -= 1 }
    return range.lowerBound..<end
  }

  // MARK: - Limits and tags

  private mutating func count(_ nodes: Int, _ range: Range<Int>) throws(Stop) {
    guard nodes <= Self.nodeLimit - nodeCount else {
      throw stop(.tooManyNodes, "the document has more than \(Self.nodeLimit) nodes, aliases expanded", range)
    }
    nodeCount += nodes
  }

  private func meaning(of tag: String?, _ range: Range<Int>) throws(Stop) -> (merge: Node.MergeTag?, isText: Bool) {
    guard let tag else { return (nil, false) }
    if let merge = Node.MergeTag(rawValue: tag) { return (merge, false) }
    let core = "tag:yaml.org,2002:"
    if tag == "!" || tag == core + "str" { return (nil, true) }
    if ["map", "seq", "int", "bool", "float", "null"].contains(where: { tag == core + $0 }) { return (nil, false) }
    let known = ["!reset", "!override"]
    throw stop(
      .unknownTag, "the tag \"\(tag)\" has no meaning here", range, Suggestion.question(about: tag, among: known))
  }

  private func next(_ events: inout YAMLEvents) throws(Stop) -> (YAMLEvents.Event, Range<Int>) {
    do {
      return try events.next()
    } catch {
      var secondary: [Diagnostic.Label] = []
      if let context = error.context, error.contextOffset < error.offset {
        secondary = [Diagnostic.Label(Span(source, error.contextOffset..<error.contextOffset), context)]
      }
      diagnostics.add(
        Diagnostic(
          .syntax, "this is not YAML: \(error.problem)", at: Span(source, error.offset..<error.offset),
          also: secondary, help: Self.advice(for: error.problem)))
      throw Stop()
    }
  }

  /// The usual cause of a message of libyaml's.
  private static func advice(for problem: String) -> [String] {
    if problem.contains("cannot start any token") {
      return ["tabs cannot indent, and text that begins with @, ` or % needs quotes"]
    }
    if problem.contains("mapping values are not allowed") {
      return ["look at the indentation, and quote text that holds \": \""]
    }
    return []
  }

  private func tooDeep(_ range: Range<Int>) -> Stop {
    stop(.nestedTooDeep, "the document is nested deeper than \(Self.depthLimit) levels", range)
  }

  private func stop(
    _ code: DiagnosticCode, _ message: String, _ range: Range<Int>, _ label: String = "", help: [String] = []
  ) -> Stop {
    diagnostics.add(Diagnostic(code, message, at: Span(source, range), label, help: help))
    return Stop()
  }
}
