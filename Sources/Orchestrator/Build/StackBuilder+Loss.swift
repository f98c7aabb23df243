import Addresses
import Host
import Intent
import Kernel
import Netlink
import Planning

extension StackBuilder {
  /// Looks what of a stack is gone, though nobody has asked this program to remove it.
  ///
  /// - Parameter looksInside: whether the services' own addresses and routes are looked at as well.
  package func loss(of stack: DesiredStack, looksInside: Bool = false) throws(KernelError) -> NetworkLoss {
    let present = try LinkNames.all()
    var loss = try NetworkLoss(observing: stack)
    for network in stack.ownNetworks where network.hasBridge && !network.bridges.allSatisfy(present.contains) {
      loss.networks.insert(network.name)
      loss.faults[network.name] = nil
    }
    for service in stack.services {
      let isCutOff = service.attachments.contains { attachment in
        loss.networks.contains(attachment.network)
          || attachment.isOnBridge && !attachment.pairs.allSatisfy { present.contains($0.link) }
      }
      if isCutOff { loss.instances.insert(service.name) }
    }
    guard looksInside else { return loss }
    for service in stack.services where service.namespace == .own && !loss.instances.contains(service.name) {
      // One without a namespace is made anew.
      guard let faults = try? faults(inside: service, of: stack), !faults.isEmpty else { continue }
      loss.inside[service.name] = faults.joined(separator: ", ")
    }
    return loss
  }

  /// The interfaces and addresses of the file that are missing inside a service, in words.
  private func faults(inside service: DesiredService, of stack: DesiredStack) throws(KernelError) -> [String] {
    let attachments = service.attachments.filter { !$0.isSetDown }
    guard !attachments.isEmpty || !service.loopback.isEmpty else { return [] }
    let namespace = try namespace(of: service.name)
    var inner = try NetlinkSocket(.route, in: namespace.descriptor)
    let addresses = try inner.addresses()
    let known = Set(addresses.map(\.address))
    var faults = service.loopback.map(\.address).filter { !known.contains($0) }.map { "no address \($0) on lo" }
    for attachment in attachments {
      guard let network = stack.network(named: attachment.network) else { continue }
      guard let link = try inner.link(named: attachment.interface) else {
        faults.append("no interface \(attachment.interface)")
        continue
      }
      if !link.isUp { faults.append("\(attachment.interface) was set down") }
      let own = Set(addresses.filter { $0.link == link.index }.map(\.address))
      for address in attachment.neighbourAddresses where !own.contains(address) {
        faults.append("no address \(address) on \(attachment.interface)")
      }
      for route in attachment.defaultRoutes(in: network) where try inner.link(towards: route.probe) == nil {
        faults.append("no default route by \(route.gateway)")
      }
    }
    return faults
  }

  /// Puts back what the file gives a service's interfaces. What cannot be is told: the service may have made something of its own
  /// in that place.
  func readdress(_ service: DesiredService, in desired: DesiredStack) throws(KernelError) {
    let namespace = try namespace(of: service.name)
    var inner = try NetlinkSocket(.route, in: namespace.descriptor)
    var batch = RouteBatch()
    for attachment in service.attachments where !attachment.isSetDown {
      guard let network = desired.network(named: attachment.network),
        let link = try inner.link(named: attachment.interface)?.index
      else { continue }
      batch.setUp(attachment, of: service, in: network, on: link)
    }
    for address in service.loopback {
      batch.add(address.interfaceAddress(on: Self.loopbackIndex), tolerating: .existing)
    }
    for failure in inner.attempt(batch) {
      warnings.add("\(stack)/\(service.name): \(failure.error)", about: "inside \(service.name) \(failure.error)")
    }
    do throws(KernelError) {
      if !service.routes.isEmpty { try setRoutes(of: service) }
    } catch {
      warnings.add("\(stack)/\(service.name): \(error)", about: "inside \(service.name) \(error)")
    }
  }

  // MARK: Bridges

  /// Sets a bridge up again, and puts back what the kernel forgot when it was set down or lost its addresses: the routes to it and
  /// the hardware addresses of its services.
  func raise(_ network: DesiredNetwork, in desired: DesiredStack) throws(KernelError) {
    let index = try linkIndex(network.bridge)
    var batch = RouteBatch()
    var up = LinkChange(.index(index))
    up.isUp = true
    batch.change(up)
    for bridge in network.vlans.compactMap(\.bridge) {
      var up = LinkChange(.name(bridge))
      up.isUp = true
      batch.change(up)
    }
    if network.hasHost {
      batch.add(
        InterfaceAddress(.v4(network.gateway), prefixLength: network.subnet.length, on: index), tolerating: .existing)
      // The one that the kernel makes of the address, where somebody has deleted only that.
      var route = Route(to: .v4(network.subnet), on: index)
      (route.source, route.origin) = (.v4(network.gateway), Route.kernelOrigin)
      batch.add(route, tolerating: .existing)
    }
    if let ipv6 = network.ipv6, network.hasHost {
      try setIPv6(of: network)
      batch.add(ipv6.interfaceAddress(on: index), tolerating: .existing)
      var route = Route(to: .v6(ipv6.subnet), on: index)
      (route.metric, route.origin) = (256, Route.kernelOrigin)
      batch.add(route, tolerating: .existing)
    }
    for attachment in desired.services.flatMap(\.attachments)
    where attachment.network == network.name {
      for address in attachment.knownToBridge { batch.set(Neighbour(address, at: attachment.mac, on: index)) }
    }
    var socket = try NetlinkSocket(.route)
    try socket.apply(batch)
  }
}

extension DesiredAttachment {
  /// The ways out that it is to give the service, each with an address beyond.
  fileprivate func defaultRoutes(in network: DesiredNetwork) -> [(gateway: IPAddress, probe: IPAddress)] {
    var routes: [(gateway: IPAddress, probe: IPAddress)] = []
    // Documentation (RFC 5737, RFC 3849): no route of anybody's leads there by itself.
    if isDefaultRoute, let gateway = network.gateway(of: self) {
      routes.append((.v4(gateway), .v4(IPv4Address(bits: 0xC000_0201))))
    }
    if let ipv6, ipv6.isDefaultRoute, let gateway = network.ipv6?.gateway {
      routes.append((.v6(gateway), .v6(IPv6Address(high: 0x2001_0DB8 << 32, low: 1))))
    }
    return routes
  }
}

extension NetworkLoss {
  /// Looks which of a stack's bridges are there and lack something, and whether the host forwards what the stack needs.
  package init(observing stack: DesiredStack) throws(KernelError) {
    self.init()
    var host = try NetlinkSocket(.route)
    let networks = stack.ownNetworks.filter { $0.hasBridge }
    let addresses = networks.isEmpty ? [] : try host.addresses()
    for network in networks {
      guard let link = try host.link(named: network.bridge) else { continue }
      faults[network.name] = try Self.fault(of: network, link, addresses, &host)
    }
    let needed = stack.neededForwarding
    for (family, path) in [(Forwarding.ipv4, HostSettings.forwarding), (.ipv6, HostSettings.forwarding6)]
    where needed.contains(family) {
      guard let bytes = try Files.read(path, limit: 16), bytes.first == UInt8(ascii: "0") else { continue }
      settings.append("\(path.dropFirst("/proc/sys/".count).split(separator: "/").joined(separator: ".")) is 0")
    }
  }

  private static func fault(
    of network: DesiredNetwork, _ link: Link, _ addresses: [InterfaceAddress], _ host: inout NetlinkSocket
  ) throws(KernelError) -> String? {
    guard link.isUp else { return "bridge \(network.bridge) is set down" }
    guard network.hasHost else { return nil }
    let own = Set(addresses.filter { $0.link == link.index }.map(\.address))
    var wanted = [(address: IPAddress.v4(network.gateway), subnet: IPPrefix.v4(network.subnet))]
    if let ipv6 = network.ipv6 { wanted.append((.v6(ipv6.gateway), .v6(ipv6.subnet))) }
    for (address, subnet) in wanted {
      guard own.contains(address) else {
        return "bridge \(network.bridge) has no address \(address)/\(subnet.length)"
      }
      // A rule of the host's may lead elsewhere though the route is there (ip-rule(8)), so only then is the table read.
      guard let neighbour = subnet.neighbour(of: address), try host.link(towards: neighbour) != link.index,
        !(try host.routes(on: link.index).contains { $0.destination == subnet })
      else { continue }
      return "bridge \(network.bridge) has no route to \(subnet)"
    }
    return nil
  }
}

extension IPPrefix {
  /// An address within that is not the given one; nil where there is none.
  fileprivate func neighbour(of address: IPAddress) -> IPAddress? {
    let candidates: [IPAddress] =
      switch self {
      case .v4(let prefix): (1...2).map { .v4(IPv4Address(bits: prefix.network.bits &+ $0)) }
      case .v6(let prefix): (1...2).map { .v6(IPv6Address(high: prefix.network.high, low: prefix.network.low &+ $0)) }
      }
    return candidates.first { $0 != address && contains($0) }
  }
}
