import Vocabulary

/// What was changed by hand about a service's link while it was up: it holds until it is taken back, its time is up, or the
/// stack is down.
package struct LinkOverride: Codable, Hashable, Sendable {
  /// In place of what the file says.
  package struct Change: TwoWay, Codable, Hashable, Sendable {
    /// nil for what the file says.
    package var egress: LinkCondition?
    package var ingress: LinkCondition?
    /// No packet passes.
    package var isDown = false

    init() {}

    var isEmpty: Bool { self == Change() }

    /// The same, seen from the link's other end.
    var reversed: Change {
      var other = self
      (other.egress, other.ingress) = (ingress, egress)
      return other
    }
  }

  /// What holds now.
  package var current: Change
  /// When it ends by itself, in seconds since the host was started (CLOCK_BOOTTIME); nil for not by itself.
  package var until: Double?
  /// What holds then.
  var afterwards: Change?

  package init(_ current: Change = Change(), afterwards: Change? = nil) {
    self.current = current
    self.afterwards = afterwards
  }

  package var isEmpty: Bool { current.isEmpty && afterwards == nil }

  /// What is not to end by itself.
  package var lasting: Change { afterwards ?? current }

  /// What is left of it once its time is up.
  package var ended: LinkOverride? {
    guard let afterwards, !afterwards.isEmpty else { return nil }
    return LinkOverride(afterwards)
  }

  /// The same, seen from the link's other end.
  package var reversed: LinkOverride {
    var other = self
    (other.current, other.afterwards) = (current.reversed, afterwards?.reversed)
    return other
  }
}

extension LinkConditions {
  /// With what was changed by hand in place of what the file says.
  package func changed(by change: LinkOverride.Change?) -> LinkConditions {
    var conditions = self
    if let egress = change?.egress { conditions.egress = egress }
    if let ingress = change?.ingress { conditions.ingress = ingress }
    return conditions
  }
}

extension DesiredAttachment {
  /// Whether its link is other than a plain one.
  package var isShaped: Bool { !currentConditions.isClear || isSetDown }

  /// `egress rate 10mbit, ingress clear`.
  package var shapeDescription: String {
    isSetDown ? "down" : currentConditions.description
  }
}

extension DesiredService {
  /// Whether something other befalls packets on its links, of those that both have.
  package func hasOtherShape(than other: DesiredService) -> Bool {
    zip(attachments, other.attachments).contains {
      $0.currentConditions != $1.currentConditions || $0.isSetDown != $1.isSetDown
    }
  }
}
