import Addresses
import Vocabulary

extension StackPolicy {
  /// The networks whose bridges must show the frames that they pass on to the firewall: where a rule may be about two
  /// services of the network, or nothing passes by default.
  package func filteredNetworks(of stack: DesiredStack) -> Set<String> {
    var members = PolicyMembers(stack)
    var filtered = Set(closedNetworks)
    func concerned(_ peers: [PolicyPeer]) -> [DesiredNetwork] {
      stack.networks.filter { network in
        peers.contains { peer in
          switch peer {
          case .any: true
          case .host, .internet: false
          case .range(let prefix):
            network.subnets.contains { prefix.contains($0.network) || $0.contains(prefix.network) }
          case .service, .pattern, .label, .network:
            members.addresses(of: peer)?.contains { address in network.subnets.contains { $0.contains(address) } }
              ?? false
          }
        }
      }
    }
    for rule in rules {
      let sources = Set(concerned(rule.sources).map(\.name))
      filtered.formUnion(concerned(rule.destinations).map(\.name).filter(sources.contains))
    }
    return filtered.intersection(stack.networks.map(\.name))
  }
}
