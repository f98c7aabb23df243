import Addresses
import Intent
import StackFiles
import Vocabulary

extension ManifestBuilder {
  /// Notes what NetworkPolicies say otherwise than rules.
  mutating func notePolicies() {
    let place = input.file.policies.first.map(\.desired)
    noteHostRules()
    if flat.contains(where: { $0.rules.contains { $0.ports.isInexact } }) {
      ledger.note(
        "policies", .changed,
        "ICMP is not told from the rest: it passes where everything does, and plugins differ elsewhere")
    }
    let sendsOut = matrix.outgoing.contains { !$0.isEmpty }
    if options.innerRanges.isEmpty, sendsOut {
      ledger.note(
        place == nil ? "networks" : "policies", .changed,
        "addresses of all pods, Services and nodes count as the internet, those of other Namespaces too",
        do: "name the cluster's ranges: --pod-cidr 10.244.0.0/16, once for each of pods, Services and nodes",
        at: input.file.name.span)
    }
    if place != nil {
      ledger.note(
        "policies", .changed, "refused packets are dropped, where `stack` answers with a refusal; there are no counters"
      )
    }
    noteTwoWays()
  }

  private mutating func noteHostRules() {
    for rule in input.file.policies.map(\.desired) {
      guard (rule.sources + rule.destinations).contains(.host) else { continue }
      if rule.action == .allow, !rule.destinations.contains(.host) {
        ledger.note("policies", .changed, "`\(rule.line)`: a node reaches all ports of its own pods anyway")
        continue
      }
      ledger.note(
        "policies", .lost, "`\(rule.line)` names the host, which policies cannot: a node always reaches its own pods",
        do: "put what is to be kept from the host behind a password")
    }
    let shared = input.services.filter { $0.networkMode?.value == .host }
    if !shared.isEmpty {
      ledger.note(
        "policies", .changed,
        "they do not hold for \(shared.map(\.name.value).joined(separator: ", ")), which is on the node's network",
        at: input.file.name.span)
    }
  }

  /// A pod has one address. Where a service's addresses have different rules, all that one of them allows is allowed.
  private mutating func noteTwoWays() {
    let several = input.services.filter { $0.attachments.count > 1 }.map(\.name.value)
    guard !several.isEmpty, !input.stack.policy.isEmpty else { return }
    ledger.note(
      "policies", .changed,
      "a pod has one address: what a rule or a default allows to any address of "
        + "\(several.joined(separator: ", ")) is allowed to the pod")
  }
}
