/// Marks that packets bear on their way through this host. A packet that comes in from a service bears none. Each is one bit, of those
/// that other programs have little use for.
package enum PacketMark {
  /// The port guard has seen the packet. Without the mark no packet goes from a bridge to the host or to a service. So
  /// nothing passes while another program has deleted the guard's tables.
  package static let seen: UInt32 = 0x0200_0000
  /// The rules about the port that it leaves by have let it pass. It is borne only within the hook of family bridge.
  package static let judged: UInt32 = 0x0400_0000
}
