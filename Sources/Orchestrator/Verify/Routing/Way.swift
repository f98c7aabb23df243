import Addresses
import Intent
import Vocabulary

/// A wire that several machines have a part in.
enum Segment: Hashable, Sendable {
  /// The untagged frames of a network. The host is on it too.
  case network(String)
  /// A VLAN of a network. The host is in no VLAN.
  case vlan(UInt16, of: String)
  /// A link, by its place in the stack's list of links.
  case link(Int)
  /// A wire inside a machine, for one of its own bridges, tunnels or loopback interfaces.
  case inner(machine: String, interface: String)
  /// The frames of another wire that have this VLAN tag.
  case tagged(UInt16, wire: Int)

  /// The network that it is, or is a part of.
  var network: String? {
    switch self {
    case .network(let name), .vlan(_, let name): name
    case .link, .inner, .tagged: nil
    }
  }
}

/// The path of packets through a stack.
struct Way: Hashable, Sendable {
  /// The end of the path: the packets have arrived, or the reason why they go no further.
  enum End: Hashable, Sendable {
    /// At the machine that has the address.
    case arrived
    /// No route of a machine leads on.
    case noRoute(at: Int)
    /// A machine asks on a wire for an address that nobody there has.
    case nobody(IPAddress, on: Int, askedBy: Int)
    case stray(IPAddress, at: Int)
    case blackhole(at: Int, table: UInt32, place: Int)
    case refused(at: Int, table: UInt32, place: Int)
    case refusedByRule(at: Int, String)
    /// At a service that does not forward.
    case notForwarded(by: Int)
    case loop
    /// The time to live that the sender gave it is used up.
    case expired(at: Int)
    /// Beyond the host.
    case outside
    /// At the host, which lets nothing of that network out.
    case keptIn(network: String)
    /// At the host, which does not reach its own services on a macvlan network.
    case apart(network: String)
  }

  /// A machine that sends the packets on, and by what.
  struct Hop: Hashable, Sendable {
    var machine: Int
    var table: UInt32
    /// The entry's place in the table; nil at the host.
    var place: Int?
    var wire: Int
    /// The address that is asked for on the wire.
    var next: IPAddress
  }

  var end: End
  /// In the order that packets pass them. The first is the sender's.
  var hops: [Hop] = []
  /// True if the host passes them on.
  var isByHost = false
  /// True if it is the host that they arrive at.
  var isToHost = false
  /// The address that they are sent from.
  var source: IPAddress?
  /// The ``Machine/obscurity`` of the first machine on the path that filters or translates. Nil if there is none.
  var obscurity: String?

  /// The number of services that forward the packets.
  var routerCount: Int { hops.dropFirst().count { $0.machine != PacketRouting.host } }
}
