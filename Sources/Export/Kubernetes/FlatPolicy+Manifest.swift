import Addresses
import StackFiles

extension FlatPolicy {
  /// As a NetworkPolicy (networking.k8s.io/v1).
  ///
  /// - Parameter inner: the ranges of pods, Services and nodes, which are no part of the internet.
  func manifest(in namespace: String, inner: [IPPrefix], places: [String]) -> Manifest {
    let name = "\(direction.rawValue)-\(first)"
    let side = direction == .ingress ? "from" : "to"
    let rules = rules.compactMap { rule -> OutputValue? in
      guard let ports = rule.ports.policyPorts else { return nil }
      let peers =
        rule.peers.map { OutputValue.mapping(["podSelector": $0.output]) }
        + rule.ranges.map { $0.output(without: inner) }
      return .mapping([side: .list(peers), "ports": ports.unlessEmpty])
    }
    let value = KubernetesObject.value(
      "networking.k8s.io/v1", "NetworkPolicy", name: name, namespace: namespace,
      [
        "spec": .mapping([
          "podSelector": selector.output, "policyTypes": .texts([direction == .ingress ? "Ingress" : "Egress"]),
          direction.rawValue: .list(rules),
        ])
      ])
    return Manifest(kind: "NetworkPolicy", name: name, places: places, file: "policies.yaml", value: value)
  }
}

extension PeerSelector {
  /// As a label selector.
  var output: OutputValue {
    func expression(_ key: String, _ operation: String, _ values: [String] = []) -> OutputValue {
      .mapping([
        "key": .text(key), "operator": .text(operation), "values": values.isEmpty ? nil : .texts(values),
      ])
    }
    var labels = Dictionary(uniqueKeysWithValues: included.map { ($0, StackLabel.yes) })
    var expressions = excluded.map { expression($0, "DoesNotExist") }
    for (key, names, exceptions) in [
      (StackLabel.service, services, exceptServices), (StackLabel.pod, replicas, exceptReplicas),
    ] {
      if names.count == 1 { labels[key] = names[0] }
      if names.count > 1 { expressions.append(expression(key, "In", names)) }
      if !exceptions.isEmpty { expressions.append(expression(key, "NotIn", exceptions)) }
    }
    return .mapping([
      "matchLabels": labels.isEmpty ? nil : .texts(labels),
      "matchExpressions": expressions.isEmpty ? nil : .list(expressions),
    ])
  }
}

extension TrafficMatrix.OutsideRange {
  func output(without inner: [IPPrefix]) -> OutputValue {
    let holes = (exceptions + inner.filter { range.holds($0) && $0 != range }).sorted()
    let widest = holes.filter { hole in !holes.contains { $0 != hole && $0.holds(hole) } }
    var seen: Set<IPPrefix> = []
    let texts = widest.filter { seen.insert($0).inserted }.map { OutputValue.text("\($0)") }
    return .mapping([
      "ipBlock": .mapping(["cidr": .text("\(range)"), "except": texts.isEmpty ? nil : .list(texts)])
    ])
  }
}

extension PortSet {
  /// The `ports` of a rule: an empty list for everything, and nil where there is none that a policy can name.
  var policyPorts: OutputValue? {
    if isEverything { return .list([]) }
    func entries(_ transport: String, _ ranges: [ClosedRange<Int>]) -> [OutputValue] {
      ranges.map { range in
        guard range != Self.allPorts else { return .mapping(["protocol": .text(transport)]) }
        return .mapping([
          "protocol": .text(transport), "port": .number(range.lowerBound),
          "endPort": range.count > 1 ? .number(range.upperBound) : nil,
        ])
      }
    }
    let ports =
      entries("TCP", tcp) + entries("UDP", udp) + (hasOthers ? [.mapping(["protocol": .text("SCTP")])] : [])
    return ports.isEmpty ? nil : .list(ports)
  }

  /// True if a policy cannot say it: it tells no ICMP from the rest.
  var isInexact: Bool { !isEverything && (hasICMP || hasOthers) }
}
