/// What befalls packets that go one way over a link.
public struct LinkCondition: Codable, Hashable, Sendable {
  /// The most that passes in a second, of whole frames. nil for no limit.
  public var rate: BitRate?
  /// How long each packet is on its way at least.
  public var delay: Duration = .zero
  /// How much the delay varies at most, in either direction.
  public var jitter: Duration = .zero
  public var loss = Share.none
  public var duplicate = Share.none
  /// How often a bit of a packet is turned over.
  public var corrupt = Share.none
  /// How often a packet overtakes those that are delayed.
  public var reorder = Share.none

  public init() {}

  /// Whether packets pass as if there were no condition.
  public var isClear: Bool { self == LinkCondition() }

  /// Whether there is something in it that only netem does. What is lost can be lost by a filter as well.
  public var needsEmulator: Bool {
    delay > .zero || jitter > .zero || duplicate > .none || corrupt > .none || reorder > .none
  }

  /// What only netem does, by the keys of a stack file.
  public var emulated: [String] {
    [
      ("delay", delay > .zero), ("jitter", jitter > .zero), ("duplicate", duplicate > .none),
      ("corrupt", corrupt > .none), ("reorder", reorder > .none),
    ].filter(\.1).map(\.0)
  }
}

extension LinkCondition: CustomStringConvertible {
  /// `rate 10mbit, delay 50ms ± 5ms, loss 1%`; `clear` when there is none.
  public var description: String {
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
  public var description: String {
    guard egress != ingress else { return "\(egress)" }
    return LinkDirection.allCases.map { "\($0.rawValue) \(self[$0])" }.joined(separator: ", ")
  }
}

/// The two ways over a service's end of a link.
public enum LinkDirection: String, Codable, Hashable, Sendable, CaseIterable {
  /// From the service.
  case egress
  /// To the service.
  case ingress
}

/// The conditions of a link, seen from one of its ends.
public struct LinkConditions: TwoWay, Codable, Hashable, Sendable {
  public var egress = LinkCondition()
  public var ingress = LinkCondition()

  public init() {}

  public var isClear: Bool { egress.isClear && ingress.isClear }
  public var needsEmulator: Bool { egress.needsEmulator || ingress.needsEmulator }
}

/// Something of each of the two ways over a link.
public protocol TwoWay {
  associatedtype Way
  var egress: Way { get set }
  var ingress: Way { get set }
}

extension TwoWay {
  public subscript(direction: LinkDirection) -> Way {
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
