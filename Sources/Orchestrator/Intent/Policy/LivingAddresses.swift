import Addresses

/// The sources that packets on a network may have: its own addresses, all others of the services on it, and those behind a
/// router there.
package struct LivingAddresses {
  private let services: [String: [DesiredService]]
  private let routes: RoutedAddresses
  private let known: ServiceAddresses

  package init(_ stack: DesiredStack) {
    var services: [String: [DesiredService]] = [:]
    for service in stack.services {
      for name in Set(service.attachments.map(\.network)) { services[name, default: []].append(service) }
    }
    (self.services, routes, known) = (services, RoutedAddresses(stack), ServiceAddresses(stack))
  }

  /// Merged ranges.
  package func ranges(on network: DesiredNetwork) -> [AddressFamily: [AddressRange]] {
    var ranges = AddressRange.byFamily(network.allSubnets)
    for service in services[network.name] ?? [] {
      for address in known.all(of: service) where !network.allSubnets.contains(where: { $0.contains(address) }) {
        ranges[AddressFamily(address), default: []].append(AddressRange(address))
      }
      for prefix in known.ranges(of: service) {
        ranges[AddressFamily(prefix.network), default: []].append(AddressRange(prefix))
      }
      for (family, routed) in routes.behind(service, towards: network.name) { ranges[family, default: []] += routed }
    }
    return ranges.mapValues(AddressRange.merged)
  }

  /// The ranges, with the sources of hosts that have no address yet or only a link-local one. The port guard decides whose
  /// these are.
  package func sources(on network: DesiredNetwork) -> [AddressFamily: [AddressRange]] {
    var ranges = ranges(on: network)
    let own = services[network.name] ?? []
    if network.tunnel != nil || own.contains(where: { $0.attachments.contains { $0.claims?.asksForAddress ?? false } })
    {
      ranges[.v4, default: []].append(AddressRange(IPAddress.v4(IPv4Address.any)))
    }
    if network.ipv6 != nil {
      ranges[.v6, default: []] += ["fe80::/10", "::/128"].compactMap { IPPrefix($0) }.map { AddressRange($0) }
    }
    return ranges.mapValues(AddressRange.merged)
  }
}
