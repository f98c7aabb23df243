import Vocabulary

/// One line of `link --format json`.
private struct LinkLine: Encodable {
  var stack: String
  var service: String
  var network: String?
  var peer: String?
  var interface: String
  var direction: String
  var state: String
  var rate: UInt64?
  var delaySeconds: Double
  var jitterSeconds: Double
  var loss: Double
  var duplicate: Double
  var corrupt: Double
  var reorder: Double
  var byHand: Bool
  var secondsLeft: Double?
  var packets: UInt64
  var octets: UInt64
  var dropped: UInt64

  init(_ status: LinkStatus) {
    let condition = status.condition
    (stack, service, network) = (status.stack, status.service, status.network)
    (peer, interface, secondsLeft) = (status.peer, status.interface, status.secondsLeft)
    direction = status.direction.rawValue
    state = status.isDown ? "down" : status.isCut ? "cut" : "up"
    rate = condition.rate?.bitsPerSecond
    (delaySeconds, jitterSeconds) = (Self.seconds(condition.delay), Self.seconds(condition.jitter))
    (loss, duplicate) = (Self.part(condition.loss), Self.part(condition.duplicate))
    (corrupt, reorder) = (Self.part(condition.corrupt), Self.part(condition.reorder))
    byHand = status.isByHand
    (packets, octets, dropped) = (status.packets, status.octets, status.dropped)
  }

  private static func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  /// Of one.
  private static func part(_ share: Share) -> Double { Double(share.partsPerMillion) / 1e6 }
}

extension LinkStatus {
  /// A line of `link --format json`: rates in bits a second, shares as parts of one.
  package var jsonLine: String { JSONText.line(LinkLine(self)) }
}
