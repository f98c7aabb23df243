/// A way to get a packet where the file does not let it go, or to send in another's name.
package enum HostileClass: String, Sendable, CaseIterable {
  /// From an address of somebody else on the same network.
  case source
  /// From an address that nobody on the network has.
  case unused
  /// From an address of another network, or of the world outside.
  case elsewhere
  /// From 127.0.0.0/8 or ::1.
  case loopback
  /// From another's hardware address.
  case hardware
  /// "Another's address is here", by ARP or neighbour discovery.
  case claim
  /// "Here is a nearer router", or any router.
  case router
  /// With a tag of a VLAN that the port is not in; VLAN 0 is none.
  case tag
  /// To an address of the receiver that the network does not know.
  case further
  /// To an address that the receiver has on a network, or on a link, that the sender is not on.
  case apart
  /// By link-local addresses, or by IPv6 on a network that has none.
  case linkLocal = "link-local"
  /// To all at once: broadcast, multicast, and the groups that bridges pass over.
  case group
  /// As the answer to a question that was never asked.
  case reply
  /// In a tunnel's packets.
  case tunnel
  /// From outside, to a published port that is for others.
  case published

  /// The frame, for people.
  var title: String {
    switch self {
    case .source: "another's address"
    case .unused: "an address that nobody has"
    case .elsewhere: "an address of another network"
    case .loopback: "a loopback address"
    case .hardware: "another's hardware address"
    case .claim: "a claim to another's address"
    case .router: "a router that is none"
    case .tag: "a VLAN tag"
    case .further: "an address that the network does not know"
    case .apart: "a neighbour's address on another network"
    case .linkLocal: "link-local addresses"
    case .group: "broadcast and multicast"
    case .reply: "an answer to a forged question"
    case .tunnel: "a tunnel's packets"
    case .published: "to a published port that is for others"
    }
  }
}
