import Addresses

/// The content of one NetworkPolicy: all that a set of pods may receive, or send.
struct FlatPolicy: Hashable, Sendable {
  enum Direction: String, Sendable { case ingress, egress }

  struct Rule: Hashable, Sendable {
    var ports: PortSet
    var peers: [PeerSelector]
    var ranges: [TrafficMatrix.OutsideRange]
  }

  var direction: Direction
  var selector: PeerSelector
  /// The first replica that it is about, which it is named for.
  var first: String
  var rules: [Rule]
}

extension FlatPolicy {
  /// One of each direction for each pod. Pods for which the same holds share theirs.
  static func policies(of matrix: TrafficMatrix) -> [FlatPolicy] {
    var selection = PeerSelection(matrix)
    return [Direction.ingress, .egress].flatMap { direction -> [FlatPolicy] in
      var contents: [[Rule]: NumberSet] = [:]
      var order: [[Rule]] = []
      for number in matrix.classes.indices {
        let rules = rules(for: number, direction, matrix, &selection)
        if contents[rules] == nil { order.append(rules) }
        contents[rules, default: selection.noClasses].insert(number)
      }
      return order.flatMap { rules -> [FlatPolicy] in
        let pods = contents[rules] ?? selection.noClasses
        let first = pods.numbers.first.map { matrix.members[matrix.classes[$0][0]] }
        return selection.selectors(for: pods, spare: selection.noClasses).enumerated().map { place, selector in
          let suffix = place == 0 ? "" : "-\(place + 1)"
          return FlatPolicy(
            direction: direction, selector: selector, first: (first?.policyName ?? "") + suffix, rules: rules)
        }
      }
    }
  }

  private static func rules(
    for number: Int, _ direction: Direction, _ matrix: TrafficMatrix, _ selection: inout PeerSelection
  ) -> [Rule] {
    var peers: [PortSet: NumberSet] = [:]
    // A pod always reaches itself, so one that is alone in its class may or may not be among its peers.
    let isAlone = matrix.classes[number].count == 1
    var spare = selection.noClasses
    if isAlone { spare.insert(number) }
    for other in matrix.classes.indices where !(isAlone && other == number) {
      let ports = direction == .ingress ? matrix.allowed[other][number] : matrix.allowed[number][other]
      if !ports.isEmpty { peers[ports, default: selection.noClasses].insert(other) }
    }
    let ranges = direction == .ingress ? matrix.incoming[number] : matrix.outgoing[number]
    let outside = Dictionary(grouping: ranges, by: \.ports)
    return Set(peers.keys).union(outside.keys).sorted { $0.order < $1.order }.map { ports in
      Rule(
        ports: ports,
        peers: peers[ports].map { selection.selectors(for: $0, spare: spare) } ?? [], ranges: outside[ports] ?? [])
    }
  }
}

extension TrafficMatrix.Member {
  /// By its service, unless it is one of several replicas that are told apart.
  fileprivate var policyName: String { replicas == 1 ? service : podName }
}

extension PortSet {
  /// Everything first, then by the ports.
  fileprivate var order: String {
    if isEverything { return "" }
    let ranges = (tcp.map { "t\($0)" } + udp.map { "u\($0)" }).joined(separator: " ")
    return "\(ranges) \(hasICMP) \(hasOthers)"
  }
}
