/// A further instance of a service, for one command (`stack run`): the service's keys, with those of the command line
/// over them.
package struct OneOffService: Sendable {
  /// The service's key in the file.
  package var service: String
  /// The key of the further one: unique in the stack.
  package var name: String
  /// The keys of the command line, as a YAML mapping. Variables in it are left alone.
  package var overlay: String
  /// True if it publishes what the service does.
  package var publishesPorts = false
  /// True if it answers to the service's further names.
  package var keepsAliases = false

  /// The label that tells such instances from others. It is Compose's.
  package static let label = "com.docker.compose.oneoff"

  package init(of service: String, named name: String, overlay: String) {
    (self.service, self.name, self.overlay) = (service, name, overlay)
  }

  /// Keys that two instances cannot share, or that are about the service as a whole.
  private static let ownKeys: Set<String> = [
    "container_name", "profiles", "scale", "restart", "expose", "healthcheck", "mac_address", "loopback", "switch",
  ]
  private static let ownDeployKeys: Set<String> = ["replicas", "restart_policy", "mode"]
  private static let ownNetworkKeys: Set<String> = [
    "ipv4_address", "ipv6_address", "mac_address", "addresses", "claims", "link_local_ips",
  ]

  /// A document with the further service.
  func added(to root: Node, _ diagnostics: DiagnosticList) -> Node {
    let source = SourceFile(path: "the command line", bytes: Array(overlay.utf8))
    guard let services = root["services"]?.entries, let node = services.first(where: { $0.key.value == service }),
      let entries = node.value.entries, let given = DocumentParser.parse(source, diagnostics)?.first
    else { return root }
    func document(_ service: Node) -> Node {
      let entry = Node.Entry(key: Located(name, node.key.span), value: service)
      let services = Node(.mapping([entry]), node.value.span)
      let key = Located("services", node.key.span)
      return Node(.mapping([Node.Entry(key: key, value: services)]), node.value.span)
    }
    let copy = document(Node(.mapping(entries.compactMap(kept)), node.value.span))
    let merger = DocumentMerger(diagnostics)
    return merger.merge(merger.merge(document(given), over: copy), over: root)
  }

  /// An entry of the service as the further one has it; nil for none.
  private func kept(_ entry: Node.Entry) -> Node.Entry? {
    switch entry.key.value {
    case "ports" where !publishesPorts: return nil
    case "deploy": return Node.Entry(key: entry.key, value: entry.value.without(Self.ownDeployKeys))
    case let key where Self.ownKeys.contains(key): return nil
    case "networks":
      guard let networks = entry.value.entries else { return entry }
      let own = Self.ownNetworkKeys.union(keepsAliases ? [] : ["aliases"])
      let kept = networks.map { Node.Entry(key: $0.key, value: $0.value.without(own)) }
      return Node.Entry(key: entry.key, value: Node(.mapping(kept), entry.value.span))
    default: return entry
    }
  }
}

extension Node {
  fileprivate func without(_ keys: Set<String>) -> Node {
    guard let entries else { return self }
    return Node(.mapping(entries.filter { !keys.contains($0.key.value) }), span, mergeTag: mergeTag)
  }
}
