import Addresses
import Intent
import StackFiles
import Vocabulary

extension Resolver {
  /// Another stack's network, as that stack has it, under the name that this one's file gives it.
  mutating func joined(_ network: StackFile.Network) -> DesiredNetwork? {
    let wanted = network.givenName ?? network.name
    let found = facts.networks.filter { $0.isNamed(wanted.value) }
    guard let other = found.first, found.count == 1 else {
      let known = facts.networks.map(\.name).sorted().prefix(8).joined(separator: ", ")
      errors.append(
        found.isEmpty
          ? StackError(
            "\(stackName)/\(network.name.value)", "there is no network \(wanted.value): no stack that is up has it",
            remedy: "bring its stack up first, or correct its name in \(wanted.span.place)"
              + (known.isEmpty ? "" : "; there \(facts.networks.count == 1 ? "is" : "are") \(known)"))
          : StackError(
            "\(stackName)/\(network.name.value)", "network \(wanted.value) is in more than one stack",
            remedy: "say which in \(wanted.span.place): \(found.map(\.name).joined(separator: ", "))"))
      return nil
    }
    var desired = other.network
    desired.name = network.name.value
    desired.owner = other.stack
    desired.declaredAt = SourceLine(network.name.span.place)
    return desired
  }

  /// Sees who else is on the stack's networks: nobody's address is given twice, and nobody's network is taken away.
  mutating func meetOthers(_ stack: inout DesiredStack) {
    let own = Set(stack.services.flatMap { service in service.names + service.attachments.flatMap(service.names(on:)) })
    for network in stack.networks {
      let members = facts.members[network.bridge] ?? []
      for member in members {
        // Another stack gives no name that means something here. On a network of this stack, that is also one of the outside.
        let names = member.names.filter { name in
          !own.contains(name) && name != "localhost" && (network.owner != nil || !name.contains("."))
        }
        guard !names.isEmpty else { continue }
        stack.neighbours.append(StackNeighbour(network: network.name, address: .v4(member.address), names: names))
      }
      guard network.owner != nil || !members.isEmpty else { continue }
      for service in stack.services {
        for attachment in service.attachments where attachment.network == network.name {
          checkPlace(of: attachment, service, network, members)
          checkFurtherAddresses(of: attachment, service, network, members)
        }
      }
    }
    for network in previous?.ownNetworks ?? [] where stack.network(named: network.name) != network {
      guard let member = facts.members[network.bridge]?.first else { continue }
      errors.append(
        StackError(
          "\(stackName)/\(network.name)",
          "the network cannot be changed or removed: service \(member.service) of stack \(member.stack) is on it",
          remedy: "take that down first: stack down \(member.stack)"))
    }
  }

  private mutating func checkFurtherAddresses(
    of attachment: DesiredAttachment, _ service: DesiredService, _ network: DesiredNetwork,
    _ members: [HostFacts.Member]
  ) {
    for address in attachment.furtherAddresses.map(\.address) {
      let problem: String
      if network.hostAddresses.contains(address) {
        problem = "is its gateway"
      } else if let member = members.first(where: { .v4($0.address) == address }) {
        problem = "is that of service \(member.service) of stack \(member.stack)"
      } else if !network.subnets.contains(where: { $0.contains(address) }), network.owner != nil {
        problem = "is outside what stack \(network.owner ?? "") lets pass there: its subnets"
      } else {
        continue
      }
      errors.append(
        StackError(
          "\(stackName)/\(service.name)", "address \(address) on network \(network.name) \(problem)",
          remedy: "correct `addresses` in \(service.declaredAt.map(\.description) ?? "the stack file")"))
    }
  }

  /// A fixed address is checked here where the file does not know the subnet.
  private mutating func checkPlace(
    of attachment: DesiredAttachment, _ service: DesiredService, _ network: DesiredNetwork,
    _ members: [HostFacts.Member]
  ) {
    let problem: String
    if !network.subnet.contains(attachment.address) {
      problem = "is outside its subnet \(network.subnet)"
    } else if network.hasHost, attachment.address == network.gateway {
      problem = "is its gateway"
    } else if let member = members.first(where: { $0.address == attachment.address }) {
      problem = "is that of service \(member.service) of stack \(member.stack)"
    } else {
      return
    }
    errors.append(
      StackError(
        "\(stackName)/\(service.name)", "address \(attachment.address) on network \(network.name) \(problem)",
        remedy: "choose another in \(service.declaredAt.map(\.description) ?? "the stack file"), or leave it out"))
  }
}
