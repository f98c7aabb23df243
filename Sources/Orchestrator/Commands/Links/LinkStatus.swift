import Vocabulary

/// One way over a link, as it is.
package struct LinkStatus: Sendable {
  var stack: String
  package var service: String
  /// nil for a link to another service.
  package var network: String?
  /// Of a link to another service: that one's name, and the interface of this one.
  package var peer: String?
  /// The same, distinct from other links to that service: `r2.eth1`.
  package var cable: String?
  package var interface: String
  package var direction: LinkDirection
  package var condition: LinkCondition
  package var isDown: Bool
  /// True if a partition lies across it.
  package var isCut: Bool
  /// True if it was changed by hand; else it is as the file says.
  package var isByHand: Bool
  /// Seconds until what was changed by hand ends by itself; nil for not by itself.
  package var secondsLeft: Double?
  package var packets: UInt64
  package var octets: UInt64
  package var dropped: UInt64
}
