import Addresses
import Intent
import Vocabulary

/// A wire that several machines have a part in.
enum Segment: Hashable, Sendable {
  /// Where frames have no tag: the host is there too.
  case network(String)
  /// The host is in none of them.
  case vlan(UInt16, of: String)
  /// By its place in the list of links.
  case link(Int)
  /// Inside a machine: what its own bridges, tunnels and loopback interfaces are on.
  case inner(machine: String, interface: String)
  /// What of another wire has a tag.
  case tagged(UInt16, wire: Int)

  /// The network that it is, or is a part of.
  var network: String? {
    switch self {
    case .network(let name), .vlan(_, let name): name
    case .link, .inner, .tagged: nil
    }
  }
}

/// The way of packets through a stack.
struct Way: Hashable, Sendable {
  /// How it ends.
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
  /// Why nobody can say what becomes of them, of the first machine that filters or translates; nil where all is known.
  var obscurity: String?

  /// How many services pass them on.
  var routerCount: Int { hops.dropFirst().count { $0.machine != PacketRouting.host } }
}
