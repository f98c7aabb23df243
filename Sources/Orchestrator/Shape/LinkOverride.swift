/// What was changed by hand about a service's link while it was up: it holds until it is taken back, its time is up, or the
/// stack is down.
public struct LinkOverride: Codable, Hashable, Sendable {
  /// In place of what the file says; nil for what the file says.
  public var egress: LinkCondition?
  public var ingress: LinkCondition?
  /// No packet passes.
  public var isDown = false
  /// When it ends by itself, in seconds since the host was started (CLOCK_BOOTTIME); nil for not by itself.
  public var until: Double?

  public init() {}

  public var isEmpty: Bool { egress == nil && ingress == nil && !isDown }

  func applied(to declared: LinkConditions) -> LinkConditions {
    var conditions = declared
    if let egress { conditions.egress = egress }
    if let ingress { conditions.ingress = ingress }
    return conditions
  }
}

extension DesiredAttachment {
  /// Whether its link is other than a plain one.
  var isShaped: Bool { !currentConditions.isClear || isSetDown }

  /// `egress rate 10mbit, ingress clear`.
  var shapeDescription: String {
    guard !isSetDown else { return "down" }
    let conditions = currentConditions
    guard conditions.egress != conditions.ingress else { return "\(conditions.egress)" }
    return LinkDirection.allCases.map { "\($0.rawValue) \(conditions[$0])" }.joined(separator: ", ")
  }

  /// What a person would type for it.
  func shapeCommands(_ service: String, _ stack: String) -> [String] {
    pairs.flatMap { pair in
      LinkDirection.allCases.flatMap { direction in
        let (tc, device) =
          direction == .egress ? ("tc -n \(stack).\(service) qdisc", pair.interface) : ("tc qdisc", pair.link)
        return currentConditions[direction].queueCommands(tc, device)
      } + (isSetDown ? ["ip link set \(pair.link) down"] : [])
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
  func hasOtherShape(than other: DesiredService) -> Bool {
    zip(attachments, other.attachments).contains {
      $0.currentConditions != $1.currentConditions || $0.isSetDown != $1.isSetDown
    }
  }
}
