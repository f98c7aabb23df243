import Addresses
import Vocabulary

/// The protocols that have ports to publish and to name in rules.
package enum TransportProtocol: String, Codable, Hashable, Sendable, CaseIterable {
  case tcp, udp
}

/// A port inside a service's namespace.
package struct ListeningPort: Codable, Hashable, Sendable, CustomStringConvertible {
  package var port: UInt16
  package var transport: TransportProtocol

  package init(port: UInt16, transport: TransportProtocol) {
    self.port = port
    self.transport = transport
  }

  package var description: String { "\(transport.rawValue) \(port)" }
}

/// A port of the host that leads to a port of a service.
package struct PublishedPort: Hashable, Sendable {
  /// The host's address it is published on; `0.0.0.0` or `::` for all of a family, nil for all of both families that the
  /// service has.
  package var hostAddress: IPAddress?
  package var hostPort: UInt16
  package var target: ListeningPort
  package var declaredAt: SourceLine?
  /// The sources that may reach it, none within another; nil for all.
  package var sources: [IPPrefix]?

  package init(
    hostAddress: IPAddress? = nil, hostPort: UInt16, target: ListeningPort, declaredAt: SourceLine? = nil,
    sources: [IPPrefix]? = nil
  ) {
    self.hostAddress = hostAddress
    self.hostPort = hostPort
    self.target = target
    self.declaredAt = declaredAt
    self.sources = sources
  }

  /// `8081->80/tcp`, as `ps` shows it.
  package var summary: String {
    "\(hostAddress.map { "\($0.beforePort):" } ?? "")\(hostPort)->\(target.port)/\(target.transport.rawValue)"
  }
}
