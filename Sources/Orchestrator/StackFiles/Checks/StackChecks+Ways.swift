import Addresses
import Vocabulary

extension StackChecks {
  /// Routes that cannot work however the rest turns out: by way of an address that nobody has, or round in a circle.
  func checkWays() {
    let routing = DeclaredRouting(stack)
    let domains = cableDomains
    for service in stack.services where !service.routes.isEmpty {
      let links = routing.links(of: service)
      let ends = Set(links.flatMap(domains.cables)).flatMap { stack.links[$0].ends }
      let known = Set(ends.flatMap(\.addresses).map(\.value.address))
      for hop in service.routes.flatMap(\.hops) {
        guard case .address(let address, nil) = hop.value, !known.contains(address) else { continue }
        checkOwner(of: Located(address, hop.span), service, links, domains)
      }
    }
    checkCircles(routing)
  }

  // MARK: - Addresses that nobody has

  /// On a link, all addresses are in the file; on a network, where each service there has a fixed one.
  private func checkOwner(
    of router: Located<IPAddress>, _ service: StackFile.Service, _ links: [Int], _ domains: CableDomains
  ) {
    for index in links {
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

  // MARK: - Circles

  private func checkCircles(_ routing: DeclaredRouting) {
    for circle in routing.circles() {
      guard let first = circle.first.flatMap({ routing.route($0).hops.first }),
        let last = circle.last.flatMap({ routing.route($0).hops.first })
      else { continue }
      let names = circle.map { routing.service($0).name.value }
      diagnostics.add(
        Diagnostic(
          .routesInCircle,
          "packets to \(routing.route(circle[0]).destination.value) go round in a circle: "
            + (names + [names[0]]).joined(separator: ", "),
          at: first.span, also: [Diagnostic.Label(last.span, "from \(names.last ?? "") they come back")],
          help: ["one of the routers needs a route by another way"]))
    }
  }
}
