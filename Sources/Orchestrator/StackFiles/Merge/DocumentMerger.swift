/// Merges several stack files at the level of nodes, by Compose's rules: mappings merge, lists append, the rest is replaced.
struct DocumentMerger {
  private let diagnostics: DiagnosticList

  init(_ diagnostics: DiagnosticList) {
    self.diagnostics = diagnostics
  }

  func merge(_ node: Node, over base: Node) -> Node { merge(node, over: base, at: []) }

  private func merge(_ node: Node, over base: Node, at path: [String]) -> Node {
    if node.mergeTag != nil { return node }
    // `key:` alone says nothing.
    if node.isNull { return base }
    let rule = MergeRule(path)
    if rule == .replace { return node }
    let base = rule.normalized(base)
    let node = rule.normalized(node)
    switch (base.content, node.content) {
    case (.mapping(let old), .mapping(let new)):
      return Node(.mapping(merge(new, over: old, at: path)), base.span)
    case (.sequence(let old), .sequence(let new)):
      return Node(.sequence(rule.unique(old + new)), base.span)
    default:
      return node
    }
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

/// The rule for merging the value at a path.
private enum MergeRule: Hashable {
  case ordinary
  /// The later file's value is all that counts.
  case replace
  /// A mapping, or a list of NAME=value that means the same.
  case assignments
  /// A mapping, or a list of names that means the same.
  case names
  /// Items of the same target are one.
  case mounts
  case ports

  init(_ path: [String]) {
    guard path.count >= 3, path[0] == "services" else {
      self = path.count == 3 && path[2] == "labels" ? .assignments : .ordinary
      return
    }
    switch path.dropFirst(2).joined(separator: ".") {
    case "command", "entrypoint", "healthcheck.test": self = .replace
    case "environment", "labels", "deploy.labels": self = .assignments
    case "depends_on", "networks": self = .names
    case "volumes": self = .mounts
    case "ports": self = .ports
    default: self = .ordinary
    }
  }

  /// Lists become the mappings they stand for, so that the two forms merge.
  func normalized(_ node: Node) -> Node {
    guard let items = node.items, self == .assignments || self == .names else { return node }
    var entries: [Node.Entry] = []
    var places: [String: Int] = [:]
    for item in items {
      // An item that is none is left for the reader to report.
      guard let scalar = item.scalar else { return node }
      let entry = entry(scalar, item)
      if let place = places[entry.key.value] {
        entries[place] = entry
      } else {
        places[entry.key.value] = entries.count
        entries.append(entry)
      }
    }
    return Node(.mapping(entries), node.span)
  }

  private func entry(_ scalar: Node.Scalar, _ item: Node) -> Node.Entry {
    let nothing = Node(.scalar(Node.Scalar(text: "", isPlain: true)), item.span)
    guard self == .assignments, let sign = scalar.text.utf8.firstIndex(of: UInt8(ascii: "=")) else {
      return Node.Entry(key: Located(scalar.text, item.span), value: nothing)
    }
    let value = String(scalar.text[scalar.text.index(after: sign)...])
    return Node.Entry(
      key: Located(String(scalar.text[..<sign]), item.span),
      value: Node(.scalar(Node.Scalar(text: value, isPlain: false)), item.span))
  }

  /// The last of the items that are one takes the place of the first.
  func unique(_ items: [Node]) -> [Node] {
    guard self == .mounts || self == .ports else { return items }
    var unique: [Node] = []
    var places: [String: Int] = [:]
    for item in items {
      guard let key = key(of: item) else {
        unique.append(item)
        continue
      }
      if let place = places[key] {
        unique[place] = item
      } else {
        places[key] = unique.count
        unique.append(item)
      }
    }
    return unique
  }

  private func key(of item: Node) -> String? {
    if self == .mounts {
      if item.entries != nil { return item["target"]?.scalar?.text }
      guard let parts = item.scalar?.text.split(separator: ":", omittingEmptySubsequences: false) else { return nil }
      return String(parts.count == 1 ? parts[0] : parts[1])
    }
    if item.entries != nil {
      func text(_ key: String) -> String { item[key]?.scalar?.text ?? "" }
      let transport = text("protocol").isEmpty ? "tcp" : text("protocol")
      return "\(text("host_ip"))|\(text("published"))|\(text("target"))|\(transport)"
    }
    guard let text = item.scalar?.text else { return nil }
    let parts = PortText(text)
    return [parts.address?.text ?? "", parts.host?.text ?? "", parts.container.text, parts.transport?.text ?? "tcp"]
      .joined(separator: "|")
  }
}
