/// Which ports of the host are taken while a stack's own are being assigned.
struct PortLedger {
  private struct Key: Hashable {
    var port: UInt16
    var transport: TransportProtocol
  }

  private var used: [Key: [HostFacts.UsedPort]]

  init(facts: HostFacts) {
    used = Dictionary(grouping: facts.ports) { Key(port: $0.port, transport: $0.transport) }
  }

  /// Who is in the way of publishing a port: a wildcard address is in the way of each address, and each of it.
  func user(of port: PublishedPort) -> HostFacts.PortUser? {
    used[Key(port: port.hostPort, transport: port.target.transport)]?
      .first { $0.address == nil || port.hostAddress == nil || $0.address == port.hostAddress }?.user
  }

  /// Whether a port could be published under another number of the host.
  func isFree(_ number: UInt16, _ port: PublishedPort) -> Bool {
    var candidate = port
    candidate.hostPort = number
    return user(of: candidate) == nil
  }

  /// Takes a port for a service, and says who has it already if somebody does.
  mutating func take(_ port: PublishedPort, for service: String) -> HostFacts.PortUser? {
    if let user = user(of: port) { return user }
    used[Key(port: port.hostPort, transport: port.target.transport), default: []].append(
      HostFacts.UsedPort(
        address: port.hostAddress, port: port.hostPort, transport: port.target.transport, user: .service(service)))
    return nil
  }
}
