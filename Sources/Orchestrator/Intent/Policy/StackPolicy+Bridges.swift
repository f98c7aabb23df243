import Addresses
import Vocabulary

extension StackPolicy {
  /// The networks whose bridged frames must pass the firewall.
  ///
  /// A network is filtered if a rule may match two of its services, or if it is closed by default.
  package func filteredNetworks(of stack: DesiredStack) -> Set<String> {
    guard !rules.isEmpty else { return Set(closedNetworks).intersection(stack.networks.map(\.name)) }
    var members = PolicyMembers(stack)
    let living = LivingAddresses(stack)
    let ranges = Dictionary(keepingFirst: stack.networks.map { ($0.name, living.ranges(on: $0)) })
    var filtered = Set(closedNetworks)
    func concerned(_ peers: [PolicyPeer]) -> [DesiredNetwork] {
      stack.networks.filter { network in
        let ranges = ranges[network.name] ?? [:]
        return peers.contains { peer in
          switch peer {
          case .any: true
          case .host: false
          // By way of a service that leads out.
          case .internet:
            ranges.contains { family, ranges in
              let half = (family == .v4 ? UInt128(UInt32.max) : .max) >> 1
              return ranges.contains { $0.last - $0.first > half }
            }
          case .range(let prefix):
            (ranges[AddressFamily(prefix.network)] ?? []).contains { $0.meets(AddressRange(prefix)) }
          case .service, .pattern, .label, .network:
            members.addresses(of: peer)?.contains { address in
              (ranges[AddressFamily(address)] ?? []).contains { $0.meets(AddressRange(address)) }
            } ?? false
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
