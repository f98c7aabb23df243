import Addresses
import Intent
import StackFiles
import Vocabulary

extension Resolver {
  /// The VLANs of a network that the file declares or that a service is in.
  mutating func vlans(of network: StackFile.Network, _ services: [StackFile.Service]) -> [DesiredVLAN] {
    var found = network.vlans.map { vlan in
      DesiredVLAN(id: UInt16(vlan.id.value), subnet: vlan.subnet?.value, gateway: vlan.gateway?.value)
    }
    var used: Set<Int> = []
    for attachment in services.lazy.flatMap(\.attachments) where attachment.network.value == network.name.value {
      switch attachment.vlan?.value {
      case .access(let id): used.insert(id.value)
      case .trunk(let vlans): used.formUnion(vlans.map(\.id.value))
      case nil: break
      }
    }
    for id in used.sorted() where !found.contains(where: { $0.id == id }) {
      found.append(DesiredVLAN(id: UInt16(id), subnet: nil, gateway: nil))
    }
    if !facts.tellsVLANsApart { giveBridges(to: &found, of: network.name.value) }
    return found
  }

  /// Adds the free addresses of each VLAN that has a subnet of its own.
  func addVLANs(of network: DesiredNetwork, _ services: [StackFile.Service], _ addresses: inout Addresses) {
    for vlan in network.vlans {
      guard let subnet = vlan.subnet else { continue }
      var reserved = [vlan.gateway]
      for attachment in services.lazy.flatMap(\.attachments) where attachment.network.value == network.name {
        switch attachment.vlan?.value {
        case .access(let id) where id.value == vlan.id: reserved.append(attachment.address?.value)
        case .trunk(let vlans): reserved += vlans.filter { $0.id.value == vlan.id }.map(\.address?.value)
        default: break
        }
      }
      addresses.free[network.pool(ofVLAN: vlan.id)] = HostAddresses(
        subnet: subnet, within: nil, reserved: reserved.compactMap(\.self))
    }
  }

  mutating func membership(
    of wanted: StackFile.Attachment, _ interface: String, _ instance: String, in network: DesiredNetwork,
    _ addresses: inout Addresses
  ) -> DesiredVLANMembership? {
    switch wanted.vlan?.value {
    case nil: return nil
    case .access(let id): return .access(UInt16(id.value))
    case .trunk(let vlans):
      let before = previousServices[instance]?.attachments.first { $0.network == network.name }?.subinterfaces ?? []
      var interfaces: [DesiredVLANMembership.Subinterface] = []
      for vlan in vlans {
        let id = UInt16(vlan.id.value)
        let subnet = network.vlans.first { $0.id == id }?.subnet
        let kept = before.first { $0.vlan == id }?.address
        let address = vlan.address?.value ?? give(kept, network.pool(ofVLAN: id), &addresses)
        if address == nil, let subnet {
          errors.append(
            StackError(
              "\(stackName)/\(instance)", "no address is left in \(subnet) of network \(network.pool(ofVLAN: id))",
              remedy: "give the VLAN a wider subnet in \(network.declaredAt.map(\.description) ?? "the stack file")"))
        }
        let name = "\(interface).\(id)"
        interfaces.append(
          DesiredVLANMembership.Subinterface(
            vlan: id, interface: name.utf8.count <= InterfaceName.limit ? name : "vlan\(id)", address: address,
            length: subnet?.length ?? 0, link: ownLink(before.first { $0.vlan == id }?.link, instance, network, id)))
      }
      return .trunk(interfaces)
    }
  }

  /// The address of before if it is still to be had, else the next one; nil where there is none to give.
  private func give(_ kept: IPv4Address?, _ pool: String, _ addresses: inout Addresses) -> IPv4Address? {
    if let kept, addresses.free[pool]?.take(kept) == true { return kept }
    return addresses.free[pool]?.take()
  }
}

extension DesiredNetwork {
  /// The name of the pool of a VLAN's addresses: `front/10`, which no network can be named.
  fileprivate func pool(ofVLAN id: UInt16) -> String { "\(name)/\(id)" }

  /// The name of the pool of an attachment's address, and its subnet.
  func pool(of attachment: StackFile.Attachment) -> (name: String, subnet: IPv4Prefix) {
    guard case .access(let id) = attachment.vlan?.value,
      let own = vlans.first(where: { $0.id == id.value })?.subnet
    else { return (name, subnet) }
    return (pool(ofVLAN: UInt16(id.value)), own)
  }
}

extension Resolver {
  /// The IPv6 address of an attachment; nil in VLANs and on links of the host, where the gateway is not the host.
  func ipv6Address(
    of wanted: StackFile.Attachment, besides address: IPv4Address, in network: DesiredNetwork,
    _ addresses: inout Addresses
  ) -> IPv6Address? {
    if case .access = wanted.vlan?.value { return nil }
    guard network.hasBridge else { return nil }
    return wanted.address6?.value ?? addresses.free6[network.name]?.take(besides: address, in: network.subnet)
  }
}
