import Addresses
import Intent
import Vocabulary

/// The machines and wires of a stack as its file has them: what routing starts from.
struct WiringPlan {
  /// An interface of a service, by one of its addresses.
  struct Interface: Hashable {
    /// The interface's name inside.
    var name: String
    var wire: Int
    var address: IPAddress
    var prefix: IPPrefix
    /// True if only neighbours on the wire are sent packets from it.
    var isLinkScoped = false
  }

  private(set) var wires: [Segment] = []
  private var numbers: [Segment: Int] = [:]
  private let networks: [String: DesiredNetwork]
  private(set) var interfaces: [String: [Interface]] = [:]
  /// The wire of each interface of a service, by name.
  private var ports: [String: [String: Int]] = [:]
  /// Wires that lead to machines which are not the stack's, with what is to be said of them.
  private(set) var opaque: [Int: String] = [:]
  /// Addresses that are good on their wire alone.
  private(set) var linkLocals: [String: [PacketRouting.WireAddress]] = [:]

  init(_ stack: DesiredStack) {
    networks = Dictionary(stack.networks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for network in stack.networks { _ = number(of: .network(network.name)) }
    for service in stack.services {
      for attachment in service.attachments {
        guard let network = networks[attachment.network] else { continue }
        add(attachment, in: network, of: service)
      }
    }
    let domains = stack.cableDomains
    for (index, link) in stack.links.enumerated() {
      let wire = number(of: .link(domains[index]))
      if let own = link.hostLink { opaque[wire] = "what is beyond the host's \(own.name) is not the stack's" }
      for end in link.ends {
        ports[end.service, default: [:]][end.interface] = wire
        for address in end.addresses { add(address, of: end.service, by: end.interface, on: wire) }
        if link.hasLinkLocal, end.bridge == nil { addLinkLocal(end.mac, of: end.service, on: wire) }
      }
    }
    for service in stack.services where !service.loopback.isEmpty {
      let wire = number(of: .inner(machine: service.name, interface: FurtherAddress.loopback))
      for address in service.loopback { add(address, of: service.name, by: FurtherAddress.loopback, on: wire) }
    }
  }

  private mutating func add(_ address: DesiredAddress, of service: String, by interface: String, on wire: Int) {
    guard let prefix = address.network else { return }
    guard !address.address.isLinkLocal6 else {
      linkLocals[service, default: []].append(PacketRouting.WireAddress(wire: wire, address: address.address))
      return
    }
    interfaces[service, default: []].append(
      Interface(
        name: interface, wire: wire, address: address.address, prefix: prefix, isLinkScoped: address.isLinkScoped))
  }

  private mutating func addLinkLocal(_ mac: MACAddress, of service: String, on wire: Int) {
    linkLocals[service, default: []].append(
      PacketRouting.WireAddress(wire: wire, address: .v6(mac.linkLocalAddress)))
  }

  private mutating func add(_ attachment: DesiredAttachment, in network: DesiredNetwork, of owner: DesiredService) {
    let service = owner.name
    let wire = number(of: attachment.accessVLAN.map { .vlan($0, of: network.name) } ?? .network(network.name))
    ports[service, default: [:]][attachment.interface] = wire
    if owner.forwards, attachment.ipv6 != nil { addLinkLocal(attachment.mac, of: service, on: wire) }
    let prefixes = [.v4(network.subnet(of: attachment))] + network.subnets
    for address in attachment.addresses {
      guard let prefix = prefixes.first(where: { $0.contains(address) }) else { continue }
      interfaces[service, default: []].append(
        Interface(name: attachment.interface, wire: wire, address: address, prefix: prefix))
    }
    for address in attachment.furtherAddresses {
      add(address, of: service, by: attachment.interface, on: wire)
    }
    for inner in attachment.subinterfaces {
      guard let address = inner.address, let prefix = IPv4Prefix(containing: address, length: inner.length)
      else { continue }
      interfaces[service, default: []].append(
        Interface(
          name: inner.interface, wire: number(of: .vlan(inner.vlan, of: network.name)), address: .v4(address),
          prefix: .v4(prefix)))
    }
  }

  /// The number of a wire, which it is given when it is first asked for.
  mutating func number(of wire: Segment) -> Int {
    if let number = numbers[wire] { return number }
    numbers[wire] = wires.count
    wires.append(wire)
    return wires.count - 1
  }

  // MARK: Machines

  /// The host: who has the gateways' addresses, and passes packets on between networks.
  static func host(_ stack: DesiredStack) -> Machine {
    Machine(
      name: "host", isHost: true, forwards4: true, forwards6: true,
      addresses: Set(stack.networks.flatMap(\.hostAddresses)))
  }

  func machine(_ service: DesiredService) -> Machine {
    let own = interfaces[service.name] ?? []
    var machine = Machine(
      name: service.name, forwards4: service.forwards, forwards6: service.forwards,
      addresses: Set(own.map(\.address)))
    var table = ForwardingTable()
    // The kernel makes no route to a single address of IPv4 (fib_add_ifaddr in net/ipv4/fib_frontend.c).
    for interface in own where !interface.prefix.isSingle || !interface.address.isV4 {
      table.add(
        ForwardingTable.Entry(
          destination: interface.prefix, action: .send([hop(interface, nil, service)]),
          text: "\(interface.prefix) dev \(interface.name)"))
    }
    for route in service.routes {
      table.add(
        ForwardingTable.Entry(
          destination: route.destination, action: action(route.hops, own, service), text: route.text,
          declaredAt: route.declaredAt))
    }
    for everywhere in [IPPrefix.anyV4, .anyV6] {
      guard let gateway = defaultGateway(of: service, everywhere.network) else { continue }
      table.add(
        ForwardingTable.Entry(
          destination: everywhere, action: action([DesiredRoute.Hop(gateway: gateway)], own, service),
          text: "default via \(gateway)"))
    }
    machine.main = table
    return machine
  }

  private func action(
    _ hops: [DesiredRoute.Hop], _ own: [Interface], _ service: DesiredService
  ) -> ForwardingTable.Action {
    guard !hops.isEmpty else { return .blackhole }
    var ways: [ForwardingTable.NextHop] = []
    for next in hops {
      if let name = next.interface, let wire = ports[service.name]?[name] {
        ways.append(hop(wire, name, next.gateway, own, service))
      } else if let interface = own.first(where: { $0.prefix.contains(next.gateway) }) {
        ways.append(
          interface.isLinkScoped
            ? hop(interface.wire, interface.name, next.gateway, own, service) : hop(interface, next.gateway, service))
      } else {
        return .stray(next.gateway)
      }
    }
    return .send(ways)
  }

  /// By an interface whose addresses do not tell who is beside it: the kernel sends from one of them, else from another
  /// one of the service's. Of these, the loopback's come first, as its first interface (inet_select_addr).
  private func hop(
    _ wire: Int, _ name: String, _ gateway: IPAddress, _ own: [Interface], _ service: DesiredService
  ) -> ForwardingTable.NextHop {
    let fitting = own.filter { $0.address.isV4 == gateway.isV4 && !$0.isLinkScoped }
    let chosen =
      fitting.first { $0.name == name } ?? fitting.first { $0.name == FurtherAddress.loopback } ?? fitting.first
    return ForwardingTable.NextHop(
      wire: wire, gateway: gateway, source: chosen?.address, hopLimit: service.hopLimit(of: gateway, by: name))
  }

  private func hop(
    _ interface: Interface, _ gateway: IPAddress?, _ service: DesiredService
  ) -> ForwardingTable.NextHop {
    ForwardingTable.NextHop(
      wire: interface.wire, gateway: gateway, source: interface.address,
      hopLimit: service.hopLimit(of: interface.address, by: interface.name))
  }

  /// That of the network which leads out.
  private func defaultGateway(of service: DesiredService, _ destination: IPAddress) -> IPAddress? {
    guard let attachment = service.attachments.first(where: { $0.leadsOut(for: destination) }),
      let network = networks[attachment.network]
    else { return nil }
    if attachment.accessVLAN != nil { return network.gateway(of: attachment).map { .v4($0) } }
    return network.gateways.first { $0.isV4 == destination.isV4 }
  }
}

extension PacketRouting {
  /// By the file alone.
  convenience init(_ stack: DesiredStack) {
    let plan = WiringPlan(stack)
    var owners: [WireAddress: Int] = [:]
    let services = stack.services.filter { $0.namespace == .own }
    for (number, service) in services.enumerated() {
      for interface in plan.interfaces[service.name] ?? [] {
        owners[WireAddress(wire: interface.wire, address: interface.address)] = number + 1
      }
      for address in plan.linkLocals[service.name] ?? [] { owners[address] = number + 1 }
    }
    for (wire, segment) in plan.wires.enumerated() {
      guard case .network(let name) = segment else { continue }
      for gateway in stack.network(named: name)?.hostAddresses ?? [] {
        owners[WireAddress(wire: wire, address: gateway)] = Self.host
      }
    }
    self.init(
      stack, machines: [WiringPlan.host(stack)] + services.map(plan.machine), wires: plan.wires, owners: owners,
      opaque: plan.opaque)
  }
}

extension DesiredService {
  /// The time to live of packets that it sends (ip_default_ttl and hop_limit in ip-sysctl.rst). A new namespace begins with 64.
  func hopLimit(of address: IPAddress, by interface: String) -> Int {
    let name = address.isV4 ? "net/ipv4/ip_default_ttl" : "net/ipv6/conf/\(interface)/hop_limit"
    return settings.kernelParameters[name].flatMap { Int($0) } ?? 64
  }
}
