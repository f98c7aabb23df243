import Addresses
import Intent

/// The host's ports that are taken, while a stack's own are assigned.
struct PortLedger {
  private struct Key: Hashable {
    var port: UInt16
    var transport: TransportProtocol
  }

  private var used: [Key: [HostFacts.UsedPort]]

  init(facts: HostFacts) {
    used = Dictionary(grouping: facts.ports) { Key(port: $0.port, transport: $0.transport) }
  }

  /// The user that keeps a port from being published. A wildcard address conflicts with each address of its family.
  func user(of port: PublishedPort, of service: DesiredService) -> HostFacts.PortUser? {
    let address = port.claimedAddress(of: service)
    return used[Key(port: port.hostPort, transport: port.target.transport)]?
      .first { Self.overlap($0.address, address) }?.user
  }

  private static func overlap(_ left: IPAddress?, _ right: IPAddress?) -> Bool {
    switch (left, right) {
    case (nil, _), (_, nil): true
    case (.v4(let left)?, .v4(let right)?): left == right || left == .any || right == .any
    case (.v6(let left)?, .v6(let right)?): left == right || left == .any || right == .any
    case (.v4?, .v6?), (.v6?, .v4?): false
    }
  }

  /// True if a port could be published under another number of the host.
  func isFree(_ number: UInt16, _ port: PublishedPort, of service: DesiredService) -> Bool {
    var candidate = port
    candidate.hostPort = number
    return user(of: candidate, of: service) == nil
  }

  /// Takes a port for a service, and says who has it already if somebody does.
  mutating func take(_ port: PublishedPort, for service: DesiredService) -> HostFacts.PortUser? {
    if let user = user(of: port, of: service) { return user }
    used[Key(port: port.hostPort, transport: port.target.transport), default: []].append(
      HostFacts.UsedPort(
        address: port.claimedAddress(of: service), port: port.hostPort, transport: port.target.transport,
        user: .service(service.name)))
    return nil
  }
}

extension PublishedPort {
  /// The host's address that it takes the port of; nil for all of both families.
  package func claimedAddress(of service: DesiredService) -> IPAddress? {
    hostAddress ?? (service.hasIPv6 ? nil : .v4(.any))
  }
}
