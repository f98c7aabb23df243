/// One pair that a person asks about: `web1` and `db:5432`, `db@back:53/udp`, `db`, `host` or `internet`.
struct ReachRequest {
  let source: String
  let destination: String
  let network: String?
  /// nil for what is known of the destination.
  let traffic: Traffic?

  /// - Throws: what is wrong with the text.
  init(from source: String, to text: String) throws(StackErrors) {
    self.source = source
    var rest = text[...]
    var transport = "tcp"
    var hasTransport = false
    if let slash = rest.lastIndex(of: "/") {
      transport = rest[rest.index(after: slash)...].lowercased()
      rest = rest[..<slash]
      hasTransport = true
    }
    var port: UInt16?
    if let colon = rest.lastIndex(of: ":") {
      guard let number = UInt16(rest[rest.index(after: colon)...]), number > 0 else { throw Self.refusal(text) }
      port = number
      rest = rest[..<colon]
    }
    let parts = rest.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    destination = String(parts.first ?? "")
    network = parts.count == 2 ? String(parts[1]) : nil
    switch (transport, port) {
    case ("tcp", let port?): traffic = .tcp(port)
    case ("udp", let port?): traffic = .udp(port)
    case ("icmp", nil): traffic = .echo
    case (_, nil) where !hasTransport: traffic = nil
    default: throw Self.refusal(text)
    }
    guard !destination.isEmpty, network?.isEmpty != true else { throw Self.refusal(text) }
  }

  private static func refusal(_ text: String) -> StackErrors {
    StackErrors([
      StackError(
        nil, "\(text) is no destination",
        remedy: "write service:port, service:port/udp, service/icmp or service@network:port; or host, or internet")
    ])
  }

  /// The checks of a stack that are meant: where the two share a network, by the addresses there.
  func checks(in stack: DesiredStack, _ matrix: ReachMatrix) throws(StackErrors) -> [ReachCheck] {
    let sources = matrix.rows.filter { isNamed(source, $0, stack) }
    guard !sources.isEmpty else { throw Self.unknown(source, stack) }
    let columns = matrix.columns.filter { column in
      guard traffic == nil || traffic == column.traffic else { return false }
      switch column.target {
      case .service(let name, let network, _):
        return isNamed(destination, .service(name), stack) && column.isIn(self.network ?? network)
      case .linked(let name, let other, _):
        return isNamed(destination, .service(name), stack) && (self.network ?? other) == other
      case .host(let network): return destination == "host" && (self.network ?? network) == network
      case .internet: return destination == "internet"
      case .published: return false
      }
    }
    guard !columns.isEmpty else { throw Self.unknown(destination, stack) }
    return sources.flatMap { source in
      let checks = columns.compactMap { matrix.check(source, $0) }
      let near = checks.filter { $0.isNear(in: stack) }
      return near.isEmpty ? checks : near
    }
  }

  private func isNamed(_ name: String, _ peer: ReachPeer, _ stack: DesiredStack) -> Bool {
    switch peer {
    case .host: name == "host"
    case .service(let instance): name == instance || stack.service(named: instance)?.service == name
    }
  }

  private static func unknown(_ name: String, _ stack: DesiredStack) -> StackErrors {
    StackErrors([
      StackError(
        stack.name, "there is no \(name) to be probed",
        remedy: "there are: \((stack.services.prefix(20).map(\.name) + ["host", "internet"]).joined(separator: ", "))")
    ])
  }
}

extension ReachCheck {
  /// Whether it goes through a network that the source is in.
  func isNear(in stack: DesiredStack) -> Bool {
    guard case .service(let name) = source, let service = stack.service(named: name) else { return true }
    switch column.target {
    case .service(_, let network, let vlan):
      return service.attachments.contains { $0.network == network && $0.isIn(vlan) }
    case .host(let network): return service.attachments.contains { $0.network == network && $0.isIn(nil) }
    case .linked(_, _, let link): return stack.links[link].touches([name])
    case .published, .internet: return true
    }
  }
}
