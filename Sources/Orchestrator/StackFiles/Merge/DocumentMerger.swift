/// Merges several stack files at the level of nodes, by Compose's rules: mappings merge, lists append, the rest is replaced.
struct DocumentMerger {
  private let diagnostics: DiagnosticList

  init(_ diagnostics: DiagnosticList) {
    self.diagnostics = diagnostics
  }

  func merge(_ node: Node, over base: Node) -> Node { merge(node, over: base, at: []) }

  /// Merges one service over another.
  func merge(service node: Node, over base: Node) -> Node { merge(node, over: base, at: ["services", ""]) }

  private func merge(_ node: Node, over base: Node, at path: [String]) -> Node {
    if node.mergeTag != nil { return node }
    // `key:` alone says nothing, but for a variable, which then has the caller's value.
    if node.isNull { return MergeRule(Array(path.dropLast())) == .assignments && path.count > 1 ? node : base }
    let rule = MergeRule(path)
    if rule == .replace { return node }
    let base = rule.normalized(base)
    let node = rule.normalized(node)
    switch (base.content, node.content) {
    case (.mapping(let old), .mapping(let new)):
      return Node(.mapping(merge(new, over: old, at: path)), base.span)
    case (.sequence(let old), .sequence(let new)):
      return Node(.sequence(joined(rule.unique(old + new), rule)), base.span)
    default:
      return node
    }
  }

  /// Items that are told apart by one of their keys, and of which two with the same are merged, and not the last taken.
  private func joined(_ items: [Node], _ rule: MergeRule) -> [Node] {
    guard rule == .subnets else { return items }
    var joined: [Node] = []
    for item in items {
      let subnet = item["subnet"]?.scalar?.text
      guard subnet != nil, let place = joined.firstIndex(where: { $0["subnet"]?.scalar?.text == subnet }) else {
        joined.append(item)
        continue
      }
      joined[place] = merge(item, over: joined[place], at: [])
    }
    return joined
  }

  private func merge(_ entries: [Node.Entry], over base: [Node.Entry], at path: [String]) -> [Node.Entry] {
    var merged = base
    var places = Dictionary(base.enumerated().map { ($0.element.key.value, $0.offset) }) { first, _ in first }
    for entry in entries {
      if let place = places[entry.key.value] {
        // A later stage points at what counts, which is the later file.
        let value = merge(entry.value, over: merged[place].value, at: path + [entry.key.value])
        merged[place] = Node.Entry(key: entry.value.isNull ? merged[place].key : entry.key, value: value)
      } else {
        places[entry.key.value] = merged.count
        merged.append(entry)
      }
    }
    return merged
  }

  /// Takes out what `!reset` marks.
  func withoutResets(_ node: Node) -> Node {
    switch node.content {
    case .scalar: return node
    case .sequence(let items):
      return Node(.sequence(items.filter { $0.mergeTag != .reset }.map(withoutResets)), node.span)
    case .mapping(let entries):
      let kept = entries.filter { $0.value.mergeTag != .reset }
      return Node(
        .mapping(kept.map { Node.Entry(key: $0.key, value: withoutResets($0.value)) }), node.span)
    }
  }
}
