import Addresses
import Netfilter

/// One frame of a kind that must not arrive, and where.
struct HostileAttempt: Hashable, Sendable {
  var kind: HostileClass
  /// The place that it is sent from, by name, and the interface there.
  var attacker: String
  var interface: String
  /// The places that it must not arrive at, by name.
  var victims: [String]
  /// "From the victim to me", sent first, so that the frame passes as the answer.
  var question: ForgedFrame?
  var frame: ForgedFrame
  /// The frame, for people: `UDP from 10.99.0.3 to 10.99.0.4`.
  var words: String
  /// The guards that should stop it, the nearest first.
  var guards: [HostileGuard]

  /// True if frames of others may go astray while it is tried.
  var takesFrames: Bool { kind == .hardware || kind == .claim }
}

/// A guard against forged frames.
enum HostileGuard: Hashable, Sendable {
  /// A chain of a stack's tables.
  case chain(String, of: NftTableName)
  /// A filter of tc(8), which drops what no chain of the port guard has seen.
  case filter(FilterPlace)

  enum FilterPlace: Hashable, Sendable {
    /// Of packets that come to the host by a bridge.
    case arriving(by: String)
    /// Of packets that leave by a port.
    case leaving(by: String)
  }
}

/// A frame that must arrive, so that silence about others means something.
struct HostileControl: Hashable, Sendable {
  var attacker: String
  var interface: String
  /// The place where the frame must arrive: a service, or a link of the host.
  var witness: Witness
  var frame: ForgedFrame

  enum Witness: Hashable, Sendable {
    case service(String)
    case link(String)
  }
}
