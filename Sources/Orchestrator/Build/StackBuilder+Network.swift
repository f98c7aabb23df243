import Addresses
import Glibc
import Host
import Intent
import Kernel
import Netlink
import Rules
import Runtime
import SystemPackage

extension StackBuilder {
  // MARK: Bridges

  func create(_ network: DesiredNetwork, in desired: DesiredStack) throws(KernelError) {
    // A macvlan network has nothing on the host but its parent.
    guard network.hasBridge else { return }
    var socket = try NetlinkSocket(.route)
    var batch = RouteBatch()
    var bridge = Bridge(network.bridge)
    bridge.mac = network.mac
    bridge.group = desired.linkGroup
    bridge.mtu = network.mtu
    bridge.isUp = false
    bridge.filtersVLANs = network.filtersVLANs
    // One that is there is this stack's own, of an `up` that was cut off: the resolver refuses those of others.
    batch.create(bridge, tolerating: .existing)
    try socket.apply(batch)

    batch.removeAll()
    let index = try linkIndex(network.bridge)
    var change = LinkChange(.index(index))
    change.alias = LinkName.alias(stack: stack, "", network.name)
    // A bridge needs no link-local address, nor the duplicate detection and listener reports of one.
    change.ipv6AddressGeneration = addressGeneration(on: network)
    // Once more: until it is set by itself, a bridge follows the smallest MTU of its ports.
    change.mtu = network.mtu
    batch.change(change)
    if network.hasHost {
      batch.add(
        InterfaceAddress(.v4(network.gateway), prefixLength: network.subnet.length, on: index), tolerating: .existing)
    } else {
      // It answers for none of the host's other addresses there.
      try Files.set("/proc/sys/net/ipv4/conf/\(network.bridge)/arp_ignore", to: "8")
    }
    try setIPv6(of: network)
    if let ipv6 = network.ipv6, network.hasHost { batch.add(ipv6.interfaceAddress(on: index), tolerating: .existing) }
    batch.createFilterPlace(on: index, tolerating: .everything)
    batch.create(PacketFilter.arrivals, at: .ingress(link: index), tolerating: .everything)
    var up = LinkChange(.index(index))
    up.isUp = true
    batch.change(up)
    try socket.apply(batch)
    if !desired.policy.isEmpty { try filter([network], by: desired.policy, of: desired) }
    // With route_localnet, packets with a loopback source may leave by this link (ip-sysctl.rst). So 127.0.0.1 on the
    // host leads to published ports. The firewall drops packets that arrive by the link for a loopback address.
    if network.hasHost { try Files.set("/proc/sys/net/ipv4/conf/\(network.bridge)/route_localnet", to: "1") }
    if let tunnel = network.tunnel { try create(tunnel, of: network, on: index, group: desired.linkGroup) }
    if network.bridges.count > 1 { try createVLANBridges(of: network, group: desired.linkGroup) }
  }

  func remove(_ network: DesiredNetwork) throws(KernelError) {
    var socket = try NetlinkSocket(.route)
    var batch = RouteBatch()
    if let tunnel = network.tunnel { batch.delete(.name(tunnel.link), tolerating: .gone) }
    for bridge in network.bridges { batch.delete(.name(bridge), tolerating: .gone) }
    try socket.apply(batch)
  }

  // MARK: Services

  func createNamespace(for service: DesiredService) throws(KernelError) {
    let namespace = try namespaces.create(
      service.speaksIPv6 ? .fixed : .off, forwards: service.forwards, ownedBy: service.identityRange)
    try namespace.pin(at: folder.service(service.name).namespace)
    if let switching = service.switching { try create(switching, in: service) }
  }

  /// Makes the bridge that the cables of a switch become ports of. It learns where addresses are: nobody knows in advance who is
  /// behind a cable.
  private func create(_ switching: DesiredSwitch, in service: DesiredService) throws(KernelError) {
    var bridge = Bridge(switching.interface)
    bridge.mac = switching.mac(of: service.name, in: stack)
    bridge.usesSpanningTree = switching.usesSpanningTree
    if switching.usesSpanningTree { bridge.forwardDelay = DesiredSwitch.forwardDelay }
    var batch = RouteBatch()
    batch.create(bridge, tolerating: .existing)
    var socket = try NetlinkSocket(.route, in: try namespace(of: service.name).descriptor)
    try socket.apply(batch)
  }

  /// Makes all veth pairs of a service, joined to their bridges and known to them, and its ends of them set up inside.
  ///
  /// Addresses are known in advance, so neighbours and forwarding entries are permanent on both sides. No ARP request
  /// is broadcast between a service and its host, and no frame is flooded to find a service.
  func attach(_ service: DesiredService, in desired: DesiredStack) throws(KernelError) {
    try addLoopbackAddresses(of: service)
    guard !service.attachments.isEmpty else { return }
    let namespace = try namespace(of: service.name)
    var host = try NetlinkSocket(.route)
    var batch = RouteBatch()
    var bridges: [String: UInt32] = [:]
    for attachment in service.attachments {
      guard let network = desired.network(named: attachment.network) else { continue }
      if case .macvlan(let parent) = network.kind {
        var macvlan = Macvlan(
          attachment.interface, on: try linkIndex(parent), in: namespace.descriptor.fileDescriptor)
        (macvlan.mac, macvlan.mtu) = (attachment.mac, network.mtu)
        batch.create(macvlan)
        continue
      }
      let bridge = try linkIndex(network.bridge)
      bridges[network.name] = bridge
      for own in attachment.pairs {
        var near = VethPair.End(own.link)
        near.group = desired.linkGroup
        near.mtu = network.mtu
        var peer = VethPair.End(own.interface)
        peer.mac = attachment.mac
        peer.mtu = network.mtu
        var pair = VethPair(near: near, peer: peer, in: namespace.descriptor.fileDescriptor)
        let master = desired.bridge(of: own, of: attachment, in: network)
        pair.master = try master == network.bridge ? bridge : linkIndex(master)
        batch.create(pair)
      }
    }
    try host.apply(batch)

    batch.removeAll()
    for attachment in service.attachments {
      guard let bridge = bridges[attachment.network] else { continue }
      for pair in attachment.pairs {
        let link = try linkIndex(pair.link)
        var naming = LinkChange(.index(link))
        naming.alias = LinkName.alias(stack: stack, service.name, attachment.network)
        naming.ipv6AddressGeneration = desired.network(named: attachment.network).flatMap(addressGeneration)
        // A service that asks the host for its own published port gets it back by the port it came from.
        naming.bridgePort = attachment.bridgePort(hairpins: !service.ports.isEmpty)
        // The bridge gives frames to 01:80:c2:00:00:0e to the port itself, past every hook (br_handle_frame).
        naming.usesARP = false
        batch.change(naming)
        // Before the link is up: the kernel would wait for packets under way.
        batch.createFilterPlace(on: link, sharing: desired.linkGroup, tolerating: .everything)
        var up = LinkChange(.index(link))
        up.isUp = true
        batch.change(up)
        if desired.network(named: attachment.network)?.filtersVLANs ?? false {
          batch.setVLANs(of: attachment, on: link)
        }
        batch.set(attachment.forwardingEntry(behind: link))
      }
      if let segment = desired.segment(of: attachment) {
        batch.set(attachment.forwardingEntry(behind: try linkIndex(segment.nearEnd)))
      }
      for address in attachment.knownToBridge { batch.set(Neighbour(address, at: attachment.mac, on: bridge)) }
    }
    try host.apply(batch)
    try configure(service, in: desired, namespace)
    if service.attachments.contains(where: \.isShaped) { try shape(service) }
  }

  private func configure(
    _ service: DesiredService, in desired: DesiredStack, _ namespace: SharedNamespace
  ) throws(KernelError) {
    var inner = try NetlinkSocket(.route, in: namespace.descriptor)
    var batch = RouteBatch()
    for attachment in service.attachments {
      guard let network = desired.network(named: attachment.network),
        let link = try inner.link(named: attachment.interface)?.index
      else { continue }
      batch.setUp(attachment, of: service, in: network, on: link)
      for interface in attachment.subinterfaces where interface.link == nil {
        batch.create(VLANInterface(interface.interface, on: link, vlan: interface.vlan))
      }
      for neighbour in desired.knownNeighbours(of: attachment) {
        batch.set(Neighbour(neighbour.address, at: neighbour.mac, on: link))
      }
    }
    try inner.apply(batch)
    try tellOthers(of: service, in: desired)
    if !service.furtherAddresses.isEmpty { try introduce(service, in: desired) }
    try setUpSubinterfaces(of: service, &inner)
  }

  /// Sets right what services know of an address whose hardware address does not follow from it: another may have had it before.
  private func tellOthers(of service: DesiredService, in desired: DesiredStack) throws(KernelError) {
    guard service.attachments.contains(where: { !$0.hasFixedPlace && $0.parent == nil }) else { return }
    try tellNeighbours(of: service, in: desired) { batch, attachment, _, link in
      guard !attachment.hasFixedPlace else { return }
      for address in attachment.addresses {
        batch.delete(Neighbour(address, at: attachment.mac, on: link), tolerating: .gone)
      }
    }
  }

  func detach(_ service: DesiredService) throws(KernelError) {
    var socket = try NetlinkSocket(.route)
    var batch = RouteBatch()
    for pair in service.attachments.flatMap(\.pairs) { batch.delete(.name(pair.link), tolerating: .gone) }
    if let first = socket.attempt(batch).first { throw first.error }
    if service.attachments.contains(where: \.isShaped) { try netfilter.commit(LossFilter.removal(stack, service.name)) }
  }

  func removeLinks(group: UInt32) throws(KernelError) {
    var socket = try NetlinkSocket(.route)
    var batch = RouteBatch()
    batch.delete(group: group, tolerating: .gone)
    try socket.apply(batch)
  }

  func unpin(_ services: [String]) throws(KernelError) {
    for service in services {
      try NetworkNamespace.unpin(folder.service(service).namespace)
    }
  }

  // MARK: Firewall

  func removeFirewall() throws(KernelError) {
    firewall.forget()
    try netfilter.commit(Firewall.removal(of: stack))
    try removeOtherTables()
    try closePassage()
  }

  // MARK: Small things

  func linkIndex(_ name: String) throws(KernelError) -> UInt32 {
    let index = if_nametoindex(name)
    guard index > 0 else { throw KernelError("find link", name, errno: .last) }
    return index
  }
}

extension RouteBatch {
  /// A service's interface to a network, inside: its addresses, the neighbour that it has there, and the way out. What is there
  /// already stays.
  mutating func setUp(
    _ attachment: DesiredAttachment, of service: DesiredService, in network: DesiredNetwork, on link: UInt32
  ) {
    add(
      InterfaceAddress(.v4(attachment.address), prefixLength: network.subnet(of: attachment).length, on: link),
      tolerating: .existing)
    addIPv6Address(of: attachment, in: network, on: link, forwards: service.forwards)
    for address in attachment.furtherAddresses { add(address.interfaceAddress(on: link), tolerating: .existing) }
    var up = LinkChange(.index(link))
    up.isUp = true
    change(up)
    // Beyond a VLAN or a link of the host is a router that nothing is known of in advance.
    if attachment.accessVLAN == nil, !network.hostAddresses.isEmpty {
      set(Neighbour(.v4(network.gateway), at: network.mac, on: link))
    }
    if attachment.isDefaultRoute, let gateway = network.gateway(of: attachment) {
      add(Route(to: .v4(.everything), via: .v4(gateway), on: link), tolerating: .existing)
    }
    addIPv6Routes(of: attachment, in: network, on: link)
  }
}
