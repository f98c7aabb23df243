import Addresses
import Intent
import StackFiles
import Vocabulary

extension Resolver {
  /// The claims that the file grants an interface; nil for none.
  func claims(of wanted: StackFile.Attachment) -> AttachmentClaims? {
    guard !wanted.claims.isEmpty else { return nil }
    var claims = AttachmentClaims()
    for claim in wanted.claims {
      switch claim.value {
      case .prefix(let prefix): claims.prefixes.append(prefix)
      case .hardware(let address): claims.hardware.append(address)
      case .dhcp: claims.asksForAddress = true
      case .any: claims.bridges = true
      }
    }
    return claims
  }

  /// Nobody claims what another one has: the host, a service of this stack, or one of another stack on the same network.
  mutating func checkClaims(_ stack: DesiredStack) {
    let known = ServiceAddresses(stack)
    for service in stack.services {
      for attachment in service.attachments {
        guard let claims = attachment.claims, let network = stack.network(named: attachment.network) else { continue }
        let others = stack.services.filter { $0.name != service.name }
        var taken: [(address: IPAddress, owner: String)] = network.hostAddresses.map { ($0, "the host's") }
        for other in others {
          let own = Set(known.all(of: other)).subtracting(other.attachments.flatMap { $0.claims?.addresses ?? [] })
          taken += own.map { ($0, "that of \(other.name)") }
        }
        let strangers = facts.members[network.bridge] ?? []
        taken += strangers.map { (.v4($0.address), "that of service \($0.service) of stack \($0.stack)") }
        // A range on another stack's network would claim addresses of services that come later.
        let found =
          taken.first { address, _ in claims.prefixes.contains { $0.contains(address) } }.map {
            "\($0.address), \($0.owner)"
          }
          ?? (network.owner != nil && (claims.bridges || !claims.ranges.isEmpty || !claims.hardware.isEmpty)
            ? "more than single addresses on a network of stack \(network.owner ?? "")" : nil)
          ?? claims.hardware.first { mac in
            mac == network.mac || others.contains { $0.attachments.contains { $0.mac == mac } }
          }.map { "\($0), which another one has" }
        guard let found else { continue }
        errors.append(
          StackError(
            "\(stackName)/\(service.name)", "the service cannot claim \(found)",
            remedy: "correct `claims` in \(service.declaredAt.map(\.description) ?? "the stack file")"))
      }
    }
  }

  /// Packets on a link between two services pass nothing of the host. Better no stack than one that looks guarded.
  mutating func checkRulesOnLinks(_ stack: DesiredStack) {
    guard !stack.links.isEmpty else { return }
    let members = PolicyMembers(stack)
    for rule in stack.policy.rules where rule.action == .deny {
      let sources = Set(rule.sources.flatMap(members.services).map(\.name))
      let destinations = Set(rule.destinations.flatMap(members.services).map(\.name))
      let meeting = stack.services.filter { sources.contains($0.name) }.lazy.compactMap { source in
        stack.farEnds(of: source).first { destinations.contains($0.other.service) }
      }.first
      guard let (end, other, link) = meeting else { continue }
      errors.append(
        StackError(
          stackName,
          "the rule \"\(rule.line)\" cannot be kept: a link joins \(end.service) and \(other.service)"
            + (link.declaredAt.map { " (\($0))" } ?? "") + ", and nothing of the host is between them",
          remedy: "join them by a network, or leave the rule\(rule.declaredAt.map { " in \($0)" } ?? "") out"))
    }
  }
}
