/// What befalls packets that go one way over a link.
package struct LinkCondition: Codable, Hashable, Sendable {
  /// The most that passes in a second, of whole frames. nil for no limit.
  package var rate: BitRate?
  /// How long each packet is on its way at least.
  package var delay: Duration = .zero
  /// How much the delay varies at most, in either direction.
  package var jitter: Duration = .zero
  package var loss = Share.none
  package var duplicate = Share.none
  /// How often a bit of a packet is turned over.
  package var corrupt = Share.none
  /// How often a packet overtakes those that are delayed.
  package var reorder = Share.none

  package init() {}

  /// Whether packets pass as if there were no condition.
  package var isClear: Bool { self == LinkCondition() }

  /// Whether there is something in it that only netem does. What is lost can be lost by a filter as well.
  package var needsEmulator: Bool {
    delay > .zero || jitter > .zero || duplicate > .none || corrupt > .none || reorder > .none
  }

  /// What only netem does, by the keys of a stack file.
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
