/// What was changed by hand about a service's link while it was up: it holds until it is taken back, its time is up, or the
/// stack is down.
public struct LinkOverride: Codable, Hashable, Sendable {
  /// In place of what the file says.
  public struct Change: TwoWay, Codable, Hashable, Sendable {
    /// nil for what the file says.
    public var egress: LinkCondition?
    public var ingress: LinkCondition?
    /// No packet passes.
    public var isDown = false

    public init() {}

    public var isEmpty: Bool { self == Change() }

    /// The same, seen from the link's other end.
    var reversed: Change {
      var other = self
      (other.egress, other.ingress) = (ingress, egress)
      return other
    }
  }

  /// What holds now.
  public var current: Change
  /// When it ends by itself, in seconds since the host was started (CLOCK_BOOTTIME); nil for not by itself.
  public var until: Double?
  /// What holds then.
  public var afterwards: Change?

  public init(_ current: Change = Change(), afterwards: Change? = nil) {
    self.current = current
    self.afterwards = afterwards
  }

  public var isEmpty: Bool { current.isEmpty && afterwards == nil }

  /// What is not to end by itself.
  var lasting: Change { afterwards ?? current }

  /// What is left of it once its time is up.
  var ended: LinkOverride? {
    guard let afterwards, !afterwards.isEmpty else { return nil }
    return LinkOverride(afterwards)
  }

  /// The same, seen from the link's other end.
  var reversed: LinkOverride {
    var other = self
    (other.current, other.afterwards) = (current.reversed, afterwards?.reversed)
    return other
  }
}

extension LinkConditions {
  /// With what was changed by hand in place of what the file says.
  func changed(by change: LinkOverride.Change?) -> LinkConditions {
    var conditions = self
    if let egress = change?.egress { conditions.egress = egress }
    if let ingress = change?.ingress { conditions.ingress = ingress }
    return conditions
  }
}

extension DesiredAttachment {
  /// Whether its link is other than a plain one.
  var isShaped: Bool { !currentConditions.isClear || isSetDown }

  /// `egress rate 10mbit, ingress clear`.
  var shapeDescription: String {
    isSetDown ? "down" : currentConditions.description
  }
}

extension DesiredService {
  /// Whether something other befalls packets on its links, of those that both have.
  func hasOtherShape(than other: DesiredService) -> Bool {
    zip(attachments, other.attachments).contains {
      $0.currentConditions != $1.currentConditions || $0.isSetDown != $1.isSetDown
    }
  }
}
