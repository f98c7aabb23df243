import Addresses

extension StackChecks {
  /// Routes to different places, each by way of something that the service reaches. Where the file leaves a subnet open,
  /// that is seen when it has been chosen.
  func checkRoutes() {
    for service in stack.services {
      var first: [StackFile.Route.Destination: Span] = [:]
      for route in service.routes {
        if let other = first.updateValue(route.destination.span, forKey: route.narrowDestination) {
          diagnostics.add(
            Diagnostic(
              .badRoute, "service \"\(service.name.value)\" has two routes to \(route.destination.value)",
              at: route.destination.span, "again here", also: [Diagnostic.Label(other, "first here")]))
        }
        checkDestination(route, of: service)
        switch route.hop.value {
        case .blackhole: break
        case .service(let name): checkRouter(Located(name, route.hop.span), of: service)
        case .address(let address):
          if checkFamily(of: address, route) { checkRouter(Located(address, route.hop.span), of: service) }
        }
      }
    }
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

  private func checkRouter(_ name: Located<String>, of service: StackFile.Service) {
    guard let router = stack.services[name.value] else {
      guard !serviceNames.contains(name.value) else { return }
      let meant = Suggestion.closest(to: name.value, among: stack.services.lazy.map(\.name.value))
      diagnostics.add(
        Diagnostic(
          .undefinedService, "service \"\(service.name.value)\" routes by way of undefined service \"\(name.value)\"",
          at: name.span, meant.map { "did you mean \"\($0)\"?" } ?? ""))
      return
    }
    let shared = Set(service.attachments.map(\.network.value)).intersection(router.attachments.map(\.network.value))
    let isLinked = stack.links.contains { link in
      Set(link.ends.map(\.service.value)) == [service.name.value, router.name.value]
    }
    guard shared.isEmpty, !isLinked else { return }
    diagnostics.add(
      Diagnostic(
        .unreachableRouter,
        "service \"\(service.name.value)\" routes by way of \"\(name.value)\", with which it shares no network",
        at: name.span, also: [Diagnostic.Label(router.name.span, "\"\(name.value)\" is declared here")],
        help: ["put both on one network, or join them by a link"]))
  }

  /// A network of the file may have both families.
  private func checkFamily(of router: IPAddress, _ route: StackFile.Route) -> Bool {
    guard case .prefix(let prefix) = route.destination.value, prefix.network.isV4 != router.isV4 else { return true }
    let families = prefix.network.isV4 ? ("IPv4", "IPv6") : ("IPv6", "IPv4")
    diagnostics.add(
      Diagnostic(
        .routerOfOtherFamily, "a route to \(families.0) cannot go by way of an \(families.1) address",
        at: route.hop.span, also: [Diagnostic.Label(route.destination.span, "it leads to \(families.0)")],
        help: ["name the router's \(families.0) address, or the service"]))
    return false
  }

  private func checkRouter(_ address: Located<IPAddress>, of service: StackFile.Service) {
    // A subnet that is not known yet may turn out to hold it.
    if case .v6 = address.value { return checkRouter6(address, of: service) }
    let known = service.attachments.map { attachment in
      stack.networks[attachment.network.value].flatMap { $0.subnet(of: attachment) }
    }
    guard known.allSatisfy({ $0 != nil }) else { return }
    let links = stack.links.flatMap(\.ends).filter { $0.service.value == service.name.value }.flatMap(\.addresses)
    let subnets: [Located<IPPrefix>] =
      known.compactMap { $0?.map { .v4($0) } } + trunkSubnets(of: service)
      + links.compactMap { address in address.value.network.map { Located($0, address.span) } }
    checkNear(address, subnets, of: service)
  }

  private func checkRouter6(_ address: Located<IPAddress>, of service: StackFile.Service) {
    let networks = service.attachments.map { stack.networks[$0.network.value] }
    guard networks.allSatisfy({ $0?.external == nil && ($0?.hasIPv6 == false || $0?.subnet6 != nil) }) else { return }
    let links = stack.links.flatMap(\.ends).filter { $0.service.value == service.name.value }.flatMap(\.addresses)
    let subnets: [Located<IPPrefix>] =
      networks.compactMap { $0?.subnet6?.map { .v6($0) } }
      + links.compactMap { address in address.value.network.map { Located($0, address.span) } }
    checkNear(address, subnets.filter { !$0.value.network.isV4 }, of: service)
  }

  private func checkNear(
    _ address: Located<IPAddress>, _ subnets: [Located<IPPrefix>], of service: StackFile.Service
  ) {
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
    guard destination.value == .everywhere, case .address(let address) = hop.value else { return destination.value }
    return .prefix(address.isV4 ? .anyV4 : .anyV6)
  }
}
