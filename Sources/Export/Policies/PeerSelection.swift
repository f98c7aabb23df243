/// One selector of pods: those with all labels of `included`, with none of `excluded`, and of no excluded name.
struct PeerSelector: Hashable, Sendable {
  var included: [String] = []
  var excluded: [String] = []
  /// Services, and single replicas of others, that it names. Empty: all that the labels select.
  var services: [String] = []
  var replicas: [String] = []
  var exceptServices: [String] = []
  var exceptReplicas: [String] = []
}

/// Finds few short selectors for a set of classes of pods.
struct PeerSelection {
  private let matrix: TrafficMatrix
  /// The services all of whose replicas are in one class, and so can be named as a whole, by class.
  private let wholeServices: [[String]]
  private let singleReplicas: [[String]]
  private let all: NumberSet
  private var known: [[NumberSet]: [PeerSelector]] = [:]

  init(_ matrix: TrafficMatrix) {
    self.matrix = matrix
    all = NumberSet(capacity: matrix.classes.count, matrix.classes.indices)
    let split = Set(
      Dictionary(grouping: matrix.members.indices) { matrix.members[$0].service }
        .filter { Set($0.value.map { matrix.classOf[$0] }).count > 1 }.keys)
    wholeServices = matrix.classes.map { members in
      var names: [String] = []
      for member in members.map({ matrix.members[$0] }) where !split.contains(member.service) {
        if names.last != member.service { names.append(member.service) }
      }
      return names
    }
    singleReplicas = matrix.classes.map { members in
      members.map { matrix.members[$0] }.filter { split.contains($0.service) }.map(\.podName)
    }
  }

  /// - Parameter spare: classes that may be selected too, since nothing depends on it.
  mutating func selectors(for wanted: NumberSet, spare: NumberSet) -> [PeerSelector] {
    let key = [wanted, spare]
    if let found = known[key] { return found }
    let found = find(wanted, spare: spare)
    known[key] = found
    return found
  }

  var noClasses: NumberSet { NumberSet(capacity: matrix.classes.count) }

  private func find(_ wanted: NumberSet, spare: NumberSet) -> [PeerSelector] {
    guard !wanted.isEmpty else { return [] }
    if all.subtracting(wanted).subtracting(spare).isEmpty { return [PeerSelector()] }
    var selectors: [PeerSelector] = []
    var open = wanted
    while !open.isEmpty, let best = bestGroup(for: open, wanted.union(spare)) {
      selectors.append(best.selector)
      open = open.subtracting(best.covered)
    }
    let services = names(open, wholeServices)
    let replicas = names(open, singleReplicas)
    if !services.isEmpty { selectors.append(PeerSelector(services: services)) }
    if !replicas.isEmpty { selectors.append(PeerSelector(replicas: replicas)) }
    return selectors
  }

  private struct Candidate {
    var selector: PeerSelector
    var covered: NumberSet
    var cost: Int
    var gain: Int
  }

  /// The group that says most with fewest words; nil where a list of names is as short.
  private func bestGroup(for open: NumberSet, _ permitted: NumberSet) -> Candidate? {
    var best: Candidate?
    for group in matrix.groups {
      let covered = group.classes.intersection(open)
      let gain = size(covered)
      guard gain > 1 else { continue }
      let candidate = candidate(group, covered, gain, permitted)
      guard candidate.cost < gain || candidate.cost == 1 else { continue }
      // The cost for each replica that is selected, compared without division.
      if let former = best, former.cost * gain <= candidate.cost * former.gain { continue }
      best = candidate
    }
    return best
  }

  private func candidate(
    _ group: TrafficMatrix.Group, _ covered: NumberSet, _ gain: Int, _ permitted: NumberSet
  ) -> Candidate {
    var selector = PeerSelector(included: [group.label])
    var excess = group.classes.subtracting(permitted)
    while size(excess) > 1 {
      let best = matrix.groups.filter { $0.classes.isDisjoint(with: covered) }
        .map { (label: $0.label, classes: $0.classes, size: size($0.classes.intersection(excess))) }
        .reduce(nil) { (best: (label: String, classes: NumberSet, size: Int)?, next) in
          next.size > max(1, best?.size ?? 0) ? next : best
        }
      guard let best else { break }
      selector.excluded.append(best.label)
      excess = excess.subtracting(best.classes)
    }
    selector.exceptServices = names(excess, wholeServices)
    selector.exceptReplicas = names(excess, singleReplicas)
    let cost = 1 + selector.excluded.count + selector.exceptServices.count + selector.exceptReplicas.count
    return Candidate(selector: selector, covered: covered, cost: cost, gain: gain)
  }

  /// The number of names that a list of these classes would have.
  private func size(_ classes: NumberSet) -> Int {
    classes.numbers.reduce(0) { $0 + wholeServices[$1].count + singleReplicas[$1].count }
  }

  private func names(_ classes: NumberSet, _ names: [[String]]) -> [String] {
    classes.numbers.flatMap { names[$0] }.sorted()
  }
}

extension TrafficMatrix.Member {
  /// The name of its pod: replicas count from 1, also where there is one.
  var podName: String { "\(service)-\(index)" }
}
