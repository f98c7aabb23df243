import Netlink

/// A port of a bridge with all that the frames coming in by it may say of where they come from.
struct GuardedPort: Hashable {
  /// The host's end of the veth pair.
  var link: String
  var network: String
  /// The hardware addresses that frames may have. The first is the service's own.
  var hardware: [MACAddress]
  /// The addresses that packets may have and that may be claimed, by ARP and neighbour discovery.
  var addresses: [IPAddress]
  /// Addresses that packets may have as well, of whoever sends by way of the service. No one may be claimed.
  var routed: [AddressFamily: [AddressRange]]
  /// Whether IPv6 packets of a router may come from there: announcements and redirects.
  var isRouter: Bool
  /// Whether frames may have tags.
  var carriesTags: Bool
}

extension DesiredStack {
  /// The ports of this stack's services, also those on networks of other stacks.
  func guardedPorts() -> [GuardedPort] {
    let routes = RoutedAddresses(self)
    return services.flatMap { service -> [GuardedPort] in
      let own = addresses(of: service)
      return service.attachments.flatMap { attachment in
        attachment.pairs.map { pair in
          GuardedPort(
            link: pair.link, network: attachment.network, hardware: [attachment.mac],
            addresses: (own + linkLocalAddresses(of: service, at: attachment)).uniqued(),
            routed: routes.behind(service, towards: attachment.network),
            isRouter: service.forwards,
            carriesTags: pair.vlan == nil && attachment.subinterfaces.contains { $0.link == nil })
        }
      }
    }
  }

  /// The kernel asks for neighbours by it on behalf of others; so services that forward have one, and no others.
  private func linkLocalAddresses(of service: DesiredService, at attachment: DesiredAttachment) -> [IPAddress] {
    guard service.forwards, attachment.ipv6 != nil else { return [] }
    return [.v6(attachment.mac.linkLocalAddress)]
  }
}
