import Kernel
import Netlink
import Vocabulary

/// The queue disciplines that bring a condition about at the end of a link where packets leave.
///
/// The rate limit is the outer qdisc and netem is within it, as in Mininet. Each has a number of its own. So a
/// condition that changes only in degree is changed in place, and no waiting packet is lost.
package struct LinkQueues: Hashable {
  package static let bucket: UInt16 = 1
  package static let emulator: UInt16 = 2

  package var disciplines: [QueueDiscipline]

  /// - Parameters:
  ///   - emulates: whether the kernel has netem; without it, loss is left to `LossFilter`.
  ///   - mtu: the largest packet of the link.
  package init(_ condition: LinkCondition, on link: UInt32, mtu: UInt32, emulates: Bool) {
    disciplines = []
    let emulator = emulates ? NetworkEmulator(condition) : nil
    if let rate = condition.rate {
      disciplines.append(QueueDiscipline(.tokenBucket(TokenBucket(rate, mtu: mtu)), major: Self.bucket, on: link))
    }
    guard let emulator else { return }
    let place: QueueDiscipline.Place = condition.rate == nil ? .root : .below(major: Self.bucket, minor: 1)
    disciplines.append(QueueDiscipline(.emulator(emulator), major: Self.emulator, on: link, at: place))
  }

  /// True if the same disciplines are there, each at its place. netem is within the rate limit, if there is one.
  package func isBuilt(like observed: [ObservedQueue]) -> Bool {
    disciplines.count == observed.count
      && zip(disciplines, observed).allSatisfy {
        $0.kind.name == $1.kind && $0.major == $1.major
      }
  }
}

extension TokenBucket {
  /// A burst of 5 ms, and at least one packet, keeps the rate over any interval that can be measured. A queue of 100 ms is
  /// usual for a router at such a link. Where that is less, one packet waits beyond the burst.
  package init(_ rate: BitRate, mtu: UInt32) {
    let octets = max(1, rate.bitsPerSecond / 8)
    let frame = UInt64(mtu) + Self.header
    let burst = max(octets / 200, frame)
    self.init(
      rate: octets, burst: UInt32(clamping: burst), limit: UInt32(clamping: max(octets / 10, burst + frame)))
  }

  /// Of an Ethernet frame with two VLAN tags (IEEE 802.1ad): the bucket lets no larger frame pass than it holds.
  private static var header: UInt64 { 22 }
}

extension NetworkEmulator {
  /// nil when there is nothing for it to do.
  package init?(_ condition: LinkCondition) {
    guard condition.needsEmulator || condition.loss > .none else { return nil }
    // Packets on their way wait here. At full speed that is a million a second, and netem's own limit of 1,000 would
    // make the delay a rate limit.
    let time = condition.delay.bounded + condition.jitter.bounded
    let (seconds, attoseconds) = time.components
    let microseconds = UInt64(clamping: seconds) * 1_000_000 + UInt64(clamping: attoseconds / 1_000_000_000_000)
    self.init(limit: UInt32(min(max(microseconds, 1000), 200_000)))
    delay = condition.delay
    jitter = condition.jitter
    loss = Chance(partsPerMillion: condition.loss.partsPerMillion)
    duplication = Chance(partsPerMillion: condition.duplicate.partsPerMillion)
    corruption = Chance(partsPerMillion: condition.corrupt.partsPerMillion)
    reordering = Chance(partsPerMillion: condition.reorder.partsPerMillion)
  }
}
