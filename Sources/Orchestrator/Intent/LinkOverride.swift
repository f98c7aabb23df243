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

  /// What a person would type for it.
  package func shapeCommands(_ service: String, _ stack: String) -> [String] {
    pairs.flatMap { pair in
      LinkDirection.allCases.flatMap { direction in
        let (tc, device) =
          direction == .egress ? ("tc -n \(stack).\(service) qdisc", pair.interface) : ("tc qdisc", pair.link)
        return currentConditions[direction].queueCommands(tc, device)
      } + (isSetDown ? ["ip link set \(pair.link) down"] : [])
    }
  }
}

extension DesiredLink {
  /// What a person would type for it.
  package func shapeCommands(in stack: DesiredStack) -> [String] {
    [self, reversed].flatMap { way in
      way.currentConditions.egress.queueCommands("tc -n \(stack.name).\(way.first.service) qdisc", way.first.interface)
        + (isSetDown || stack.isCut(self)
          ? [
            "tc -n \(stack.name).\(way.first.service) qdisc replace dev \(way.first.interface) root netem loss 100%"
          ] : [])
    }
  }
}

extension LinkCondition {
  fileprivate func queueCommands(_ tc: String, _ device: String) -> [String] {
    guard !isClear else { return ["\(tc) delete dev \(device) root"] }
    var commands: [String] = []
    if let rate {
      commands.append("\(tc) replace dev \(device) root handle 1: tbf rate \(rate) burst 5ms latency 100ms")
    }
    var words: [String] = []
    if delay > .zero {
      words.append("delay \(DurationText.text(delay))" + (jitter > .zero ? " \(DurationText.text(jitter))" : ""))
    }
    for (name, share) in [("loss", loss), ("duplicate", duplicate), ("corrupt", corrupt), ("reorder", reorder)]
    where share > .none {
      words.append("\(name) \(share)")
    }
    if !words.isEmpty {
      let place = rate == nil ? "root" : "parent 1:1"
      commands.append("\(tc) replace dev \(device) \(place) handle 2: netem \(words.joined(separator: " "))")
    }
    return commands
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
