import Intent
import StackFiles
import Vocabulary

extension ManifestBuilder {
  /// A StatefulSet, so that replicas have names; or Jobs, for what is not started again whenever it ends.
  mutating func workload(_ service: StackFile.Service) -> [Manifest] {
    let name = service.name.value
    let members = [service] + (guests[name] ?? [])
    for guest in members.dropFirst() where guest.restart.isAlways != service.restart.isAlways {
      ledger.note(
        key(guest, "restart"), .changed, "it is in one pod with \(name), and restarts as that one does",
        at: guest.name.span)
    }
    let file = "\(name).yaml"
    let (maps, places) = configurationMaps(members, file: file)
    let labels = podLabels(of: members)
    guard service.restart.isAlways else {
      return maps + jobs(service, members, labels: labels, places: places, file: file)
    }
    let template = podTemplate(members, labels: labels, restart: "Always", places: places)
    let value = KubernetesObject.value(
      "apps/v1", "StatefulSet", name: name, namespace: namespace,
      [
        "spec": .mapping([
          "serviceName": .text(name), "replicas": .number(service.scale.value),
          // Replicas count from 1 here, and start at the same time.
          "ordinals": .mapping(["start": .number(1)]), "podManagementPolicy": .text("Parallel"),
          "selector": .mapping([
            "matchLabels": .texts([StackLabel.service: name, StackLabel.runs: StackLabel.yes])
          ]),
          "template": template,
        ])
      ])
    return maps + [
      Manifest(kind: "StatefulSet", name: name, places: [service.name.span.place], file: file, value: value)
    ]
  }

  /// A Job for each replica: pods of one Job have no names that others could know.
  private mutating func jobs(
    _ service: StackFile.Service, _ members: [StackFile.Service], labels: [String: String], places: VolumePlaces,
    file: String
  ) -> [Manifest] {
    let name = service.name.value
    var limit = 0
    if case .onFailure(let maximum) = service.restart { limit = maximum ?? Int(Int32.max) }
    let isServer = members.contains { !$0.ports.isEmpty || !$0.exposed.isEmpty }
    if isServer, service.restart == .no {
      ledger.note(
        key(service, "restart"), .changed, "a Job runs it once, and nobody starts it again after its end",
        do: "write `restart: always` for a server", at: service.name.span)
    }
    guard service.scale.value > 0 else { return [] }
    return (1...service.scale.value).map { index in
      var own = labels
      own[StackLabel.pod] = "\(name)-\(index)"
      let template = podTemplate(
        members, labels: own, restart: service.restart == .no ? "Never" : "OnFailure", places: places)
      let value = KubernetesObject.value(
        "batch/v1", "Job", name: "\(name)-\(index)", namespace: namespace,
        [
          "spec": .mapping([
            "backoffLimit": .number(limit),
            "podFailurePolicy": finishing.contains(name) && service.restart == .no ? Self.ignoringDisruptions : nil,
            "template": template,
          ])
        ])
      return Manifest(
        kind: "Job", name: "\(name)-\(index)", places: [service.name.span.place], file: file, value: value)
    }
  }

  /// All labels by which Services and policies find its pods.
  func podLabels(of members: [StackFile.Service]) -> [String: String] {
    guard let service = members.first else { return [:] }
    var labels: [String: String] = [:]
    for label in members.flatMap(\.labels) where Self.isLabel(label) { labels[label.name.value] = label.value }
    labels[StackLabel.service] = service.name.value
    labels[StackLabel.runs] = StackLabel.yes
    for label in policyLabels(of: service) { labels[label] = StackLabel.yes }
    for label in aliasLabels(of: service) { labels[label] = StackLabel.yes }
    return labels
  }

  /// The labels of groups that hold all of its replicas. Replicas that differ are named in policies by their pods.
  func policyLabels(of service: StackFile.Service) -> [String] {
    instances[service.name.value].flatMap { labelsOf[$0.name] } ?? []
  }

  /// True if Kubernetes takes it as a label; else it is an annotation.
  static func isLabel(_ label: StackFile.Label) -> Bool {
    func isPart(_ text: Substring) -> Bool {
      func isEnd(_ character: Character?) -> Bool {
        character.map { $0.isASCII && ($0.isLetter || $0.isNumber) } ?? true
      }
      return text.utf8.count <= 63 && isEnd(text.first) && isEnd(text.last)
        && text.allSatisfy { isEnd($0) || "-_.".contains($0) }
    }
    let name = label.name.value
    guard !name.hasPrefix("stack/"), isPart(label.value[...]) else { return false }
    let parts = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2 {
      let isDomain =
        parts[0].utf8.count <= 253
        && parts[0].split(separator: ".", omittingEmptySubsequences: false)
          .allSatisfy { isName(String($0), startsWithLetter: false) }
      return isDomain && !parts[1].isEmpty && isPart(parts[1])
    }
    return !name.isEmpty && isPart(name[...])
  }
}

extension StackFile.RestartPolicy {
  var isAlways: Bool { self == .always || self == .unlessStopped }
}
