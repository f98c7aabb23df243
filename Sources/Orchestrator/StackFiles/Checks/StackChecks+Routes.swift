import Addresses
import Vocabulary

extension StackChecks {
  /// Routes to different places, each by way of something that the service reaches. Where the file leaves a subnet open,
  /// that is seen when it has been chosen.
  func checkRoutes() {
    let linked = Dictionary(grouping: stack.links.flatMap(\.ends)) { $0.service.value }
    var peers: [String: Set<String>] = [:]
    for link in stack.links {
      let (first, second) = (link.first.service.value, link.second.service.value)
      peers[first, default: []].insert(second)
      peers[second, default: []].insert(first)
    }
    let domains = cableDomains
    for (index, link) in stack.links.enumerated() where domains.cables(with: index).count > 1 {
      let others = domains.cables(with: index).flatMap { stack.links[$0].ends }.map(\.service.value)
      for end in link.ends { peers[end.service.value, default: []].formUnion(others) }
    }
    for service in stack.services where !service.routes.isEmpty {
      let surroundings = surroundings(
        of: service, ends: linked[service.name.value] ?? [], peers: peers[service.name.value] ?? [])
      var first: [StackFile.Route.Destination: Span] = [:]
      for route in service.routes {
        if let other = first.updateValue(route.destination.span, forKey: route.narrowDestination) {
          diagnostics.add(
            Diagnostic(
              .badRoute, "service \"\(service.name.value)\" has two routes to \(route.destination.value)",
              at: route.destination.span, "again here", also: [Diagnostic.Label(other, "first here")]))
        }
        checkDestination(route, of: service)
        var hops: [StackFile.Route.Hop: Span] = [:]
        for hop in route.hops {
          if let other = hops.updateValue(hop.span, forKey: hop.value) {
            diagnostics.add(
              Diagnostic(
                .badRoute, "a route goes by way of the same router twice", at: hop.span, "again here",
                also: [Diagnostic.Label(other, "first here")]))
          }
          check(hop, of: route, of: service, in: surroundings)
        }
      }
    }
  }

  private func check(
    _ hop: Located<StackFile.Route.Hop>, of route: StackFile.Route, of service: StackFile.Service,
    in surroundings: Surroundings
  ) {
    switch hop.value {
    case .blackhole: break
    case .service(let name): checkRouter(Located(name, hop.span), of: service, in: surroundings)
    case .address(let address, let interface):
      guard checkFamily(of: Located(address, hop.span), route) else { return }
      guard address.isLinkLocal6 else { return checkNear(Located(address, hop.span), in: surroundings, of: service) }
      guard interface == nil else { return }
      diagnostics.add(
        Diagnostic(
          .badRoute, "a route by way of \(address) needs the interface that the router is on", at: hop.span,
          "each interface has link-local neighbours", help: ["write it behind the address: `\(address) dev eth0`"]))
    }
  }

  /// The neighbours that a service reaches without a router, computed once for all of its routes.
  private struct Surroundings {
    /// Services at the other ends of its links.
    var peers: Set<String>
    var networks: Set<String>
    /// Its subnets of each family; nil where one is not known yet, since that may turn out to hold any address.
    var subnets4: [Located<IPPrefix>]?
    var subnets6: [Located<IPPrefix>]?
  }

  private func surroundings(
    of service: StackFile.Service, ends: [StackFile.Link.End], peers: Set<String>
  ) -> Surroundings {
    let links = (ends.flatMap(\.addresses) + service.attachments.flatMap(\.furtherAddresses)).compactMap { address in
      address.value.network.map { Located($0, address.span) }
    }
    let known4 = service.attachments.map { attachment in
      stack.networks[attachment.network.value].flatMap { $0.subnet(of: attachment) }
    }
    let networks = service.attachments.map { stack.networks[$0.network.value] }
    let isKnown6 = networks.allSatisfy { $0?.external == nil && ($0?.hasIPv6 == false || $0?.subnet6 != nil) }
    return Surroundings(
      peers: peers, networks: Set(service.attachments.map(\.network.value)),
      subnets4: known4.allSatisfy { $0 != nil }
        ? known4.compactMap { $0?.map { .v4($0) } } + trunkSubnets(of: service) + links : nil,
      subnets6: isKnown6
        ? (networks.compactMap { $0?.subnet6?.map { .v6($0) } } + links).filter { !$0.value.network.isV4 } : nil)
  }

  private func checkDestination(_ route: StackFile.Route, of service: StackFile.Service) {
    guard case .network(let name) = route.destination.value, stack.networks[name] == nil else {
      return checkJoined(route, by: service)
    }
    let meant = Suggestion.closest(
      to: name, among: stack.networks.lazy.filter { !$0.isImplicit }.map(\.name.value))
    let declared = meant.flatMap { stack.networks[$0] }
    diagnostics.add(
      Diagnostic(
        .undefinedNetwork, "service \"\(service.name.value)\" has a route to undefined network \"\(name)\"",
        at: route.destination.span, meant.map { "did you mean \"\($0)\"?" } ?? "",
        also: declared.map { [Diagnostic.Label($0.name.span, "\"\($0.name.value)\" is declared here")] } ?? []))
  }

  private func checkJoined(_ route: StackFile.Route, by service: StackFile.Service) {
    guard case .network(let name) = route.destination.value,
      let attachment = service.attachments.first(where: { $0.network.value == name })
    else { return }
    diagnostics.add(
      Diagnostic(
        .badRoute, "service \"\(service.name.value)\" has a route to \"\(name)\", which it is on",
        at: route.destination.span, also: [Diagnostic.Label(attachment.network.span, "it joins it here")]))
  }

  private func checkRouter(
    _ name: Located<String>, of service: StackFile.Service, in surroundings: Surroundings
  ) {
    guard let router = stack.services[name.value] else {
      guard !serviceNames.contains(name.value) else { return }
      let meant = Suggestion.closest(to: name.value, among: stack.services.lazy.map(\.name.value))
      diagnostics.add(
        Diagnostic(
          .undefinedService, "service \"\(service.name.value)\" routes by way of undefined service \"\(name.value)\"",
          at: name.span, meant.map { "did you mean \"\($0)\"?" } ?? ""))
      return
    }
    guard !surroundings.peers.contains(name.value),
      !router.attachments.contains(where: { surroundings.networks.contains($0.network.value) })
    else { return }
    diagnostics.add(
      Diagnostic(
        .unreachableRouter,
        "service \"\(service.name.value)\" routes by way of \"\(name.value)\", with which it shares no network",
        at: name.span, also: [Diagnostic.Label(router.name.span, "\"\(name.value)\" is declared here")],
        help: ["put both on one network, or join them by a link"]))
  }

  /// A network of the file may have both families.
  private func checkFamily(of router: Located<IPAddress>, _ route: StackFile.Route) -> Bool {
    guard case .prefix(let prefix) = route.destination.value, prefix.network.isV4 != router.value.isV4 else {
      return true
    }
    let families = prefix.network.isV4 ? ("IPv4", "IPv6") : ("IPv6", "IPv4")
    diagnostics.add(
      Diagnostic(
        .routerOfOtherFamily, "a route to \(families.0) cannot go by way of an \(families.1) address",
        at: router.span, also: [Diagnostic.Label(route.destination.span, "it leads to \(families.0)")],
        help: ["name the router's \(families.0) address, or the service"]))
    return false
  }

  private func checkNear(
    _ address: Located<IPAddress>, in surroundings: Surroundings, of service: StackFile.Service
  ) {
    guard let subnets = address.value.isV4 ? surroundings.subnets4 : surroundings.subnets6 else { return }
    guard !subnets.contains(where: { $0.value.contains(address.value) }) else { return }
    diagnostics.add(
      Diagnostic(
        .unreachableRouter,
        "service \"\(service.name.value)\" routes by way of \(address.value), which is on none of its networks",
        at: address.span, also: subnets.map { Diagnostic.Label($0.span, "it is in \($0.value)") },
        help: ["the router must be a neighbour: name its address on a network or link that the two share"]))
  }

  private func trunkSubnets(of service: StackFile.Service) -> [Located<IPPrefix>] {
    service.attachments.flatMap { attachment -> [Located<IPPrefix>] in
      guard case .trunk(let vlans) = attachment.vlan?.value, let network = stack.networks[attachment.network.value]
      else { return [] }
      return vlans.compactMap { vlan in
        network.vlans.first { $0.id.value == vlan.id.value }?.subnet?.map { .v4($0) }
      }
    }
  }
}

extension StackFile.Route {
  /// `default` by way of an address is of that one's family alone.
  fileprivate var narrowDestination: Destination {
    guard destination.value == .everywhere, case .address(let address, _)? = hops.first?.value else {
      return destination.value
    }
    return .prefix(address.isV4 ? .anyV4 : .anyV6)
  }
}
