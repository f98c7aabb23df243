import Addresses
import Intent

/// A port of a bridge with the sources that frames arriving on it may have.
struct GuardedPort: Hashable {
  /// The link's name on the host.
  var link: String
  var network: String
  /// The hardware addresses that frames may have. The first is the service's own.
  var hardware: [MACAddress]
  /// The source addresses of packets, which ARP and neighbour discovery may announce too.
  var addresses: [IPAddress]
  /// The addresses by which rules know the service on this network.
  var judged: [IPAddress]
  /// Addresses of the service that another network or a link reaches it by. Linux answers for them on every link.
  var elsewhere: [IPAddress]
  /// Ranges of further source addresses, which may be announced too.
  var claimed: [AddressFamily: [AddressRange]]
  /// Source addresses of others, whose packets the service routes. It may announce none of them.
  var routed: [AddressFamily: [AddressRange]]
  /// True when IPv6 packets of a router may arrive: announcements and redirects.
  var isRouter: Bool
  /// True when frames may have VLAN tags.
  var carriesTags: Bool
  /// True when a DHCP request may arrive.
  var asksForAddress: Bool
  /// True when unknown hosts are behind it. Then every source is accepted that is not known to be elsewhere.
  var isOpen: Bool
}

extension DesiredStack {
  /// The ports of this stack's services, also those on networks of other stacks.
  func guardedPorts() -> [GuardedPort] {
    let (routes, known) = (RoutedAddresses(self), ServiceAddresses(self))
    return services.flatMap { service -> [GuardedPort] in
      let own = known.all(of: service)
      // Its loopback's are of no network: all lead there.
      let placed = own.filter { address in !service.loopback.contains { $0.address == address } }
      return service.attachments.flatMap { attachment -> [GuardedPort] in
        let routed = routes.behind(service, towards: attachment.network)
        return attachment.pairs.map { pair in
          GuardedPort(
            link: pair.link, network: attachment.network,
            hardware: [attachment.mac] + (attachment.claims?.hardware ?? []),
            addresses: own, judged: attachment.ownAddresses(forwards: service.forwards),
            elsewhere: service.forwards ? [] : placed.filter { attachment.isElsewhere($0, by: pair) },
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
          link: tunnel.link, network: network.name, hardware: [], addresses: [], judged: [], elsewhere: [],
          claimed: [:], routed: [:],
          isRouter: true, carriesTags: network.filtersVLANs, asksForAddress: true, isOpen: true)
      }
    }
  }
}

extension DesiredAttachment {
  /// True if an address of the service is not one that neighbours reach by this pair.
  package func isElsewhere(_ address: IPAddress, by pair: AttachmentPair) -> Bool {
    guard !(claims?.bridges ?? false) else { return false }
    let beside =
      pair.link == link
      ? neighbourAddresses + subinterfaces.filter { $0.link == nil }.compactMap(\.address).map(IPAddress.v4)
      : subinterfaces.filter { $0.link == pair.link }.compactMap(\.address).map(IPAddress.v4)
    return !beside.contains(address) && !(claims?.prefixes ?? []).contains { $0.contains(address) }
  }
}
