import Addresses
import Vocabulary

/// IPv4 link-local addresses as destinations beyond a stack's networks: 169.254.0.0/16.
///
/// A router must not forward packets there (RFC 3927, section 7). Behind such addresses are services for the machine
/// itself, such as 169.254.169.254, where clouds give out credentials. So they are open only to whom a rule that names
/// them lets there. IPv6 needs no such rule: the kernel forwards nothing to fe80::/10 (ip6_forward).
package enum LinkLocal {
  package static let range = IPv4Prefix.linkLocal

  package static func contains(_ address: IPAddress) -> Bool { IPPrefix.v4(range).contains(address) }

  /// The destinations of a rule as far as it may decide on packets to link-local addresses. A rule that refuses does so
  /// for all that it is about. One that allows has to name them.
  package static func destinations(of rule: PolicyRule) -> [PolicyPeer] {
    guard rule.action == .allow else { return rule.destinations }
    return rule.destinations.filter { peer in
      if case .range(.v4(let prefix)) = peer { range.contains(prefix) } else { false }
    }
  }
}
