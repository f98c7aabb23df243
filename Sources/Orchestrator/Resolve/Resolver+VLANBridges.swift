import Intent
import Vocabulary

/// On a kernel whose bridges tell no VLANs apart each VLAN has a bridge of its own, and a trunk a veth pair for each: whoever is
/// in a VLAN finds what he would find in one that is a tag. That is decided here; what is made follows from the names.
extension Resolver {
  mutating func giveBridges(to vlans: inout [DesiredVLAN], of network: String) {
    let stack = stackName
    let before = previous?.network(named: network)?.vlans ?? []
    for index in vlans.indices {
      let id = vlans[index].id
      vlans[index].bridge = linkName(before: before.first { $0.id == id }?.bridge) {
        LinkName.vlan(id, stack: stack, network: network, attempt: $0)
      }
    }
  }

  /// The host's end of a trunk's pair for a VLAN that has a bridge of its own.
  mutating func ownLink(
    _ before: String?, _ instance: String, _ network: DesiredNetwork, _ id: UInt16
  ) -> String? {
    guard network.bridge(ofVLAN: id) != nil else { return nil }
    let stack = stackName
    return linkName(before: before) {
      LinkName.veth(stack: stack, service: instance, network: "\(network.name).\(id)", attempt: $0)
    }
  }

  /// Reports what VLANs with bridges of their own cannot do.
  mutating func checkVLANs(_ stack: DesiredStack) {
    for network in stack.ownNetworks where !network.vlans.isEmpty && !network.filtersVLANs {
      if network.tunnel != nil {
        report(
          network, "frames have no tags here, and so no VLAN reaches the other host",
          remedy: "a vxlan network for each VLAN")
      }
      for vlan in network.vlans {
        let count = stack.services.count { service in
          service.attachments.contains { $0.network == network.name && $0.pairs.contains { $0.vlan == vlan.id } }
        }
        if count > DesiredSegment.capacity {
          report(
            network, "VLAN \(vlan.id) has \(count) services, and its bridge takes \(DesiredSegment.capacity)",
            remedy: "fewer services in it")
        }
      }
    }
  }

  private mutating func report(_ network: DesiredNetwork, _ problem: String, remedy: String) {
    errors.append(
      StackError(
        "\(stackName)/\(network.name)", "\(MissingVLANs.absence): \(problem)",
        remedy: "run a kernel that has them, or have \(remedy) in "
          + (network.declaredAt.map(\.description) ?? "the stack file")))
  }
}
