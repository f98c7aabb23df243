import Intent
import Vocabulary

/// One pair that a person asks about: `web1` and `db:5432`, `db@back:53/udp`, `db`, `host` or `internet`.
package struct ReachRequest: CustomStringConvertible {
  let source: String
  package let destination: String
  let network: String?
  /// nil for what is known of the destination.
  package let traffic: Traffic?

  /// The stack that is named before a slash: `web/web1`.
  package let stack: String?
  private let destinationText: String

  package var description: String { "\(source) -> \(destinationText)" }

  /// - Throws: what is wrong with the text.
  package init(from sourceText: String, to text: String) throws(StackErrors) {
    let (stack, own) = Self.split(sourceText)
    let (other, wanted) = Self.split(text)
    guard stack == nil || other == nil || stack == other else {
      throw StackErrors([
        StackError(
          nil, "\(sourceText) and \(text) are of different stacks",
          remedy: "ask from each about the host's published port: stack reach \(sourceText) host:PORT")
      ])
    }
    (self.stack, source, destinationText) = (stack ?? other, own, wanted)
    var rest = wanted[...]
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

  /// Splits `stack/service` at its first slash. `db:53/udp` has no stack, since a transport follows its slash.
  private static func split(_ text: String) -> (stack: String?, rest: String) {
    guard let slash = text.firstIndex(of: "/") else { return (nil, text) }
    let (head, tail) = (text[..<slash], text[text.index(after: slash)...])
    let isTransport = ["tcp", "udp", "icmp", "sctp", "dccp"].contains(tail.lowercased())
    guard !isTransport, !head.isEmpty, !head.contains(":"), !head.contains("@"), !tail.isEmpty else {
      return (nil, text)
    }
    return (String(head), String(tail))
  }

  private static func refusal(_ text: String) -> StackErrors {
    StackErrors([
      StackError(
        nil, "\(text) is no destination",
        remedy: "write service:port, service:port/udp, service/icmp or service@network:port; or host, or internet")
    ])
  }

  /// The checks of a stack that are meant: where the two share a network, by the addresses there.
  package func checks(in stack: DesiredStack, _ matrix: ReachMatrix) throws(StackErrors) -> [ReachCheck] {
    let sources = matrix.rows.filter { isNamed(source, $0, stack) }
    guard !sources.isEmpty else { throw refusal(of: source, on: nil, stack) }
    let columns = matrix.columns.filter { column in
      guard traffic == nil || traffic == column.traffic else { return false }
      switch column.target {
      case .service(let name, let network, _):
        return isNamed(destination, .service(name), stack) && column.isIn(self.network ?? network)
      case .linked(let name, let other, _):
        return isNamed(destination, .service(name), stack) && column.isIn(self.network ?? other)
      case .loopback(let name):
        return isNamed(destination, .service(name), stack) && column.isIn(self.network ?? FurtherAddress.loopback)
      case .host(let network): return destination == "host" && column.isIn(self.network ?? network)
      case .internet: return destination == "internet"
      case .published: return false
      }
    }
    guard !columns.isEmpty else { throw refusal(of: destination, on: network, stack) }
    let checks = sources.flatMap { source in
      let checks = columns.compactMap { matrix.check(source, $0) }
      let near = checks.filter { $0.isNear(in: stack) }
      return near.isEmpty ? checks : near
    }
    guard !checks.isEmpty else { throw nothingToAsk(sources, columns, stack) }
    return checks
  }

  private func isNamed(_ name: String, _ peer: ReachPeer, _ stack: DesiredStack) -> Bool {
    switch peer {
    case .host: name == "host"
    case .service(let instance): name == instance || stack.service(named: instance)?.service == name
    }
  }

  // MARK: What cannot be asked

  private func refusal(of name: String, on network: String?, _ stack: DesiredStack) -> StackErrors {
    let known = stack.services.prefix(20).map(\.name) + ["host", "internet"]
    var error = StackError(
      stack.name, "there is no \(name) to be probed", remedy: "there are: \(known.joined(separator: ", "))")
    if name == "internet" {
      error = StackError(stack.name, "the host has no default route, so nothing of the internet can be asked")
    } else if name == "host" {
      let places = stack.networks.filter { !$0.hostAddresses.isEmpty }.map(\.name)
      error = Self.absence(of: name, from: network, in: stack, places)
    } else if let service = stack.services.first(where: { $0.name == name || $0.service == name }) {
      switch service.namespace {
      case .own: error = Self.absence(of: name, from: network, in: stack, stack.places(of: service))
      case .host:
        error = StackError(stack.name, "\(name) is on the host's own network", remedy: "ask for it as: host")
      case .service(let owner):
        error = StackError(stack.name, "\(name) is in the network of \(owner)", remedy: "ask for it as: \(owner)")
      }
    }
    return StackErrors([error])
  }

  private static func absence(
    of name: String, from network: String?, in stack: DesiredStack, _ places: [String]
  ) -> StackError {
    StackError(
      stack.name, "\(name) is " + (network.map { "not on \($0)" } ?? "on no network"),
      remedy: places.isEmpty ? nil : "it is on \(places.joined(separator: ", "))")
  }

  private func nothingToAsk(_ sources: [ReachPeer], _ columns: [ReachColumn], _ stack: DesiredStack) -> StackErrors {
    let reason: String
    if source == destination {
      reason = "what somebody sends to himself passes no network"
    } else if sources == [.host], destination == "internet" {
      reason = "what the host sends beyond itself passes no network of the stack"
    } else if sources == [.host] {
      reason = "the host has no part in links between services"
    } else {
      reason = "the file does not say what becomes of it: the host (by rp_filter) or another machine decides"
    }
    return StackErrors([StackError(stack.name, "\(source) -> \(destination) cannot be probed: \(reason)")])
  }
}

extension DesiredStack {
  /// The places of a service, as they stand behind `@`: networks, VLANs, and the services at the other ends of its
  /// links.
  fileprivate func places(of service: DesiredService) -> [String] {
    let networks = service.attachments.flatMap { attachment -> [String] in
      let vlans: [UInt16?] = [attachment.accessVLAN] + attachment.subinterfaces.map(\.vlan)
      return vlans.map { vlan in attachment.network + (vlan.map { ".\($0)" } ?? "") }
    }
    let neighbours = links.filter { $0.touches([service.name]) }.flatMap { $0.ends.map(\.service) }
    return networks + neighbours.filter { $0 != service.name }
      + (service.loopback.isEmpty ? [] : [FurtherAddress.loopback])
  }
}

extension ReachCheck {
  /// True if it goes through a network that the source is in.
  func isNear(in stack: DesiredStack) -> Bool {
    guard case .service(let name) = source, let service = stack.service(named: name) else { return true }
    switch column.target {
    case .service(_, let network, let vlan):
      return service.attachments.contains { $0.network == network && $0.isIn(vlan) }
    case .host(let network): return service.attachments.contains { $0.network == network && $0.isIn(nil) }
    case .linked(_, _, let link): return stack.links[link].touches([name])
    case .loopback: return false
    case .published, .internet: return true
    }
  }
}
