import Addresses
import Vocabulary

/// One side of a rule: whom its peers name, by their addresses.
package struct PolicySide: Sendable {
  package private(set) var isAny = false
  package private(set) var isHost = false
  package private(set) var isInternet = false
  /// Those of services, a set for each peer that names some.
  package private(set) var addresses: [Set<IPAddress>] = []
  package private(set) var ranges: [IPPrefix] = []

  package init(_ peers: [PolicyPeer], _ members: inout PolicyMembers) {
    for peer in peers {
      switch peer {
      case .any: isAny = true
      case .host: isHost = true
      case .internet: isInternet = true
      case .range(let prefix): ranges.append(prefix)
      case .service, .pattern, .label, .network:
        if let found = members.addresses(of: peer) { addresses.append(found) }
        ranges += members.ranges(of: peer)
      }
    }
  }

  /// True if it names one of these addresses, or everybody.
  package func names(_ own: some Sequence<IPAddress>) -> Bool {
    isAny
      || own.contains { address in
        addresses.contains { $0.contains(address) } || ranges.contains { $0.contains(address) }
      }
  }
}
