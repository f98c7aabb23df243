/// The rule for merging the value at a path.
enum MergeRule: Hashable {
  case ordinary
  /// The later file's value is all that counts.
  case replace
  /// A mapping, or a list of NAME=value that means the same.
  case assignments
  /// A mapping, or a list of names that means the same.
  case names
  /// A mapping from services to conditions, or a list of services that are to be started.
  case dependencies
  /// A list of NAME=address or NAME:address, or a mapping from names to addresses.
  case hosts
  /// A text, or a list of which each item counts once.
  case texts
  /// Items of the same target are one.
  case mounts
  case folders
  case ports
  /// Secrets or configs, by the paths that they are mounted at.
  case files
  /// Items of the same subnet are merged.
  case subnets

  init(_ path: [String]) {
    guard path.count >= 3 else {
      self = .ordinary
      return
    }
    let below = path.dropFirst(2).joined(separator: ".")
    guard path[0] == "services" else {
      self = below == "labels" ? .assignments : below == "ipam.config" ? .subnets : .ordinary
      return
    }
    self = Self.ofService[below] ?? (below.hasPrefix("networks.") && below.hasSuffix(".aliases") ? .texts : .ordinary)
  }

  private static let ofService: [String: MergeRule] = {
    let keys: [(MergeRule, [String])] = [
      (.replace, ["command", "entrypoint", "healthcheck.test"]),
      (
        .assignments,
        ["environment", "labels", "deploy.labels", "annotations", "sysctls", "build.args", "build.labels"]
      ),
      (.names, ["networks"]), (.dependencies, ["depends_on"]), (.hosts, ["extra_hosts", "build.extra_hosts"]),
      (
        .texts,
        [
          "env_file", "label_file", "dns", "dns_search", "dns_opt", "cap_add", "cap_drop", "expose", "security_opt",
          "group_add", "profiles", "links", "external_links", "volumes_from", "device_cgroup_rules",
        ]
      ),
      (.mounts, ["volumes", "devices"]), (.folders, ["tmpfs"]), (.ports, ["ports"]), (.files, ["secrets", "configs"]),
    ]
    return Dictionary(uniqueKeysWithValues: keys.flatMap { rule, names in names.map { ($0, rule) } })
  }()

  /// The one form of a value that may be written in several.
  func normalized(_ node: Node) -> Node {
    switch self {
    case .texts, .folders:
      guard let scalar = node.scalar, !node.isNull, !scalar.text.isEmpty else { return node }
      return Node(.sequence([node]), node.span)
    case .hosts: return listOfHosts(node)
    case .assignments, .names, .dependencies: return mapping(node)
    default: return node
    }
  }

  /// Lists become the mappings they stand for, so that the two forms merge.
  private func mapping(_ node: Node) -> Node {
    guard let items = node.items else { return node }
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
    func text(_ text: String, isPlain: Bool) -> Node {
      Node(.scalar(Node.Scalar(text: text, isPlain: isPlain)), item.span)
    }
    if self == .dependencies {
      let details = ["condition": "service_started", "required": "true"].sorted { $0.key < $1.key }
      return Node.Entry(
        key: Located(scalar.text, item.span),
        value: Node(
          .mapping(details.map { Node.Entry(key: Located($0.key, item.span), value: text($0.value, isPlain: true)) }),
          item.span))
    }
    guard self == .assignments, let sign = scalar.text.utf8.firstIndex(of: UInt8(ascii: "=")) else {
      return Node.Entry(key: Located(scalar.text, item.span), value: text("", isPlain: true))
    }
    let value = String(scalar.text[scalar.text.index(after: sign)...])
    return Node.Entry(
      key: Located(String(scalar.text[..<sign]), item.span), value: text(value, isPlain: false))
  }

  /// A mapping of names to an address, or to several, as a list of `name=address`.
  private func listOfHosts(_ node: Node) -> Node {
    guard let entries = node.entries else { return node }
    var items: [Node] = []
    for entry in entries {
      for address in entry.value.items ?? [entry.value] {
        guard let text = address.scalar?.text else { return node }
        items.append(Node(.scalar(Node.Scalar(text: "\(entry.key.value)=\(text)", isPlain: false)), address.span))
      }
    }
    return Node(.sequence(items), node.span)
  }

  /// The last of the items that are one takes the place of the first.
  func unique(_ items: [Node]) -> [Node] {
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

  /// The part of an item that tells it from others. Nil for one that is never the same as another.
  private func key(of item: Node) -> String? {
    let text = item.scalar?.text
    switch self {
    case .texts, .hosts: return text ?? item["path"]?.scalar?.text
    case .folders: return text.map { Self.path(String($0.prefix { $0 != ":" })) }
    case .files: return text ?? item["target"]?.scalar?.text ?? item["source"]?.scalar?.text
    case .mounts:
      if item.entries != nil { return item["target"]?.scalar.map { Self.path($0.text) } }
      guard let parts = text?.split(separator: ":", omittingEmptySubsequences: false) else { return nil }
      return Self.path(String(parts.count == 1 ? parts[0] : parts[1]))
    case .ports: return keyOfPort(item)
    default: return nil
    }
  }

  private static func path(_ text: String) -> String { text.hasPrefix("/") ? Path.normalized(text) : text }

  private func keyOfPort(_ item: Node) -> String? {
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
