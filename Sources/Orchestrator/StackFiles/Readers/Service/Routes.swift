import Addresses
import Vocabulary

extension Field {
  /// `routes:`, each as a mapping or as ip-route(8) has it.
  func routes() -> [StackFile.Route] {
    (items() ?? []).compactMap { item in item.node.entries == nil ? item.shortRoute() : item.longRoute() }
  }

  private func longRoute() -> StackFile.Route? {
    var draft = RouteDraft()
    RouteDraft.keys.read(self, into: &draft)
    if node["to"] == nil {
      report(.missingKey, "a route needs \"to\"", help: ["write `{to: 10.2.0.0/24, via: 10.1.0.2}`"])
    }
    guard let destination = draft.destination else { return nil }
    if let via = draft.via {
      if let blackhole = draft.blackhole {
        report(
          .conflictingKeys, "a route is either by way of a router or a black hole", at: blackhole.span,
          also: [Diagnostic.Label(via.span, "the router")], help: ["leave one of them out"])
      }
      return StackFile.Route(destination: destination, hop: via)
    }
    guard let blackhole = draft.blackhole else {
      if node["via"] == nil { reportNoHop() }
      return nil
    }
    return StackFile.Route(destination: destination, hop: blackhole.map { _ in .blackhole })
  }

  /// `10.2.0.0/24 via 10.1.0.2` or `blackhole 10.9.0.0/16`
  private func shortRoute() -> StackFile.Route? {
    guard let text = nonEmptyText() else { return nil }
    let bytes = Array(text.value.utf8)
    let words = bytes.indices.split { bytes[$0] == 0x20 || bytes[$0] == 0x09 }.map { $0.startIndex..<$0.endIndex }
    func word(_ index: Int) -> String { String(decoding: bytes[words[index]], as: UTF8.self) }
    if words.count == 2, word(0) == "blackhole" {
      return part(words[1]).routeDestination().map {
        StackFile.Route(destination: $0, hop: Located(.blackhole, node.span(of: words[0])))
      }
    }
    guard words.count == 3, word(1) == "via" else {
      reportNoHop()
      return nil
    }
    guard let destination = part(words[0]).routeDestination(), let hop = part(words[2]).routeHop() else { return nil }
    return StackFile.Route(destination: destination, hop: hop)
  }

  private func reportNoHop() {
    report(
      .badRoute, "a route leads nowhere", help: ["write `10.2.0.0/24 via 10.1.0.2` or `blackhole 10.2.0.0/24`"])
  }

  /// A subnet, an address, `default`, or a network's name.
  fileprivate func routeDestination() -> Located<StackFile.Route.Destination>? {
    guard let text = nonEmptyText() else { return nil }
    if text.value == "default" { return text.map { _ in .everywhere } }
    if let address = IPv4Address(text.value), let prefix = IPv4Prefix(containing: address, length: 32) {
      return text.map { _ in .prefix(.v4(prefix)) }
    }
    if let address = IPv6Address(text.value), let prefix = IPv6Prefix(containing: address, length: 128) {
      return text.map { _ in .prefix(.v6(prefix)) }
    }
    if let prefix = IPv6Prefix(text.value) { return text.map { _ in .prefix(.v6(prefix)) } }
    if text.value.contains(":") {
      report(
        .badSubnet, "\"\(Self.shortened(text.value))\" is not a subnet", meantSubnet6(text.value),
        help: ["write the network's address and its length: fd00:1::/64"])
      return nil
    }
    guard text.value.contains("/") || NameRule.object.problem(with: text.value) != nil else {
      return text.map { .network($0) }
    }
    return prefix()?.map { .prefix(.v4($0)) }
  }

  /// An address or a service's name.
  fileprivate func routeHop() -> Located<StackFile.Route.Hop>? {
    guard let text = nonEmptyText() else { return nil }
    if let address = IPAddress(text.value) { return text.map { _ in .address(address) } }
    if text.value.contains(":") { return ipv6Address()?.map { .address(.v6($0)) } }
    // A service cannot be called 10.1.0: what is all digits and dots was to be an address.
    let looksNumeric = text.value.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
    guard !looksNumeric, NameRule.object.problem(with: text.value) == nil else {
      return ipv4Address()?.map { .address(.v4($0)) }
    }
    return text.map { .service($0) }
  }
}

private struct RouteDraft {
  var destination: Located<StackFile.Route.Destination>?
  var via: Located<StackFile.Route.Hop>?
  var blackhole: Located<Bool>?

  static let keys = KeyTable<RouteDraft>(
    "route",
    [
      .read("to", "a subnet, a network's name, or `default`") { field, draft in
        draft.destination = field.routeDestination()
      },
      .read("via", "the router: an address, or a service on the same network or link") { field, draft in
        draft.via = field.routeHop()
      },
      .read("blackhole", "true: packets to there are dropped") { field, draft in
        if field.boolean() == true { draft.blackhole = Located(true, field.span) }
      },
    ])
}

extension Field {
  /// `network_mode:`
  func networkMode() -> Located<StackFile.NetworkMode>? {
    guard let text = nonEmptyText() else { return nil }
    switch text.value {
    case "none": return text.map { _ in .isolated }
    case "host": return text.map { _ in .host }
    case let other where other.hasPrefix("service:") && other != "service:":
      return part("service:".utf8.count..<other.utf8.count).nonEmptyText()?.map { .service($0) }
    case let other where other.hasPrefix("container:"):
      report(
        .notSupported, "\"network_mode\" cannot name a container",
        help: ["name the service: `network_mode: service:web`"])
    case "bridge":
      report(
        .notSupported, "there is no bridge that all stacks share",
        help: ["leave it out for the stack's network `default`, or name some: `networks: [front]`"])
    default: reportChoice(text.value, among: ["none", "host", "service:NAME"])
    }
    return nil
  }
}
