import Addresses
import Intent
import Vocabulary

/// The packets that each replica may send to each other one, and to and from the outside: the ordered rules, defaults
/// and networks of a stack, flattened.
///
/// Replicas that no rule and no network tells apart are one class, so that the work grows with the classes.
package struct TrafficMatrix: Sendable {
  /// A replica that has an address of its own.
  struct Member: Sendable {
    var name: String
    var service: String
    var index: Int
    var replicas: Int
  }

  /// A named set of replicas that a selector can use.
  struct Group: Sendable {
    var label: String
    var classes: NumberSet
  }

  private(set) var members: [Member] = []
  /// The members of each class, in the order of the file.
  private(set) var classes: [[Int]] = []
  /// The class of each member.
  private(set) var classOf: [Int] = []
  private(set) var groups: [Group] = []
  /// The labels of each member, by group.
  private(set) var labels: [[String]] = []
  /// The traffic that is allowed from a class to a class.
  private(set) var allowed: [[PortSet]] = []
  /// The traffic of a class that is allowed to ranges outside, and from there.
  private(set) var outgoing: [[OutsideRange]] = []
  private(set) var incoming: [[OutsideRange]] = []

  /// Addresses outside, less those of narrower ranges in the same list.
  struct OutsideRange: Hashable, Sendable {
    var range: IPPrefix
    /// The ranges within it for which something else holds.
    var exceptions: [IPPrefix]
    var ports: PortSet
  }

  package init(_ stack: DesiredStack) {
    let sides = RuleSides(stack)
    let instances = stack.services.filter { $0.namespace == .own && $0.switching == nil }
    let replicas = Dictionary(grouping: stack.services, by: \.service).mapValues(\.count)
    var traits: [MemberTraits] = []
    var numbers: [MemberTraits: Int] = [:]
    for instance in instances {
      let trait = MemberTraits(instance, sides)
      let number = numbers[trait] ?? classes.count
      if number == classes.count {
        numbers[trait] = number
        traits.append(trait)
        classes.append([])
      }
      classes[number].append(members.count)
      classOf.append(number)
      members.append(
        Member(
          name: instance.name, service: instance.service, index: instance.index,
          replicas: replicas[instance.service] ?? 1))
    }
    let judge = PairJudge(stack, sides)
    allowed = traits.map { source in traits.map { judge.ports(from: source, to: $0) } }
    let outside = OutsideJudge(judge, stack)
    outgoing = traits.map { outside.outgoing(from: $0) }
    incoming = traits.map { outside.incoming(to: $0) }
    nameGroups(stack, traits)
  }

  func ports(from source: String, to destination: String) -> PortSet? {
    guard let from = members.firstIndex(where: { $0.name == source }),
      let to = members.firstIndex(where: { $0.name == destination })
    else { return nil }
    return allowed[classOf[from]][classOf[to]]
  }

  /// True if the rules leave what networks alone would.
  package static func isGivenByNetworks(_ stack: DesiredStack) -> Bool {
    guard !stack.policy.isEmpty else { return true }
    var open = stack
    open.policy = StackPolicy()
    let (ruled, plain) = (TrafficMatrix(stack), TrafficMatrix(open))
    guard ruled.members.count == plain.members.count else { return false }
    for source in ruled.members.indices {
      let (from, fromPlain) = (ruled.classOf[source], plain.classOf[source])
      guard ruled.outgoing[from] == plain.outgoing[fromPlain], ruled.incoming[from] == plain.incoming[fromPlain] else {
        return false
      }
      for target in ruled.members.indices where target != source {
        let (to, toPlain) = (ruled.classOf[target], plain.classOf[target])
        if ruled.allowed[from][to] != plain.allowed[fromPlain][toPlain] { return false }
      }
    }
    return true
  }

  // MARK: - Groups

  /// Networks, and the sides of rules that name several classes.
  private mutating func nameGroups(_ stack: DesiredStack, _ traits: [MemberTraits]) {
    labels = members.map { _ in [] }
    var known: Set<NumberSet> = []
    func add(_ label: String, _ isIn: (MemberTraits) -> Bool) -> Group? {
      let inside = withoutSplitServices(
        NumberSet(capacity: classes.count, traits.indices.filter { isIn(traits[$0]) }))
      let count = inside.numbers.reduce(0) { $0 + classes[$1].count }
      guard count > 1, known.insert(inside).inserted else { return nil }
      return Group(label: label, classes: inside)
    }
    for network in stack.networks {
      let group = add(StackLabel.network(network.name)) { $0.interfaces.contains { $0.network == network.name } }
      if let group { groups.append(group) }
    }
    for number in stack.policy.rules.indices {
      let sides: [(String, (MemberTraits.Interface) -> NumberSet)] = [
        ("from", { $0.asSource }), ("to", { $0.asDestination }),
      ]
      for (side, rules) in sides {
        let group = add(StackLabel.rule(number + 1, side)) { trait in
          trait.interfaces.contains { rules($0).contains(number) }
        }
        if let group { groups.append(group) }
      }
    }
    for group in groups {
      for number in group.classes.numbers { for member in classes[number] { labels[member].append(group.label) } }
    }
  }

  /// The classes of a set, less those with a replica whose service is partly outside: one template makes all replicas,
  /// so that all have the same labels.
  private func withoutSplitServices(_ set: NumberSet) -> NumberSet {
    var rest = set
    while true {
      let outside = Set(
        members.indices.filter { !rest.contains(classOf[$0]) }.map { members[$0].service })
      let kept = rest.numbers.filter { number in
        !classes[number].contains { outside.contains(members[$0].service) }
      }
      guard kept.count < rest.count else { return rest }
      rest = NumberSet(capacity: classes.count, kept)
    }
  }
}
