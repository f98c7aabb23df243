import Netlink

extension Resolver {
  /// Gives services their routes, with every name in them replaced by its address. A route for everything takes the place
  /// of the one through a network's gateway.
  mutating func route(_ stack: inout DesiredStack) {
    let firsts = Dictionary(stack.services.map { ($0.service, $0) }, uniquingKeysWith: { first, _ in first })
    for index in stack.services.indices {
      let service = stack.services[index]
      guard service.namespace == .own, let wanted = file.services[service.service]?.routes, !wanted.isEmpty else {
        continue
      }
      let routes = wanted.compactMap { route -> DesiredRoute? in
        guard let destination = destination(of: route, in: stack) else { return nil }
        let place = SourceLine(route.destination.span.place)
        switch route.hop.value {
        case .blackhole: return DesiredRoute(destination: destination, gateway: nil, declaredAt: place)
        case .address(let address):
          return DesiredRoute(destination: destination, gateway: address, declaredAt: place)
        case .service(let name):
          guard let router = firsts[name] else {
            report(route, of: service, "\(name) does not run", remedy: "bring it up too, or leave the route out")
            return nil
          }
          return address(of: router, nextTo: service, in: stack).map {
            DesiredRoute(destination: destination, gateway: $0, declaredAt: place)
          }
        }
      }
      for (route, wanted) in zip(routes, wanted) { check(route, wanted, of: service, in: stack) }
      stack.services[index].routes = routes
      if routes.contains(where: { $0.destination == .anyV4 }) {
        for place in service.attachments.indices { stack.services[index].attachments[place].isDefaultRoute = false }
      }
    }
  }

  private func destination(of route: StackFile.Route, in stack: DesiredStack) -> IPPrefix? {
    switch route.destination.value {
    case .prefix(let prefix): prefix
    // One that got no subnet has been reported.
    case .network(let name): stack.network(named: name).map { .v4($0.subnet) }
    }
  }

  /// A router's address where a service meets it: on the first network that both are on, else on a link.
  private func address(of router: DesiredService, nextTo service: DesiredService, in stack: DesiredStack) -> IPAddress?
  {
    for attachment in service.attachments {
      guard let other = router.attachments.first(where: { $0.network == attachment.network }) else { continue }
      for id in [attachment.accessVLAN] + attachment.subinterfaces.map(\.vlan) {
        if let address = other.address(in: id) { return .v4(address) }
      }
    }
    return stack.links.lazy.filter { $0.touches([service.name]) && $0.touches([router.name]) }
      .compactMap { link in link.ends.first { $0.service == router.name }?.addresses.first?.address }.first
  }

  private mutating func check(
    _ route: DesiredRoute, _ wanted: StackFile.Route, of service: DesiredService, in stack: DesiredStack
  ) {
    let connected = stack.connectedNetworks(of: service)
    if let network = connected.first(where: { $0.prefix == route.destination }) {
      report(
        wanted, of: service, "\(route.destination) is \(network.name), which the service is on",
        remedy: "leave the route out")
    }
    guard let gateway = route.gateway else { return }
    guard !stack.addresses(of: service).contains(gateway) else {
      return report(wanted, of: service, "\(gateway) is the service's own address", remedy: "name the router's")
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
  /// What a service has interfaces in, with what to call each.
  func connectedNetworks(of service: DesiredService) -> [(name: String, prefix: IPPrefix)] {
    service.attachments.flatMap { attachment -> [(name: String, prefix: IPPrefix)] in
      guard let network = network(named: attachment.network) else { return [] }
      let own: (name: String, prefix: IPPrefix) = ("network \(network.name)", .v4(network.subnet(of: attachment)))
      return [own]
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
    service.attachments.flatMap(\.everyAddress) + ends(of: service).flatMap { $0.end.addresses.map(\.address) }
  }

  /// A service's ends of links, each with the other end.
  func ends(of service: DesiredService) -> [(end: DesiredLink.End, other: DesiredLink.End)] {
    links.compactMap { link in
      if link.first.service == service.name { return (link.first, link.second) }
      return link.second.service == service.name ? (link.second, link.first) : nil
    }
  }
}
