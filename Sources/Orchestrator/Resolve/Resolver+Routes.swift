import Addresses
import Intent
import StackFiles
import Vocabulary

extension Resolver {
  /// Gives services their routes, with every name in them replaced by its address. A route for everything takes the place
  /// of the one through a network's gateway.
  mutating func route(_ stack: inout DesiredStack) {
    let firsts = stack.services.keyed(by: \.service)
    for index in stack.services.indices {
      let service = stack.services[index]
      guard service.namespace == .own, let wanted = file.services[service.service]?.routes, !wanted.isEmpty else {
        continue
      }
      var routes: [DesiredRoute] = []
      var destinations: Set<IPPrefix> = []
      var surroundings = Surroundings(of: service, in: stack)
      for route in wanted {
        for own in desired(route, of: service, firsts, &surroundings, in: stack) {
          if !destinations.insert(own.destination).inserted {
            report(route, of: service, "there is another one to \(own.destination)", remedy: "leave one of them out")
          }
          check(own, route, of: service, surroundings)
          routes.append(own)
        }
      }
      stack.services[index].routes = routes
      for place in service.attachments.indices {
        if destinations.contains(.anyV4) {
          stack.services[index].attachments[place].isDefaultRoute = false
        }
        if destinations.contains(.anyV6) {
          stack.services[index].attachments[place].ipv6?.isDefaultRoute = false
        }
      }
    }
  }

  /// The networks, addresses and interfaces next to a service, computed once for all of its routes.
  private struct Surroundings {
    let connected: [(name: String, prefix: IPPrefix)]
    let prefixes: Set<IPPrefix>
    let addresses: Set<IPAddress>
    /// Its interfaces; true for those with IPv6.
    let interfaces: [String: Bool]
    /// By the router's name.
    var hops: [String: [DesiredRoute.Hop]] = [:]

    init(of service: DesiredService, in stack: DesiredStack) {
      connected = stack.connectedNetworks(of: service)
      prefixes = Set(connected.map(\.prefix))
      addresses = Set(stack.addresses(of: service))
      interfaces = stack.interfaces(of: service)
    }
  }

  /// The routes that one route of the file becomes. A route to a network with IPv6, or to everywhere, becomes one for
  /// each family that both the service and the router have.
  private mutating func desired(
    _ route: StackFile.Route, of service: DesiredService, _ firsts: [String: DesiredService],
    _ surroundings: inout Surroundings,
    in stack: DesiredStack
  ) -> [DesiredRoute] {
    // A network that got no subnet has been reported.
    let meant: [IPPrefix] =
      switch route.destination.value {
      case .prefix(let prefix): [prefix]
      case .everywhere: [.anyV4, .anyV6]
      case .network(let name): stack.network(named: name)?.subnets ?? []
      }
    let destinations = meant.filter { $0.network.isV4 || service.speaksIPv6 }
    if destinations.isEmpty, !meant.isEmpty {
      report(route, of: service, "\(service.name) has no IPv6", remedy: "give it some, or leave the route out")
      return []
    }
    let place = SourceLine(route.destination.span.place)
    var hops: [DesiredRoute.Hop] = []
    for hop in route.hops {
      switch hop.value {
      case .blackhole: return destinations.map { DesiredRoute(destination: $0, declaredAt: place) }
      case .address(let address, let interface): hops.append(DesiredRoute.Hop(gateway: address, interface: interface))
      case .service(let name):
        guard let router = firsts[name] else {
          report(route, of: service, "\(name) does not run", remedy: "bring it up too, or leave the route out")
          return []
        }
        let near = surroundings.hops[name] ?? self.hops(to: router, from: service, in: stack)
        surroundings.hops[name] = near
        // Where the family is not asked for by itself, a link-local address would bring a route that nobody meant.
        let meant = near.filter { $0.interface == nil || route.destination.value.isPrefix }
        guard meant.contains(where: { hop in destinations.contains { hop.gateway.isV4 == $0.network.isV4 } }) else {
          let family = destinations.first?.network.isV4 == false ? "IPv6" : "IPv4"
          report(
            route, of: service,
            "\(route.hops.count == 1 ? "the router" : name) has no \(family) address that \(service.name) is beside",
            remedy: "give it one on a network or link that the two share, or leave the route out")
          return []
        }
        hops += meant
      }
    }
    let routes = destinations.compactMap { destination -> DesiredRoute? in
      let fitting = hops.filter { $0.gateway.isV4 == destination.network.isV4 }.uniqued()
      return fitting.isEmpty ? nil : DesiredRoute(destination: destination, hops: fitting, declaredAt: place)
    }
    if routes.isEmpty, let hop = hops.first {
      report(
        route, of: service, "\(service.name) has no \(hop.gateway.isV4 ? "IPv4" : "IPv6")",
        remedy: "give it some, or leave the route out")
    }
    return routes
  }

  /// A router's addresses next to a service, one of each family: on the first network that both are on, else on a link.
  ///
  /// The link-local address is used if a link has no other IPv6 address.
  private func hops(to router: DesiredService, from service: DesiredService, in stack: DesiredStack) -> [DesiredRoute
    .Hop]
  {
    let known = [true, false].compactMap { address(of: router, nextTo: service, in: stack, isV4: $0) }
    let hops = known.map { DesiredRoute.Hop(gateway: $0) }
    guard !known.contains(where: { !$0.isV4 }) else { return hops }
    for (end, other, link) in stack.farEnds(of: service) where other.service == router.name {
      guard let local = link.everyAddress(of: other).first(where: { $0.address.isLinkLocal6 }) else { continue }
      return hops + [DesiredRoute.Hop(gateway: local.address, interface: end.interface)]
    }
    return hops
  }

  /// A router's address where a service meets it: on the first network that both are on, else on a link.
  private func address(
    of router: DesiredService, nextTo service: DesiredService, in stack: DesiredStack, isV4: Bool
  ) -> IPAddress? {
    for attachment in service.attachments {
      guard let other = router.attachments.first(where: { $0.network == attachment.network }) else { continue }
      guard isV4 else {
        if attachment.ipv6 != nil, let address = other.ipv6?.address { return .v6(address) }
        continue
      }
      for id in [attachment.accessVLAN] + attachment.subinterfaces.map(\.vlan) {
        if let address = other.address(in: id) { return .v4(address) }
      }
    }
    let near = stack.farEnds(of: service).filter { $0.other.service == router.name }
    return near.flatMap(\.other.addresses).map(\.address).first { $0.isV4 == isV4 && !$0.isLinkLocal6 }
  }

  private mutating func check(
    _ route: DesiredRoute, _ wanted: StackFile.Route, of service: DesiredService, _ surroundings: Surroundings
  ) {
    let connected = surroundings.connected
    if surroundings.prefixes.contains(route.destination),
      let network = connected.first(where: { $0.prefix == route.destination })
    {
      report(
        wanted, of: service, "\(route.destination) is \(network.name), which the service is on",
        remedy: "leave the route out")
    }
    for hop in route.hops { check(hop, wanted, of: service, surroundings) }
  }

  private mutating func check(
    _ hop: DesiredRoute.Hop, _ wanted: StackFile.Route, of service: DesiredService, _ surroundings: Surroundings
  ) {
    let (gateway, connected) = (hop.gateway, surroundings.connected)
    guard !surroundings.addresses.contains(gateway) || gateway.isLinkLocal6 else {
      return report(wanted, of: service, "\(gateway) is the service's own address", remedy: "name the router's")
    }
    if let interface = hop.interface {
      guard let hasIPv6 = surroundings.interfaces[interface] else {
        let known = surroundings.interfaces.keys.sorted().joined(separator: ", ")
        return report(
          wanted, of: service, "there is no interface \(interface): \(known.isEmpty ? "none" : known)",
          remedy: "name the one that the router is on")
      }
      guard gateway.isV4 || hasIPv6 else {
        return report(
          wanted, of: service, "\(interface) has no IPv6", remedy: "give it some, or leave the route out")
      }
      if gateway.isLinkLocal6 { return }
    }
    guard !connected.contains(where: { $0.prefix.contains(gateway) }) else { return }
    let places = connected.map { "\($0.name) \($0.prefix)" }.joined(separator: ", ")
    report(
      wanted, of: service, "\(gateway) is on none of the service's networks: \(places.isEmpty ? "none" : places)",
      remedy: "name a router on one of them")
  }

  private mutating func report(
    _ route: StackFile.Route, of service: DesiredService, _ problem: String, remedy: String
  ) {
    errors.append(
      StackError(
        "\(stackName)/\(service.name)", "the route \(route.text) cannot be: \(problem)",
        remedy: "\(remedy) in \(route.destination.span.place)"))
  }
}

extension DesiredStack {
  /// The networks that a service has interfaces in, with their names in messages.
  func connectedNetworks(of service: DesiredService) -> [(name: String, prefix: IPPrefix)] {
    service.attachments.flatMap { attachment -> [(name: String, prefix: IPPrefix)] in
      guard let network = network(named: attachment.network) else { return [] }
      let own: (name: String, prefix: IPPrefix) = ("network \(network.name)", .v4(network.subnet(of: attachment)))
      let second = attachment.ipv6.flatMap { _ in network.ipv6 }.map {
        ("network \(network.name)", IPPrefix.v6($0.subnet))
      }
      let further = attachment.furtherAddresses.filter { !$0.isSingle }.compactMap(\.network).map {
        (name: "network \(network.name)", prefix: $0)
      }
      return [own] + [second].compactMap(\.self) + further
        + attachment.subinterfaces.compactMap { interface in
          interface.address.flatMap { IPv4Prefix(containing: $0, length: interface.length) }
            .map { ("VLAN \(interface.vlan) of \(network.name)", .v4($0)) }
        }
    }
      + ends(of: service).flatMap { end, other in
        end.addresses.compactMap { address in address.network.map { ("the link to \(other.service)", $0) } }
      }
  }

  func addresses(of service: DesiredService) -> [IPAddress] {
    service.attachments.flatMap(\.everyAddress) + service.loopback.map(\.address)
      + ends(of: service).flatMap { $0.end.addresses.map(\.address) }
  }

  /// The interfaces of a service, each with whether it has IPv6.
  func interfaces(of service: DesiredService) -> [String: Bool] {
    var found: [String: Bool] = [:]
    for attachment in service.attachments {
      found[attachment.interface] = attachment.ipv6 != nil
      for inner in attachment.subinterfaces { found[inner.interface] = false }
    }
    for link in links {
      for end in link.ends where end.service == service.name { found[end.interface] = link.hasIPv6(at: end) }
    }
    return found
  }

  /// A service's ends of links, each with the other end.
  func ends(of service: DesiredService) -> [(end: DesiredLink.End, other: DesiredLink.End)] {
    links.compactMap { link in
      if link.first.service == service.name { return (link.first, link.second) }
      return link.second.service == service.name ? (link.second, link.first) : nil
    }
  }
}

extension StackFile.Route.Destination {
  /// True if it names addresses, and so the family.
  fileprivate var isPrefix: Bool { if case .prefix = self { true } else { false } }
}
