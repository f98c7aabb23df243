import Addresses
import Vocabulary

/// What peers come to in a stack as it is: addresses of services.
package struct PolicyMembers {
  private let stack: DesiredStack
  private var known: [PolicyPeer: Set<IPAddress>] = [:]

  package init(_ stack: DesiredStack) {
    self.stack = stack
  }

  /// The addresses of the services that a peer names; nil for one that does not name services.
  package mutating func addresses(of peer: PolicyPeer) -> Set<IPAddress>? {
    if let addresses = known[peer] { return addresses }
    let addresses: Set<IPAddress>
    switch peer {
    case .range, .host, .internet, .any: return nil
    case .service(let name):
      addresses = collect { $0.service == name || $0.name == name }
    case .pattern(let text):
      let pattern = NamePattern(text)
      addresses = collect { pattern.matches($0.service) || $0.name != $0.service && pattern.matches($0.name) }
    case .label(let key, let value):
      addresses = collect { $0.labels[key] == value }
    case .network(let name):
      addresses = Set(stack.services.flatMap(\.attachments).filter { $0.network == name }.flatMap(\.addresses))
    }
    known[peer] = addresses
    return addresses
  }

  private func collect(_ isMember: (DesiredService) -> Bool) -> Set<IPAddress> {
    Set(stack.services.filter(isMember).flatMap(\.attachments).flatMap(\.addresses))
  }
}
