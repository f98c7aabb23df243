import Addresses
import Intent

/// A port of a bridge with all that the frames coming in by it may say of where they come from.
struct GuardedPort: Hashable {
  /// The link's name on the host.
  var link: String
  var network: String
  /// The hardware addresses that frames may have. The first is the service's own.
  var hardware: [MACAddress]
  /// The addresses that packets may have, and that may be claimed by ARP and neighbour discovery.
  var addresses: [IPAddress]
  /// Those by which rules know the service on this network.
  var judged: [IPAddress]
  /// Ranges of further addresses, of which the same is true.
  var claimed: [AddressFamily: [AddressRange]]
  /// Addresses of whoever sends by way of the service. None may be claimed.
  var routed: [AddressFamily: [AddressRange]]
  /// Whether IPv6 packets of a router may come from there: announcements and redirects.
  var isRouter: Bool
  /// Whether frames may have tags.
  var carriesTags: Bool
  /// Whether a question for an address by DHCP may come from there.
  var asksForAddress: Bool
  /// Whether others are behind it that nobody knows of: then all may come but what is known to be elsewhere.
  var isOpen: Bool
}

extension DesiredStack {
  /// The ports of this stack's services, also those on networks of other stacks.
  func guardedPorts() -> [GuardedPort] {
    let (routes, known) = (RoutedAddresses(self), ServiceAddresses(self))
    return services.flatMap { service -> [GuardedPort] in
      let own = known.all(of: service)
      return service.attachments.flatMap { attachment -> [GuardedPort] in
        let routed = routes.behind(service, towards: attachment.network)
        return attachment.pairs.map { pair in
          GuardedPort(
            link: pair.link, network: attachment.network,
            hardware: [attachment.mac] + (attachment.claims?.hardware ?? []),
            addresses: own, judged: attachment.ownAddresses(forwards: service.forwards),
            claimed: AddressRange.byFamily(attachment.claims?.ranges ?? []), routed: routed,
            isRouter: service.forwards,
            carriesTags: pair.vlan == nil && attachment.subinterfaces.contains { $0.link == nil },
            asksForAddress: attachment.claims?.asksForAddress ?? false, isOpen: attachment.claims?.bridges ?? false)
        }
      }
    }
  }

  /// The ports that lead to other hosts.
  func guardedTunnels() -> [GuardedPort] {
    ownNetworks.compactMap { network in
      network.tunnel.map { tunnel in
        GuardedPort(
          link: tunnel.link, network: network.name, hardware: [], addresses: [], judged: [], claimed: [:], routed: [:],
          isRouter: true, carriesTags: network.filtersVLANs, asksForAddress: true, isOpen: true)
      }
    }
  }
}
