/// Rate, delay, loss and the like of one direction of a link.
package struct LinkCondition: Codable, Hashable, Sendable {
  /// The limit on whole frames a second; nil for none.
  package var rate: BitRate?
  /// The least time that each packet takes.
  package var delay: Duration = .zero
  /// The most that the delay varies, up or down.
  package var jitter: Duration = .zero
  package var loss = Share.none
  package var duplicate = Share.none
  /// The share of packets in which one bit is flipped.
  package var corrupt = Share.none
  /// The share of packets that overtake delayed ones.
  package var reorder = Share.none

  package init() {}

  /// True when packets pass as if there were no condition.
  package var isClear: Bool { self == LinkCondition() }

  /// True when it takes netem. Loss alone does not: an nftables rule drops packets as well.
  package var needsEmulator: Bool {
    delay > .zero || jitter > .zero || duplicate > .none || corrupt > .none || reorder > .none
  }

  /// The keys of a stack file that only netem can apply.
  var emulated: [String] {
    [
      ("delay", delay > .zero), ("jitter", jitter > .zero), ("duplicate", duplicate > .none),
      ("corrupt", corrupt > .none), ("reorder", reorder > .none),
    ].filter(\.1).map(\.0)
  }
}

extension LinkCondition: CustomStringConvertible {
  /// `rate 10mbit, delay 50ms ± 5ms, loss 1%`; `clear` when there is none.
  package var description: String {
    var parts: [String] = []
    if let rate { parts.append("rate \(rate)") }
    if delay > .zero {
      parts.append("delay \(DurationText.text(delay))" + (jitter > .zero ? " ± \(DurationText.text(jitter))" : ""))
    }
    for (name, share) in [("loss", loss), ("duplicate", duplicate), ("corrupt", corrupt), ("reorder", reorder)]
    where share > .none {
      parts.append("\(name) \(share)")
    }
    return parts.isEmpty ? "clear" : parts.joined(separator: ", ")
  }
}

extension LinkConditions: CustomStringConvertible {
  /// `egress rate 10mbit, ingress clear`; of both ways once where they are the same.
  package var description: String {
    guard egress != ingress else { return "\(egress)" }
    return LinkDirection.allCases.map { "\($0.rawValue) \(self[$0])" }.joined(separator: ", ")
  }
}

/// The two ways over a service's end of a link.
package enum LinkDirection: String, Codable, Hashable, Sendable, CaseIterable {
  /// From the service.
  case egress
  /// To the service.
  case ingress
}

/// The conditions of a link, seen from one of its ends.
package struct LinkConditions: TwoWay, Codable, Hashable, Sendable {
  package var egress = LinkCondition()
  package var ingress = LinkCondition()

  package init() {}

  package var isClear: Bool { egress.isClear && ingress.isClear }
  package var needsEmulator: Bool { egress.needsEmulator || ingress.needsEmulator }
}

/// Something of each of the two ways over a link.
package protocol TwoWay {
  associatedtype Way
  var egress: Way { get set }
  var ingress: Way { get set }
}

extension TwoWay {
  package subscript(direction: LinkDirection) -> Way {
    get {
      switch direction {
      case .egress: egress
      case .ingress: ingress
      }
    }
    set {
      switch direction {
      case .egress: egress = newValue
      case .ingress: ingress = newValue
      }
    }
  }
}
