import Addresses
@testable import Export
@testable import Intent
@testable import Rules
@testable import StackFiles
@testable import Vocabulary

/// One case for the oracle: an export's policies and pods, and what the stack's own evaluator expects of them.
///
/// The evaluator decides packet by packet, with the code that `verify` predicts with. The export flattens the same
/// rules by ranges of ports and sets of services. They share nothing but the meaning of a peer.
struct PolicyOracleCase {
  let name: String
  private let stack: DesiredStack
  private let manifests: [Manifest]
  private let evaluator: PolicyEvaluator
  /// Questions with answers by hand, as `web db 80 yes`, in the place of the evaluator's.
  private let answers: [String]?

  /// Outside of all, within and beside the ranges that rules name.
  private static let outside = [
    "203.0.113.7", "203.0.113.200", "198.51.100.9", "192.0.2.1", "8.8.8.8", "2001:db8::7",
  ]

  init(_ name: String, _ stack: DesiredStack, _ export: KubernetesExport, answers: [String]? = nil) {
    self.answers = answers
    (self.name, self.stack, manifests) = (name, stack, export.manifests)
    evaluator = PolicyEvaluator(stack)
  }

  var line: String {
    OutputValue.mapping([
      "name": .text(name), "policies": .list(manifests.filter { $0.kind == "NetworkPolicy" }.map(\.value)),
      "pods": .list(pods.map(\.output)), "expected": .list(expected),
    ]).json + "\n"
  }

  // MARK: - Pods

  private struct Pod {
    var name: String
    var namespace: String
    var labels: OutputValue
    var addresses: [String]

    var output: OutputValue {
      .mapping([
        "name": .text(name), "namespace": .text(namespace), "labels": labels, "addresses": .texts(addresses),
      ])
    }
  }

  /// As the cluster would make them: from the templates of the documents, with addresses of the cluster's.
  private var pods: [Pod] {
    let members = stack.services.filter { $0.namespace == .own && $0.switching == nil }
    let pods = members.enumerated().compactMap { number, service -> Pod? in
      guard let template = template(of: service) else { return nil }
      let podName = "\(service.service)-\(service.index)"
      let labels = template.adding([.init(key: StackLabel.pod, value: .text(podName))])
      let isDual = service.hasIPv6
      return Pod(
        name: service.name, namespace: stack.name, labels: labels,
        addresses: ["10.244.0.\(number + 1)"] + (isDual ? ["fd00:244::\(number + 1)"] : []))
    }
    let resolver = Pod(
      name: "dns", namespace: "kube-system", labels: .texts(["k8s-app": "kube-dns"]), addresses: ["10.244.9.9"])
    return pods + [resolver]
  }

  private func template(of service: DesiredService) -> OutputValue? {
    let workload = manifests.first {
      $0.kind == "StatefulSet" && $0.name == service.service
        || $0.kind == "Job" && $0.name == "\(service.service)-\(service.index)"
    }
    return workload?.value["spec"]?["template"]?["metadata"]?["labels"]
  }

  // MARK: - Expectations

  /// Ports at and beside the ends of all ranges of the rules, and of what is published.
  private var packets: [(name: String, port: Int, packet: PolicyPacket)] {
    var ports: Set<Int> = [1, 53, 80, 443, 5432, 65535]
    for selector in stack.policy.rules.flatMap(\.ports) {
      for bound in [Int(selector.ports.lowerBound), Int(selector.ports.upperBound)] {
        ports.formUnion([bound - 1, bound, bound + 1])
      }
    }
    let valid = ports.filter { (1...65535).contains($0) }.sorted()
    return valid.map { ("TCP", $0, .tcp(UInt16($0))) } + valid.map { ("UDP", $0, .udp(UInt16($0))) }
  }

  private var expected: [OutputValue] {
    if let answers { return answers.map(Self.question) }
    let members = stack.services.filter { $0.namespace == .own && $0.switching == nil }
    var lines: [OutputValue] = []
    func expect(_ source: String, _ destination: String, _ name: String, _ port: Int, _ isAllowed: Bool) {
      lines.append(.list([.text(source), .text(destination), .text(name), .number(port), .bool(isAllowed)]))
    }
    for source in members {
      for (name, port, packet) in packets {
        for target in members where target.name != source.name {
          expect(source.name, target.name, name, port, isAllowed(source, target, packet))
        }
        for text in Self.outside {
          guard let address = IPAddress(text), isRoutable(address, from: source) else { continue }
          let isOut = evaluator.decision(from: .service(source.name), to: .outside(address), packet).isAllowed
          expect(source.name, text, name, port, isOut)
          expect(text, source.name, name, port, isAllowed(from: address, source, packet))
        }
      }
      for name in ["UDP", "TCP"] { expect(source.name, "dns", name, 53, true) }
    }
    return lines
  }

  private static func question(_ text: String) -> OutputValue {
    let words = text.split(separator: " ").map(String.init)
    let port = words[2].split(separator: "/").map(String.init)
    return .list([
      .text(words[0]), .text(words[1]), .text(port.count == 2 ? port[1] : "TCP"), .number(Int(port[0]) ?? 0),
      .bool(words[3] == "yes"),
    ])
  }

  /// Without IPv6 on its way out, a service has none of it outside.
  private func isRoutable(_ address: IPAddress, from service: DesiredService) -> Bool {
    address.isV4 || service.attachments.contains { $0.isDefaultRoute && $0.ipv6 != nil }
  }

  private func isAllowed(_ source: DesiredService, _ target: DesiredService, _ packet: PolicyPacket) -> Bool {
    let direct = target.attachments.contains { attachment in
      evaluator.decision(
        from: .service(source.name), to: .service(target.name, network: attachment.network), packet
      ).isAllowed
    }
    let own = source.attachments.first(where: \.isDefaultRoute)?.neighbourAddresses ?? []
    let published = target.ports.contains { port in
      port.covers(packet) && (port.sources.map { $0.contains { range in own.contains { range.contains($0) } } } ?? true)
    }
    return direct
      || published
        && evaluator.decision(from: .service(source.name), to: .service(target.name), packet, isPublished: true)
          .isAllowed
  }

  private func isAllowed(from address: IPAddress, _ target: DesiredService, _ packet: PolicyPacket) -> Bool {
    let isPublished = target.ports.contains { port in
      port.covers(packet) && (port.sources.map { $0.contains { $0.contains(address) } } ?? true)
    }
    return isPublished
      && evaluator.decision(from: .outside(address), to: .service(target.name), packet, isPublished: true).isAllowed
  }
}

extension PublishedPort {
  fileprivate func covers(_ packet: PolicyPacket) -> Bool {
    guard !(hostAddress?.isLoopback ?? false) else { return false }
    switch packet {
    case .tcp(let port): return target.transport == .tcp && target.port == port
    case .udp(let port): return target.transport == .udp && target.port == port
    default: return false
    }
  }
}

extension OutputValue {
  /// The value under a key of a mapping.
  subscript(key: String) -> OutputValue? {
    guard case .mapping(let entries) = self else { return nil }
    return entries.first { $0.key == key }?.value
  }
}
