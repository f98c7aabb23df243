import Netlink

extension StackChecks {
  /// Routes to different places, each by way of something that the service reaches. Where the file leaves a subnet open,
  /// that is seen when it has been chosen.
  func checkRoutes() {
    for service in stack.services {
      var first: [StackFile.Route.Destination: Span] = [:]
      for route in service.routes {
        if let other = first.updateValue(route.destination.span, forKey: route.destination.value) {
          diagnostics.add(
            Diagnostic(
              .badRoute, "service \"\(service.name.value)\" has two routes to \(route.destination.value)",
              at: route.destination.span, "again here", also: [Diagnostic.Label(other, "first here")]))
        }
        checkDestination(route, of: service)
        switch route.hop.value {
        case .blackhole: break
        case .service(let name): checkRouter(Located(name, route.hop.span), of: service)
        case .address(let address): checkRouter(Located(address, route.hop.span), of: service)
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

  private func checkRouter(_ address: Located<IPAddress>, of service: StackFile.Service) {
    let networks = service.attachments.compactMap { stack.networks[$0.network.value] }
    // A subnet that is not known yet may turn out to hold it.
    guard networks.count == service.attachments.count, networks.allSatisfy({ $0.subnet != nil }) else { return }
    let links = stack.links.flatMap(\.ends).filter { $0.service.value == service.name.value }.flatMap(\.addresses)
    let subnets: [Located<IPPrefix>] =
      networks.compactMap { $0.subnet?.map { .v4($0) } }
      + links.compactMap { address in address.value.network.map { Located($0, address.span) } }
    guard !subnets.contains(where: { $0.value.contains(address.value) }) else { return }
    diagnostics.add(
      Diagnostic(
        .unreachableRouter,
        "service \"\(service.name.value)\" routes by way of \(address.value), which is on none of its networks",
        at: address.span, also: subnets.map { Diagnostic.Label($0.span, "it is in \($0.value)") },
        help: ["the router must be a neighbour: name its address on a network or link that the two share"]))
  }
}
