import Addresses
import Vocabulary

/// The sources whose packets reach a network through a service that forwards.
///
/// Seen from the network, these are the addresses behind the service: on its other networks and links, and on those of
/// further routers there. A router with a way out of its own also brings packets from anywhere outside the stack.
package struct RoutedAddresses {
  /// A place in which packets need no router: a network, one of its VLANs, or a link with those that switches join to it.
  private enum Place: Hashable {
    case network(String, vlan: UInt16?)
    case link(Int)
  }

  private let stack: DesiredStack
  private let places: [String: [Place]]
  private let routers: [Place: [String]]
  private let domains: CableDomains
  /// The additional addresses of the services in each place, with those of their loopback interfaces.
  private let further: [Place: [IPPrefix]]

  package init(_ stack: DesiredStack) {
    self.stack = stack
    domains = stack.cableDomains
    var places: [String: [Place]] = [:]
    var routers: [Place: [String]] = [:]
    var further: [Place: [IPPrefix]] = [:]
    for service in stack.services {
      let others = service.furtherAddresses.compactMap(\.address.network)
      guard service.forwards || !others.isEmpty else { continue }
      let own = Self.places(of: service, in: stack, domains)
      for place in own where !others.isEmpty { further[place, default: []] += others }
      guard service.forwards else { continue }
      places[service.name] = own
      for place in own { routers[place, default: []].append(service.name) }
    }
    (self.places, self.routers, self.further) = (places, routers, further)
  }

  private static func places(of service: DesiredService, in stack: DesiredStack, _ domains: CableDomains) -> [Place] {
    service.attachments.flatMap { attachment in
      [Place.network(attachment.network, vlan: attachment.accessVLAN)]
        + attachment.subinterfaces.map { .network(attachment.network, vlan: $0.vlan) }
    }
      + stack.links.indices.filter { stack.links[$0].touches([service.name]) }.map { .link(domains[$0]) }
  }

  /// The addresses of those behind a service, as ranges that are apart; none of a service that does not forward.
  package func behind(_ service: DesiredService, towards network: String) -> [AddressFamily: [AddressRange]] {
    guard service.forwards else { return [:] }
    let near = Set((places[service.name] ?? []).filter { isPart($0, of: network) })
    var found: Set<Place> = []
    var waiting = [service.name]
    var seen: Set<String> = [service.name]
    while let router = waiting.popLast() {
      for place in places[router] ?? [] where !near.contains(place) && found.insert(place).inserted {
        for next in routers[place] ?? [] where seen.insert(next).inserted { waiting.append(next) }
      }
    }
    let inside = found.flatMap { prefixes($0) + (further[$0] ?? []) } + routesThrough(service, on: network)
    return leadsOut(service, besides: network, found) ? outside(besides: inside) : AddressRange.byFamily(inside)
  }

  /// Another VLAN of the same network is another place.
  private func isPart(_ place: Place, of network: String) -> Bool {
    if case .network(network, vlan: nil) = place { true } else { false }
  }

  private func prefixes(_ place: Place) -> [IPPrefix] {
    switch place {
    case .network(let name, let vlan):
      guard let network = stack.network(named: name) else { return [] }
      guard let vlan else { return network.subnets }
      return [.v4(network.vlans.first { $0.id == vlan }?.subnet ?? network.subnet)]
    case .link(let index):
      return domains.cables(with: index).flatMap { stack.links[$0].ends }.flatMap(\.addresses).compactMap(\.network)
    }
  }

  /// The destinations that other services route through it.
  private func routesThrough(_ service: DesiredService, on network: String) -> [IPPrefix] {
    let attachments = service.attachments.filter { $0.network == network }
    let own = Set(attachments.flatMap { $0.everyAddress + [.v6($0.mac.linkLocalAddress)] })
    return stack.services.flatMap(\.routes).filter { route in route.hops.contains { own.contains($0.gateway) } }
      .map(\.destination).filter { $0.length > 0 }
  }

  /// True when a service that translates what it forwards brings answers from outside into a network.
  private func leadsOut(_ service: DesiredService, besides network: String, _ found: Set<Place>) -> Bool {
    let isBesideHost = found.contains { place in
      guard case .network(let name, _) = place else { return false }
      return stack.network(named: name)?.hasBridge == false
    }
    let ways = service.attachments.filter { $0.isDefaultRoute || $0.ipv6?.isDefaultRoute ?? false }.map(\.network)
    let nearby = service.attachments.filter { $0.network == network }.compactMap { attachment in
      stack.network(named: network).map { ($0.subnets, attachment) }
    }
    let routed = service.routes.filter { $0.destination.length == 0 }.flatMap(\.hops).contains { hop in
      !nearby.contains { subnets, attachment in
        hop.interface.map { $0 == attachment.interface } ?? subnets.contains { $0.contains(hop.gateway) }
      }
    }
    return isBesideHost || routed || ways.contains { $0 != network }
  }

  /// Everything but what is known to be elsewhere: the stack's networks that are not behind the service.
  private func outside(besides inside: [IPPrefix]) -> [AddressFamily: [AddressRange]] {
    let known = stack.networks.flatMap { $0.subnets + $0.vlans.compactMap(\.subnet).map { .v4($0) } }
    var ranges: [AddressFamily: [AddressRange]] = [:]
    for family in AddressFamily.allCases where stack.networks.contains(where: { $0.has(family) }) {
      let elsewhere = (known.filter { !inside.contains($0) } + family.neverRouted).filter { family.holds($0.network) }
      ranges[family] = AddressRange.complement(of: elsewhere.map { AddressRange($0) }, in: family.whole)
    }
    return ranges
  }
}

extension DesiredNetwork {
  fileprivate func has(_ family: AddressFamily) -> Bool { family == .v4 || ipv6 != nil }
}

extension AddressFamily {
  /// Sources that no router forwards: RFC 6890, tables 1 to 20, as far as the kernel knows them.
  fileprivate var neverRouted: [IPPrefix] {
    let texts =
      switch self {
      case .v4: ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"]
      case .v6: ["::/127", "fe80::/10", "ff00::/8"]
      }
    return texts.compactMap { IPPrefix($0) }
  }
}
