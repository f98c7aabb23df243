/// Marks that packets bear on their way through this host. A packet that comes in from a service bears none. Each is one bit, of those
/// that other programs have little use for.
package enum PacketMark {
  /// A port's guard has seen it. Without it no packet goes on from a bridge to the host, nor from a bridge to a service: so nothing
  /// passes while somebody else has deleted the tables that guard.
  package static let seen: UInt32 = 0x0200_0000
  /// The rules about the port that it leaves by have let it pass. It is borne only within the hook of family bridge.
  package static let judged: UInt32 = 0x0400_0000
}
