import Vocabulary

/// A change of a link's conditions that was made by hand, with `stack link`. It holds until it is taken back, until its time
/// is up, or until the stack is down.
package struct LinkOverride: Codable, Hashable, Sendable {
  /// The values that replace the file's.
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

  /// The change that holds now.
  package var current: Change
  /// The moment at which it ends, in seconds since the host was started (CLOCK_BOOTTIME); nil for no end.
  package var until: Double?
  /// The change that holds after `until`.
  var afterwards: Change?

  package init(_ current: Change = Change(), afterwards: Change? = nil) {
    self.current = current
    self.afterwards = afterwards
  }

  package var isEmpty: Bool { current.isEmpty && afterwards == nil }

  /// The part that does not end by itself.
  package var lasting: Change { afterwards ?? current }

  /// The override that is left once the time is up.
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
  /// The conditions with the changes by hand in place of the file's values.
  package func changed(by change: LinkOverride.Change?) -> LinkConditions {
    var conditions = self
    if let egress = change?.egress { conditions.egress = egress }
    if let ingress = change?.ingress { conditions.ingress = ingress }
    return conditions
  }
}

extension DesiredAttachment {
  /// True unless the link is a plain one.
  package var isShaped: Bool { !currentConditions.isClear || isSetDown }

  /// `egress rate 10mbit, ingress clear`.
  package var shapeDescription: String {
    isSetDown ? "down" : currentConditions.description
  }
}

extension DesiredService {
  /// True when the conditions of a link that both have differ.
  package func hasOtherShape(than other: DesiredService) -> Bool {
    zip(attachments, other.attachments).contains {
      $0.currentConditions != $1.currentConditions || $0.isSetDown != $1.isSetDown
    }
  }
}
