import Netlink
import Rules

extension PacketFilter {
  /// The question to packets that come up from a bridge to the host.
  package static let arrivals = PacketFilter(mark: PacketMark.seen, passesBridgeAnswers: false)
  /// The question to packets that leave by a port.
  package static let departures = PacketFilter(mark: PacketMark.seen, passesBridgeAnswers: true)
}
