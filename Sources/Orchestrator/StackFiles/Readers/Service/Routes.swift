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
    if let via = draft.hops.first {
      if let blackhole = draft.blackhole {
        report(
          .conflictingKeys, "a route is either by way of a router or a black hole", at: blackhole.span,
          also: [Diagnostic.Label(via.span, "the router")], help: ["leave one of them out"])
      }
      guard let interface = draft.interface else { return StackFile.Route(destination: destination, hops: draft.hops) }
      guard draft.hops.count == 1 else {
        report(
          .badRoute, "\"dev\" is for a route by way of one router", at: interface.span,
          help: ["write the interface behind each: `via: [fe80::1%eth0, fe80::2%eth1]`"])
        return nil
      }
      return hop(via, on: interface).map { StackFile.Route(destination: destination, hops: [$0]) }
    }
    guard let blackhole = draft.blackhole else {
      if node["via"].map({ $0.isNull || $0.items?.isEmpty == true }) ?? true { reportNoHop() }
      return nil
    }
    return StackFile.Route(destination: destination, hops: [blackhole.map { _ in .blackhole }])
  }

  /// `10.2.0.0/24 via 10.1.0.2` or `blackhole 10.9.0.0/16`
  private func shortRoute() -> StackFile.Route? {
    guard let text = nonEmptyText() else { return nil }
    let bytes = Array(text.value.utf8)
    let words = bytes.indices.split { bytes[$0] == 0x20 || bytes[$0] == 0x09 }.map { $0.startIndex..<$0.endIndex }
    func word(_ index: Int) -> String { String(decoding: bytes[words[index]], as: UTF8.self) }
    if words.count == 2, word(0) == "blackhole" {
      return part(words[1]).routeDestination().map {
        StackFile.Route(destination: $0, hops: [Located(.blackhole, node.span(of: words[0]))])
      }
    }
    guard words.count > 2 else {
      reportNoHop()
      return nil
    }
    let destination = part(words[0]).routeDestination()
    var hops: [Located<StackFile.Route.Hop>] = []
    var place = 1
    while place < words.count {
      if word(place) == "nexthop" { place += 1 }
      guard place + 1 < words.count, word(place) == "via" else {
        reportNoHop()
        return nil
      }
      guard var own = part(words[place + 1]).routeHop() else { return nil }
      place += 2
      if place + 1 < words.count, word(place) == "dev" {
        guard let interface = part(words[place + 1]).interfaceName(), let placed = hop(own, on: interface) else {
          return nil
        }
        own = placed
        place += 2
      }
      hops.append(own)
    }
    return destination.map { StackFile.Route(destination: $0, hops: hops) }
  }

  /// A router's address on an interface; nil, with a diagnostic, for what is none.
  private func hop(
    _ hop: Located<StackFile.Route.Hop>, on interface: Located<String>
  ) -> Located<StackFile.Route.Hop>? {
    guard case .address(let address, let known) = hop.value, known.map({ $0 == interface.value }) ?? true else {
      report(
        .badRoute, "\"dev \(interface.value)\" follows a router's address", at: interface.span,
        also: [Diagnostic.Label(hop.span, "this is a service, or on another interface")],
        help: ["write `via fe80::1 dev \(interface.value)`"])
      return nil
    }
    return hop.map { _ in .address(address, interface: interface.value) }
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

  /// One or several.
  fileprivate func routeHops() -> [Located<StackFile.Route.Hop>] {
    if let items = node.items { return items.compactMap { with($0).routeHop() } }
    return routeHop().map { [$0] } ?? []
  }

  /// An address, one with its interface (`fe80::1%eth0`, RFC 4007, 11), or a service's name.
  fileprivate func routeHop() -> Located<StackFile.Route.Hop>? {
    guard let text = nonEmptyText() else { return nil }
    if let address = IPAddress(text.value) { return text.map { _ in .address(address, interface: nil) } }
    let bytes = Array(text.value.utf8)
    if text.value.contains(":"), let sign = bytes.firstIndex(of: UInt8(ascii: "%")) {
      guard let address = part(0..<sign).ipv6Address(),
        let interface = part(sign + 1..<bytes.count).interfaceName()
      else { return nil }
      return text.map { _ in .address(.v6(address.value), interface: interface.value) }
    }
    if text.value.contains(":") { return ipv6Address()?.map { .address(.v6($0), interface: nil) } }
    // A service cannot be called 10.1.0: what is all digits and dots was to be an address.
    let looksNumeric = text.value.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
    guard !looksNumeric, NameRule.object.problem(with: text.value) == nil else {
      return ipv4Address()?.map { .address(.v4($0), interface: nil) }
    }
    return text.map { .service($0) }
  }
}

private struct RouteDraft {
  var destination: Located<StackFile.Route.Destination>?
  var hops: [Located<StackFile.Route.Hop>] = []
  var interface: Located<String>?
  var blackhole: Located<Bool>?

  static let keys = KeyTable<RouteDraft>(
    "route",
    [
      .read("to", "a subnet, a network's name, or `default`") { field, draft in
        draft.destination = field.routeDestination()
      },
      .read("via", "the router: an address, or a service on the same network or link; or several") { field, draft in
        draft.hops = field.routeHops()
      },
      .read("dev", "the interface that a link-local router is on") { field, draft in
        draft.interface = field.interfaceName()
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
      let name = String(other.dropFirst("container:".count))
      if let service = context.containers[name] { return text.map { _ in .service(service) } }
      report(
        .notSupported, "\"network_mode\" names the container \"\(Self.shortened(name))\", which is not of this stack",
        help: ["put both into one stack, and name the service: `network_mode: service:web`"])
    case "bridge":
      report(
        .ignoredKey, "\"network_mode: bridge\" has no effect: the service is on the stack's network `default`",
        help: ["services of other stacks are reached by a network that both name: `external: true`"])
    default: reportChoice(text.value, among: ["none", "host", "service:NAME"])
    }
    return nil
  }
}
