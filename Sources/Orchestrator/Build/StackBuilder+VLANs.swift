import Host
import Addresses
import Intent
import Kernel
import Netlink
import SystemPackage

extension StackBuilder {
  /// Makes a bridge for each VLAN of a network, on a kernel whose bridges tell none apart.
  ///
  /// The host is in none of them, as it is in no tagged VLAN. It has no address there and does not answer ARP for its
  /// other addresses (arp_ignore in ip-sysctl.rst). The firewall drops packets for the host that arrive by them.
  func createVLANBridges(of network: DesiredNetwork, group: UInt32) throws(KernelError) {
    var socket = try NetlinkSocket(.route)
    var batch = RouteBatch()
    let names = network.vlans.compactMap(\.bridge)
    for name in names {
      var bridge = Bridge(name)
      (bridge.mtu, bridge.group, bridge.isUp) = (network.mtu, group, false)
      batch.create(bridge, tolerating: .existing)
    }
    try socket.apply(batch)

    batch.removeAll()
    for name in names {
      try switchIPv6Off(on: name)
      try Files.set("/proc/sys/net/ipv4/conf/\(name)/arp_ignore", to: "8")
      let index = try linkIndex(name)
      batch.createFilterPlace(on: index, tolerating: .everything)
      batch.create(PacketFilter.arrivals, at: .ingress(link: index), tolerating: .everything)
      var change = LinkChange(.index(index))
      change.alias = LinkName.alias(stack: stack, "", network.name)
      change.ipv6AddressGeneration = addressGeneration(on: network)
      change.mtu = network.mtu
      change.isUp = true
      batch.change(change)
    }
    try socket.apply(batch)
  }

  /// Interfaces for VLANs inside a service, once they are made.
  func setUpSubinterfaces(of service: DesiredService, _ socket: inout NetlinkSocket) throws(KernelError) {
    let interfaces = service.attachments.flatMap(\.subinterfaces)
    guard !interfaces.isEmpty else { return }
    var batch = RouteBatch()
    for interface in interfaces {
      guard let link = try socket.link(named: interface.interface)?.index else { continue }
      if let address = interface.address {
        batch.add(InterfaceAddress(.v4(address), prefixLength: interface.length, on: link))
      }
      var up = LinkChange(.index(link))
      up.isUp = true
      batch.change(up)
    }
    try socket.apply(batch)
  }
}

extension RouteBatch {
  /// Puts a service's port into its VLANs. Without any it stays where the kernel puts a new port: in VLAN 1, untagged.
  mutating func setVLANs(of attachment: DesiredAttachment, on port: UInt32) {
    switch attachment.vlan {
    case nil: break
    case .access(let id):
      var vlan = BridgeVLAN(id, on: port)
      (vlan.takesUntagged, vlan.leavesUntagged) = (true, true)
      add(vlan)
      delete(BridgeVLAN(1, on: port))
    case .trunk(let interfaces):
      for interface in interfaces { add(BridgeVLAN(interface.vlan, on: port)) }
    }
  }
}
