import Host
import Intent
import Kernel
import Netlink
import SystemPackage

extension StackBuilder {
  /// Makes a further bridge of a network and joins it to the network's own.
  ///
  /// All that the host has to do with the network stays at its own bridge: address, neighbours, what is filtered. Here
  /// only frames pass. The joint floods what it does not know, as no service's port does.
  func create(_ segment: DesiredSegment, in desired: DesiredStack) throws(KernelError) {
    guard let network = desired.network(named: segment.network) else { return }
    var socket = try NetlinkSocket(.route)
    var batch = RouteBatch()
    // Leftovers of an `up` that was cut off.
    batch.delete(.name(segment.nearEnd), tolerating: .gone)
    var bridge = Bridge(segment.bridge)
    (bridge.mtu, bridge.group, bridge.isUp) = (network.mtu, desired.linkGroup, false)
    bridge.filtersVLANs = network.filtersVLANs
    batch.create(bridge, tolerating: .existing)
    var pair = VethPair(near: VethPair.End(segment.nearEnd), peer: VethPair.End(segment.farEnd))
    (pair.near.mtu, pair.near.group) = (network.mtu, desired.linkGroup)
    (pair.peer.mtu, pair.peer.group) = (network.mtu, desired.linkGroup)
    pair.master = try linkIndex(network.bridge)
    batch.create(pair)
    try socket.apply(batch)

    batch.removeAll()
    let (near, far) = (try linkIndex(segment.nearEnd), try linkIndex(segment.farEnd))
    let index = try linkIndex(segment.bridge)
    var joining = LinkChange(.index(far))
    joining.master = index
    batch.change(joining)
    let alias = LinkName.alias(stack: stack, "", segment.network)
    for (link, isPort) in [(index, false), (near, true), (far, true)] {
      var change = LinkChange(.index(link))
      change.alias = alias
      change.ipv6AddressGeneration = addressGeneration(on: network)
      if link == index {
        change.mtu = network.mtu
        batch.createFilterPlace(on: index, tolerating: .everything)
        batch.create(PacketFilter.arrivals, at: .ingress(link: index), tolerating: .everything)
      }
      // The host knows who is behind the joint, and so answers for them there as at a service's own port.
      if isPort { change.bridgePort = BridgePort(floods: true, suppressesNeighbours: link == near) }
      batch.change(change)
      if isPort, network.filtersVLANs { for vlan in network.vlans { batch.add(BridgeVLAN(vlan.id, on: link)) } }
      var up = LinkChange(.index(link))
      up.isUp = true
      batch.change(up)
    }
    batch.set(ForwardingEntry(network.mac, behind: far))
    try socket.apply(batch)
  }

  func remove(_ segment: DesiredSegment) throws(KernelError) {
    var socket = try NetlinkSocket(.route)
    var batch = RouteBatch()
    batch.delete(.name(segment.nearEnd), tolerating: .gone)
    batch.delete(.name(segment.bridge), tolerating: .gone)
    try socket.apply(batch)
  }

  // MARK: Tunnels

  /// Makes what carries a network's frames to another host, as a port of its bridge.
  func create(_ tunnel: DesiredTunnel, of network: DesiredNetwork, on bridge: UInt32, group: UInt32) throws(KernelError)
  {
    var socket = try NetlinkSocket(.route)
    guard try socket.link(named: tunnel.link) == nil else { return }
    var batch = RouteBatch()
    var vxlan = Vxlan(tunnel.link, id: tunnel.id, remote: tunnel.remote, port: tunnel.port)
    // All frames go to the other host, whatever addresses it claims.
    vxlan.learns = false
    (vxlan.local, vxlan.mtu, vxlan.group, vxlan.master) = (tunnel.local, network.mtu, group, bridge)
    batch.create(vxlan)
    do {
      try socket.apply(batch)
    } catch {
      var error = error
      if error.errno == .fileExists {
        error.remedy = "another VXLAN of this host has id \(tunnel.id) and port \(tunnel.port): choose another id"
      }
      throw error
    }
    batch.removeAll()
    let index = try linkIndex(tunnel.link)
    var change = LinkChange(.index(index))
    change.alias = LinkName.alias(stack: stack, "", network.name)
    change.ipv6AddressGeneration = addressGeneration(on: network)
    batch.change(change)
    for vlan in network.vlans { batch.add(BridgeVLAN(vlan.id, on: index)) }
    var up = LinkChange(.index(index))
    up.isUp = true
    batch.change(up)
    try socket.apply(batch)
  }
}
