import Addresses
import Intent
import Netfilter

/// Finds tracked connections that no longer go where a stack's ports lead.
///
/// The kernel translates a connection as its first packet was. A connection that began before `up`, or before a port
/// led elsewhere, goes on as it began. A UDP client that keeps asking is one connection forever.
package struct StaleConnections {
  private struct Key: Hashable {
    var transport: UInt8
    var port: UInt16
  }

  private let publications: [Key: [Firewall.Publication]]
  private let subnets: [IPPrefix]

  package init(_ stack: DesiredStack) {
    let firewall = Firewall(stack)
    publications = Dictionary(grouping: firewall.publications(.ip) + firewall.publications(.ip6)) { publication in
      Key(transport: publication.port.target.transport.number, port: publication.port.hostPort)
    }
    subnets = stack.subnets
  }

  /// - Parameter isOwn: whether an address is one of the host's.
  package func contains(_ connection: Connection, isOwn: (IPAddress) -> Bool) -> Bool {
    let (asked, answering) = (connection.original, connection.reply)
    let isTranslated = answering.source != asked.destination
    if let target = target(of: connection, isOwn: isOwn) {
      // A connection to a process of the host itself, from before the port was published, ends by itself; datagrams do not.
      guard isTranslated || connection.transport == TransportProtocol.udp.number else { return false }
      return answering.source != target.address || answering.sourcePort != target.port.target.port
    }
    return isTranslated && isOwn(asked.destination) && subnets.contains { $0.contains(answering.source) }
  }

  /// The publication that the connection would go to if it began now.
  private func target(of connection: Connection, isOwn: (IPAddress) -> Bool) -> Firewall.Publication? {
    guard let port = connection.original.destinationPort else { return nil }
    let (source, destination) = (connection.original.source, connection.original.destination)
    return publications[Key(transport: connection.transport, port: port)]?.first { publication in
      guard publication.address.isSameFamily(as: destination) else { return false }
      let isFor = publication.hostAddress.map { $0 == destination } ?? isOwn(destination)
      return isFor && (publication.port.sources.map { $0.contains { $0.contains(source) } } ?? true)
    }
  }
}

extension DesiredStack {
  /// The subnets of its networks, of both families. A network without the host has no connections that the host tracks, and its subnet
  /// may be one of the host's.
  package var subnets: [IPPrefix] { ownNetworks.filter(\.hasHost).flatMap(\.subnets) + foreignAddresses }

  /// Of another stack's network only the addresses of this one's services.
  private var foreignAddresses: [IPPrefix] {
    let foreign = Set(networks.filter { $0.owner != nil }.map(\.name))
    guard !foreign.isEmpty else { return [] }
    return services.flatMap(\.attachments).filter { foreign.contains($0.network) && !$0.isWithoutHost }.flatMap(
      \.addresses
    ).compactMap {
      IPPrefix(containing: $0, length: $0.octets.count * 8)
    }
  }
}

extension Connection {
  /// True if it has an end in one of these subnets.
  package func touches(_ subnets: [IPPrefix]) -> Bool {
    let ends = [original.source, original.destination, reply.source, reply.destination]
    return subnets.contains { subnet in ends.contains { subnet.contains($0) } }
  }
}

extension IPAddress {
  fileprivate func isSameFamily(as other: IPAddress) -> Bool {
    switch (self, other) {
    case (.v4, .v4), (.v6, .v6): true
    default: false
    }
  }
}

extension TransportProtocol {
  /// As IP headers number it.
  var number: UInt8 {
    switch self {
    case .tcp: 6
    case .udp: 17
    }
  }
}
