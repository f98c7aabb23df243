import Intent
import StackFiles
import Vocabulary

extension Resolver {
  /// The links that carry a network's frames.
  mutating func kind(of network: StackFile.Network) -> DesiredNetwork.Kind {
    if let tunnel = tunnel(of: network) { return .vxlan(tunnel) }
    // The file's checks see to it that a macvlan network names its parent.
    guard network.driver?.value == .macvlan, let parent = network.parent else { return .bridge }
    checkPresence(of: parent, for: network)
    return .macvlan(parent: parent.value)
  }

  private mutating func checkPresence(of parent: Located<String>, for network: StackFile.Network) {
    if facts.parents[parent.value] == nil {
      errors.append(
        StackError(
          "\(stackName)/\(network.name.value)", "the host has no link \(parent.value)",
          remedy: "name one that it has in \(parent.span.place): ip link shows them"))
    }
  }

  private mutating func tunnel(of network: StackFile.Network) -> DesiredTunnel? {
    guard network.driver?.value == .vxlan, let id = network.tunnelID, let remote = network.remote else { return nil }
    let (stack, name) = (stackName, network.name.value)
    let link = linkName(before: previous?.network(named: name)?.tunnel?.link) {
      LinkName.tunnel(stack: stack, network: name, attempt: $0)
    }
    return DesiredTunnel(
      link: link, id: UInt32(id.value), remote: remote.value, local: network.local?.value,
      port: UInt16(network.tunnelPort?.value ?? StackFile.Network.standardTunnelPort))
  }

  /// Rules are kept where all frames of a network pass one bridge, untagged. Better no stack than one that looks guarded.
  mutating func checkRules(_ stack: DesiredStack) {
    guard !stack.policy.isEmpty else { return }
    let divided = Set(stack.segments.map(\.network))
    let filtered = stack.policy.filteredNetworks(of: stack)
    for network in stack.ownNetworks {
      let reason: String
      if !network.hasBridge {
        reason = "it is on a link of the host, past all rules"
      } else if !network.hasHost {
        // A rule holds on other networks, if it is about nobody here.
        guard filtered.contains(network.name) else { continue }
        reason = "it is without the host, whose firewall sees none of its frames"
      } else if !network.vlans.isEmpty {
        reason = "it has VLANs, whose frames no rule sees"
      } else if divided.contains(network.name) {
        reason = "it has more services than one bridge takes"
      } else {
        continue
      }
      errors.append(
        StackError(
          "\(stackName)/\(network.name)", "the stack has rules, which cannot be kept on this network: \(reason)",
          remedy:
            "put it (\(network.declaredAt.map(\.description) ?? "")) into a stack without `policies` and `default: deny`"
        ))
    }
  }
}
