import Addresses
import Vocabulary

/// Turns peers of rules into the addresses of services of a stack.
package struct PolicyMembers {
  private let stack: DesiredStack
  private let owned: ServiceAddresses
  private var known: [PolicyPeer: Set<IPAddress>] = [:]

  package init(_ stack: DesiredStack) {
    self.stack = stack
    owned = ServiceAddresses(stack)
  }

  /// Ranges that services which a peer names may claim addresses of.
  package func ranges(of peer: PolicyPeer) -> [IPPrefix] {
    stack.services.filter { isMember($0, of: peer) }.flatMap(owned.ranges)
  }

  /// The addresses of services that are in no network's range, such as those on links.
  package func addresses(outside ranges: [IPPrefix]) -> [IPAddress] {
    stack.services.flatMap(owned.all).filter { address in !ranges.contains { $0.contains(address) } }
  }

  /// The addresses of the services that a peer names; nil for one that does not name services.
  package mutating func addresses(of peer: PolicyPeer) -> Set<IPAddress>? {
    if let addresses = known[peer] { return addresses }
    let addresses: Set<IPAddress>
    switch peer {
    case .range, .host, .internet, .any: return nil
    case .service, .pattern, .label:
      addresses = Set(services(of: peer).flatMap(owned.all))
    case .network(let name):
      addresses = Set(
        stack.services.flatMap { service in
          service.attachments.filter { $0.network == name }.flatMap { $0.ownAddresses(forwards: service.forwards) }
        })
    }
    known[peer] = addresses
    return addresses
  }

  /// The services that a peer names.
  package func services(of peer: PolicyPeer) -> [DesiredService] {
    switch peer {
    case .range, .host, .internet, .any, .network: []
    case .service(let name): stack.services.filter { $0.service == name || $0.name == name }
    case .pattern(let text):
      stack.services.filter { [pattern = NamePattern(text)] service in
        pattern.matches(service.service) || service.name != service.service && pattern.matches(service.name)
      }
    case .label(let key, let value): stack.services.filter { $0.labels[key] == value }
    }
  }

  private func isMember(_ service: DesiredService, of peer: PolicyPeer) -> Bool {
    guard !owned.ranges(of: service).isEmpty else { return false }
    if case .network(let name) = peer { return service.attachments.contains { $0.network == name } }
    return services(of: peer).contains { $0.name == service.name }
  }
}
