import Addresses

extension DesiredStack {
  /// The addresses by which services elsewhere find a service: its loopback's, as routers have them, else those of its first network,
  /// else those of its first cable.
  package func addressesElsewhere(of service: DesiredService) -> [IPAddress] {
    if !service.loopback.isEmpty { return service.loopback.map(\.address) }
    if let first = service.attachments.first { return first.addresses }
    let ends = links.flatMap(\.ends).filter { $0.service == service.name }
    return ends.lazy.map { $0.addresses.map(\.address).filter { !$0.isLinkLocal6 } }.first { !$0.isEmpty } ?? []
  }
}
