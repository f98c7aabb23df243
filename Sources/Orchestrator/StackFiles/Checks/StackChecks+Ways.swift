import Addresses
import Vocabulary

extension StackChecks {
  /// Routes that cannot work however the rest turns out: by way of an address that nobody has, or round in a circle.
  func checkWays() {
    let domains = cableDomains
    for service in stack.services {
      for hop in service.routes.flatMap(\.hops) {
        if case .address(let address, nil) = hop.value { checkOwner(of: Located(address, hop.span), service, domains) }
      }
    }
    checkCircles()
  }

  // MARK: - Addresses that nobody has

  /// On a link, all addresses are in the file; on a network, where each service there has a fixed one.
  private func checkOwner(of router: Located<IPAddress>, _ service: StackFile.Service, _ domains: CableDomains) {
    let own = stack.links.indices.filter { index in
      stack.links[index].ends.contains { $0.service.value == service.name.value }
    }
    let addresses = Set(own.flatMap(domains.cables)).flatMap { stack.links[$0].ends }.flatMap(\.addresses)
    guard !addresses.contains(where: { $0.value.address == router.value }) else { return }
    for index in own {
      let link = stack.links[index]
      let own = link.ends.filter { $0.service.value == service.name.value }.flatMap(\.addresses)
      guard own.contains(where: { $0.value.network?.contains(router.value) ?? false }) else { continue }
      let others = domains.cables(with: index).flatMap { stack.links[$0].ends }
        .filter { $0.service.value != service.name.value }.flatMap(\.addresses)
        .filter { $0.value.address.isV4 == router.value.isV4 }
      return report(
        router, service, others.map { Diagnostic.Label($0.span, "the other end has \($0.value.address)") })
    }
    guard case .v4(let address) = router.value else { return }
    for attachment in service.attachments {
      guard let network = stack.networks[attachment.network.value], network.external == nil, network.vlans.isEmpty,
        network.driver.map({ $0.value == .bridge }) ?? true, let subnet = network.subnet,
        subnet.value.contains(address)
      else { continue }
      let here = stack.services.flatMap { other in
        other.attachments.filter { $0.network.value == network.name.value }.map { ($0, other.scale.value) }
      }
      let isKnown = here.allSatisfy { $0.0.address != nil && $0.0.claims.isEmpty && $0.1 == 1 }
      let isGateway =
        network.hasHost
        && network.gateway.map { $0.value == address } ?? (address.bits == subnet.value.network.bits + 1)
      let isHeld = here.contains { attachment, _ in
        attachment.address?.value == address
          || attachment.furtherAddresses.contains { $0.value.address == router.value }
      }
      guard isKnown, !isGateway, !isHeld else { return }
      return report(router, service, [Diagnostic.Label(subnet.span, "none of the services here has it")])
    }
  }

  private func report(_ router: Located<IPAddress>, _ service: StackFile.Service, _ places: [Diagnostic.Label]) {
    diagnostics.add(
      Diagnostic(
        .routerOfNobody,
        "service \"\(service.name.value)\" routes by way of \(router.value), which nobody has", at: router.span,
        also: places, help: ["name an address of the router, or the router itself"]))
  }

  private func links(of service: StackFile.Service) -> [StackFile.Link] {
    stack.links.filter { link in link.ends.contains { $0.service.value == service.name.value } }
  }

  // MARK: - Circles

  /// Each circle once, for the first service of the file that is in it.
  private func checkCircles() {
    var known: Set<[String]> = []
    for service in stack.services where service.forwarding?.value == true {
      for route in service.routes {
        guard let circle = circle(from: service, route), let last = circle.last?.route.hops.first,
          let first = route.hops.first
        else { continue }
        let names = circle.map(\.service.name.value)
        guard known.insert(["\(route.destination.value)"] + names.sorted()).inserted else { continue }
        diagnostics.add(
          Diagnostic(
            .routesInCircle,
            "packets to \(route.destination.value) go round in a circle: \((names + [names[0]]).joined(separator: ", "))",
            at: first.span,
            also: [Diagnostic.Label(last.span, "from \(names.last ?? "") they come back")],
            help: ["one of the routers needs a route by another way"]))
      }
    }
  }

  private typealias Step = (service: StackFile.Service, route: StackFile.Route)

  /// The routers that a packet to the route's destination passes from a service on, if the last sends it back to the first.
  private func circle(from first: StackFile.Service, _ route: StackFile.Route) -> [Step]? {
    var steps: [Step] = [(first, route)]
    while let last = steps.last, let next = router(of: last.route), next.forwarding?.value == true {
      if next.name.value == first.name.value { return steps }
      guard !steps.contains(where: { $0.service.name.value == next.name.value }), !isOn(route.destination.value, next),
        let onward = self.route(to: route.destination.value, of: next)
      else { return nil }
      steps.append((next, onward))
    }
    return nil
  }

  /// The service that a route goes by way of, as far as the file tells. Of several, the kernel chooses.
  private func router(of route: StackFile.Route) -> StackFile.Service? {
    guard let hop = route.hops.first, route.hops.count == 1 else { return nil }
    switch hop.value {
    case .blackhole, .address(_, interface: _?): return nil
    case .service(let name): return stack.services[name]
    case .address(let address, nil):
      let end = stack.links.flatMap(\.ends).first { end in end.addresses.contains { $0.value.address == address } }
      if let end { return stack.services[end.service.value] }
      return stack.services.first { service in
        service.attachments.contains {
          $0.address.map { .v4($0.value) == address } ?? false || $0.address6.map { .v6($0.value) == address } ?? false
            || $0.furtherAddresses.contains { $0.value.address == address }
        }
      }
    }
  }

  private func isOn(_ destination: StackFile.Route.Destination, _ service: StackFile.Service) -> Bool {
    switch destination {
    case .everywhere: return false
    case .network(let name): return service.attachments.contains { $0.network.value == name }
    case .prefix(let prefix):
      let linked = links(of: service).flatMap(\.ends).filter { $0.service.value == service.name.value }
        .flatMap(\.addresses).compactMap(\.value.network)
      let further = (service.attachments.flatMap(\.furtherAddresses) + service.loopback).compactMap(\.value.network)
      let joined = service.attachments.compactMap { stack.networks[$0.network.value] }.flatMap(Self.subnets)
      return prefix.length > 0 && (linked + further + joined).contains { $0.overlaps(prefix) }
    }
  }

  /// The route that a packet to a destination takes: the longest that covers it.
  private func route(
    to destination: StackFile.Route.Destination, of service: StackFile.Service
  ) -> StackFile.Route? {
    if let same = service.routes.first(where: { $0.destination.value == destination }) { return same }
    let wanted: [IPPrefix] =
      switch destination {
      case .prefix(let prefix): [prefix]
      case .network(let name): stack.networks[name].map(Self.subnets) ?? []
      case .everywhere: []
      }
    func length(_ route: StackFile.Route) -> Int? {
      switch route.destination.value {
      case .everywhere: return 0
      case .network(let name):
        let subnets = stack.networks[name].map(Self.subnets) ?? []
        return subnets.first { own in wanted.contains { own.length <= $0.length && own.contains($0.network) } }?.length
      case .prefix(let own):
        return wanted.contains { own.length <= $0.length && own.contains($0.network) } ? own.length : nil
      }
    }
    return service.routes.filter { length($0) != nil }.max { (length($0) ?? 0) < (length($1) ?? 0) }
  }

  private static func subnets(_ network: StackFile.Network) -> [IPPrefix] {
    [network.subnet.map { .v4($0.value) }, network.subnet6.map { .v6($0.value) }].compactMap(\.self)
  }
}
