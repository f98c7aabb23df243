import Addresses
import Intent
import Netfilter

/// The ports of the host that lead to services: maps, with one rule for each kind of them whatever their number.
extension Firewall {
  /// One published port in one family, with the address of the service behind it.
  package struct Publication {
    package var port: PublishedPort
    /// Of the host; nil for all of the family.
    package var hostAddress: IPAddress?
    package var address: IPAddress
    /// The bridge's own address in the service's network.
    package var gateway: IPAddress
  }

  /// A service answers on the way that the request came: its address is the one that its default route goes through.
  package func publications(_ family: NftFamily) -> [Publication] {
    stack.services.flatMap { service -> [Publication] in
      guard !service.ports.isEmpty, let way = way(to: service, family) else { return [] }
      return service.ports.compactMap { port in
        if let address = port.hostAddress, address.family != family { return nil }
        let specific = port.hostAddress.flatMap { $0.isWildcard ? nil : $0 }
        return Publication(port: port, hostAddress: specific, address: way.address, gateway: way.gateway)
      }
    }
  }

  /// The address that a service is reached at from the host, and the host's own there; nil where it has none.
  func way(to service: DesiredService, _ family: NftFamily) -> (address: IPAddress, gateway: IPAddress)? {
    if family == .ip {
      let attachments = service.attachments.filter { $0.isOnBridge && $0.accessVLAN == nil && !$0.isWithoutHost }
      let attachment = attachments.first(where: \.isDefaultRoute) ?? attachments.first
      guard let attachment, let network = whole.network(named: attachment.network) else { return nil }
      return (.v4(attachment.address), .v4(network.gateway))
    }
    let attachments = service.attachments.filter { $0.ipv6 != nil && !$0.isWithoutHost }
    let attachment = attachments.first { $0.ipv6?.isDefaultRoute ?? false } ?? attachments.first
    guard let attachment, let own = attachment.ipv6, let network = whole.network(named: attachment.network)?.ipv6
    else { return nil }
    return (.v6(own.address), .v6(network.gateway))
  }

  /// Those that a stack has no ports for are left out, but for the first two.
  var publishedMaps: [NftMap] {
    let rest = [publishedFrom(.ip)] + (hasIPv6Ports ? published(.ip6) + [publishedFrom(.ip6), loopback6] : [])
    return published(.ip) + rest.filter { !$0.elements.isEmpty }
  }

  private func published(_ family: NftFamily) -> [NftMap] {
    let open = publications(family).filter { $0.port.sources == nil }
    let (suffix, type) = (family.suffix, family.addressType)
    return [
      NftMap(
        "published\(suffix)", key: [.transportProtocol, .port], data: .values([type, .port]),
        elements: open.filter { $0.hostAddress == nil }.map { NftMapElement($0.place, values: $0.target) },
        comment: "ports published on every address of the host"),
      NftMap(
        "published\(suffix)_at", key: [type, .transportProtocol, .port], data: .values([type, .port]),
        elements: open.compactMap { publication in
          publication.hostAddress.map { NftMapElement([.address($0)] + publication.place, values: publication.target) }
        }, comment: "ports published on one address"),
    ]
  }

  /// Clients outside the list reach what they would reach if the port were not published.
  private func publishedFrom(_ family: NftFamily) -> NftMap {
    let type = family.addressType
    let elements = publications(family).flatMap { publication in
      publication.sources(family).map { source, destination in
        NftMapElement([.prefix(source), destination] + publication.place, values: publication.target)
      }
    }
    return NftMap(
      "published\(family.suffix)_from", key: [type, type, .transportProtocol, .port], data: .values([type, .port]),
      isInterval: true, elements: elements, comment: "ports published for some: by source, then address of the host")
  }

  /// For packets to an address of the host: the place of a port, in each of the maps that are there.
  var toPublished: [NftRule] {
    let maps = Set(publishedMaps.map(\.name))
    return [NftFamily.ip, .ip6].flatMap { family -> [NftRule] in
      let name = "published\(family.suffix)"
      let (source, destination) =
        family == .ip ? (NftField.ipSource, NftField.ipDestination) : (.ip6Source, .ip6Destination)
      let place: [NftField] = [.transportProtocol, .destinationPort]
      return [
        ("\(name)_at", [destination] + place), (name, place), ("\(name)_from", [source, destination] + place),
      ].filter { maps.contains($0.0) }.map { map, key in
        NftRule([.field(.destinationType, .local)], .dnatMap(family, key, map: map))
      }
    }
  }

  // MARK: ::1

  private var hasIPv6Ports: Bool { !publications(.ip6).isEmpty }

  /// IPv6 has no route_localnet. A packet from ::1 may leave by a bridge, but the kernel drops packets for ::1 that
  /// arrive on a link (ip6_rcv_core). So the answer to a translated one would be lost. The table rewrites the source to
  /// the bridge's own address before connection tracking, and restores the destination of the answer after it.
  var loopback6Chains: [NftChain] {
    guard hasIPv6Ports else { return [] }
    let loopback = NftValue.address(.v6(.loopback))
    return [
      NftChain(
        "leave_loopback6", base: NftBase(.filter, .output, priority: -300),
        rules: [
          NftRule(
            [.field(.ip6Destination, loopback), .field(.ip6Source, loopback)],
            .assignMap(.ip6Source, [.transportProtocol, .destinationPort], map: "loopback6"))
        ]),
      NftChain(
        "return_loopback6", base: NftBase(.filter, .input, priority: 150),
        rules: [
          NftRule(
            [.set([.inputInterface], named: "bridges"), .field(.ip6Source, loopback)],
            .assign(.ip6Destination, .v6(.loopback)))
        ]),
    ].filter { _ in !loopback6.elements.isEmpty }
  }

  private var loopback6: NftMap {
    NftMap(
      "loopback6", key: [.transportProtocol, .port], data: .values([.ipv6Address]),
      elements: publications(.ip6).filter(\.isOnLoopback6).map {
        NftMapElement($0.place, values: [.address($0.gateway)])
      },
      comment: "ports published on ::1, and what goes there comes from")
  }
}

extension Firewall.Publication {
  fileprivate var place: [NftValue] { [port.target.transport.nftValue, .port(port.hostPort)] }
  fileprivate var target: [NftValue] { [.address(address), .port(port.target.port)] }

  /// True if ::1 leads to it, and may.
  fileprivate var isOnLoopback6: Bool {
    let loopback = IPAddress.v6(.loopback)
    return (hostAddress == nil || hostAddress == loopback)
      && (port.sources.map { $0.contains { $0.contains(loopback) } } ?? true)
  }

  /// Each source that is let in, with the address of the host that it may ask.
  fileprivate func sources(_ family: NftFamily) -> [(source: IPPrefix, destination: NftValue)] {
    let everywhere = NftValue.prefix(family == .ip ? .anyV4 : .anyV6)
    let destination = hostAddress.map(NftValue.address) ?? everywhere
    guard let list = port.sources else { return [] }
    let sources = list.filter { $0.network.family == family }
    let named = sources.map { ($0, destination) }
    // Packets from ::1 have the gateway's address by then, and only those go to ::1.
    guard family == .ip6, isOnLoopback6, let gateway = IPPrefix(containing: gateway, length: 128),
      !sources.contains(where: { $0.contains(gateway.network) })
    else { return named }
    return named + [(gateway, .address(.v6(.loopback)))]
  }
}

extension IPAddress {
  fileprivate var family: NftFamily {
    switch self {
    case .v4: .ip
    case .v6: .ip6
    }
  }
}

extension NftFamily {
  fileprivate var suffix: String { self == .ip6 ? "6" : "" }
  fileprivate var addressType: NftType { self == .ip6 ? .ipv6Address : .ipv4Address }
}

extension TransportProtocol {
  fileprivate var nftValue: NftValue {
    switch self {
    case .tcp: .tcp
    case .udp: .udp
    }
  }
}
