import Addresses
import Intent
import Vocabulary

/// Follows packets through a stack by its routes alone, without its rules. Each machine on the way looks the
/// destination up. Pure.
struct PacketRouting {
  /// A wire that several have a part in.
  enum Segment: Hashable {
    /// Untagged frames of a network. The host is on it too.
    case network(String)
    /// The host is in none of them.
    case vlan(UInt16, of: String)
    /// By its place in the list of links.
    case link(Int)

    /// The network that it is, or is a part of.
    var network: String? {
      switch self {
      case .network(let name), .vlan(_, let name): name
      case .link: nil
      }
    }
  }

  /// A machine on the way.
  private enum Node: Hashable {
    case service(String)
    case host
  }

  /// The end of a way.
  enum End: Hashable {
    /// At the machine that has the address.
    case arrived
    /// A machine has no route, or nobody has the address.
    case noRoute(at: String)
    case blackhole(at: String, SourceLine?)
    /// At a service that does not forward.
    case notForwarded(by: String)
    case loop
    /// Beyond the host.
    case outside
    /// At the host, which lets nothing of that network out.
    case keptIn(network: String)
    /// At the host, which does not reach its own services on a macvlan network.
    case apart(network: String)
  }

  struct Way: Hashable {
    var end: End
    /// In the order that packets pass them.
    var segments: [Segment] = []
    /// Services that pass them on.
    var routers: [String] = []
    /// True if the host forwards the packets.
    var isByHost = false
    /// True if they arrive at the host.
    var isToHost = false
    /// The address that they are sent from.
    var source: IPAddress?
  }

  /// An interface of a service.
  private struct Interface {
    var segment: Segment
    var address: IPAddress
    var prefix: IPPrefix
  }

  private let services: [String: DesiredService]
  private let interfaces: [String: [Interface]]
  private let owners: [Segment: [IPAddress: Node]]
  private let hostPrefixes: [(prefix: IPPrefix, network: DesiredNetwork)]
  private let gateways: [IPAddress: String]
  private let networks: [String: DesiredNetwork]
  private let holders: [IPAddress: String]

  init(_ stack: DesiredStack) {
    services = stack.services.keyed(by: \.name)
    let networks = stack.networks.keyed(by: \.name)
    var interfaces: [String: [Interface]] = [:]
    for service in stack.services {
      for attachment in service.attachments {
        guard let network = networks[attachment.network] else { continue }
        interfaces[service.name, default: []] += Self.interfaces(of: attachment, in: network)
      }
    }
    for (index, link) in stack.links.enumerated() {
      for end in link.ends {
        for address in end.addresses {
          guard let prefix = address.network else { continue }
          interfaces[end.service, default: []].append(
            Interface(segment: .link(index), address: address.address, prefix: prefix))
        }
      }
    }
    var owners: [Segment: [IPAddress: Node]] = [:]
    for (service, list) in interfaces {
      for interface in list { owners[interface.segment, default: [:]][interface.address] = .service(service) }
    }
    for network in stack.networks {
      for gateway in network.hostAddresses { owners[.network(network.name), default: [:]][gateway] = .host }
    }
    self.networks = networks
    holders = Dictionary(keepingFirst: interfaces.flatMap { name, list in list.map { ($0.address, name) } })
    self.interfaces = interfaces
    self.owners = owners
    hostPrefixes = stack.networks.flatMap { network in network.subnets.map { ($0, network) } }
    gateways = Dictionary(
      keepingFirst: stack.networks.flatMap { network in network.hostAddresses.map { ($0, network.name) } })
  }

  private static func interfaces(of attachment: DesiredAttachment, in network: DesiredNetwork) -> [Interface] {
    let segment = attachment.accessVLAN.map { Segment.vlan($0, of: network.name) } ?? .network(network.name)
    let prefixes = [.v4(network.subnet(of: attachment))] + network.subnets
    let own = attachment.addresses.compactMap { address in
      prefixes.first { $0.contains(address) }.map { Interface(segment: segment, address: address, prefix: $0) }
    }
    return own
      + attachment.subinterfaces.compactMap { interface in
        guard let address = interface.address, let prefix = IPv4Prefix(containing: address, length: interface.length)
        else { return nil }
        return Interface(segment: .vlan(interface.vlan, of: network.name), address: .v4(address), prefix: .v4(prefix))
      }
  }

  // MARK: - The way

  /// The way from a service, or from the host, to an address.
  func way(from source: ReachPeer, to destination: IPAddress) -> Way {
    var way = Way(end: .loop)
    var node: Node =
      switch source {
      case .service(let name): .service(name)
      case .host: .host
      }
    // As many machines as a packet's time to live lets it pass.
    for hop in 0..<64 {
      if owns(node, destination) {
        way.end = .arrived
        way.isToHost = node == .host
        return way
      }
      if hop > 0 {
        switch node {
        case .service(let name):
          guard services[name]?.forwards ?? false else {
            way.end = .notForwarded(by: name)
            return way
          }
          way.routers.append(name)
        case .host: way.isByHost = true
        }
      }
      switch next(node, destination) {
      case .end(let end):
        way.end = end
        if end == .outside, case .network(let name)? = way.segments.last, networks[name]?.isInternal ?? false {
          way.end = .keptIn(network: name)
        } else if end == .outside, holders[destination] != nil {
          // A service's, where no route of the host leads: in a VLAN, or on a link between two.
          way.end = .noRoute(at: Self.name(.host))
        }
        return way
      case .hop(let segment, let address, let from):
        if hop == 0 { way.source = from }
        way.segments.append(segment)
        guard let owner = owners[segment]?[address] else {
          way.end = reachesBeyondHost(segment) ? .outside : .noRoute(at: Self.name(node))
          return way
        }
        node = owner
      }
    }
    return way
  }

  /// True if machines outside the stack are on it.
  private func reachesBeyondHost(_ segment: Segment) -> Bool {
    segment.network.flatMap { networks[$0] }?.hasBridge == false
  }

  private enum Step {
    case end(End)
    /// Over a wire to the machine with that address, from an address of one's own.
    case hop(Segment, IPAddress, from: IPAddress?)
  }

  private func next(_ node: Node, _ destination: IPAddress) -> Step {
    switch node {
    case .host: nextOfHost(destination)
    case .service(let name): nextOfService(name, destination)
    }
  }

  private func nextOfHost(_ destination: IPAddress) -> Step {
    guard
      let (_, network) = hostPrefixes.filter({ $0.prefix.contains(destination) }).max(by: {
        $0.prefix.length < $1.prefix.length
      })
    else { return .end(.outside) }
    guard network.hasBridge else {
      return .end(holders[destination] == nil ? .outside : .apart(network: network.name))
    }
    return .hop(
      .network(network.name), destination,
      from: network.hostAddresses.first { $0.socketFamily == destination.socketFamily })
  }

  /// The longest prefix wins, as ip-route(8) has it; of equals, the wire itself.
  private func nextOfService(_ name: String, _ destination: IPAddress) -> Step {
    let own = interfaces[name] ?? []
    var best: (length: Int, step: Step)?
    for interface in own where interface.prefix.contains(destination) && interface.prefix.length > best?.length ?? -1 {
      best = (interface.prefix.length, .hop(interface.segment, destination, from: interface.address))
    }
    for route in services[name]?.routes ?? []
    where route.destination.contains(destination) && route.destination.length > best?.length ?? -1 {
      best = (route.destination.length, step(route, own, name))
    }
    if best == nil, let gateway = defaultGateway(of: name, destination) {
      best = (0, step(to: gateway, own, name))
    }
    return best?.step ?? .end(.noRoute(at: name))
  }

  private func step(_ route: DesiredRoute, _ own: [Interface], _ name: String) -> Step {
    guard let gateway = route.gateway else { return .end(.blackhole(at: name, route.declaredAt)) }
    return step(to: gateway, own, name)
  }

  private func step(to gateway: IPAddress, _ own: [Interface], _ name: String) -> Step {
    guard let interface = own.first(where: { $0.prefix.contains(gateway) }) else { return .end(.noRoute(at: name)) }
    return .hop(interface.segment, gateway, from: interface.address)
  }

  /// That of the network which leads out.
  private func defaultGateway(of name: String, _ destination: IPAddress) -> IPAddress? {
    guard let attachment = services[name]?.attachments.first(where: { $0.leadsOut(for: destination) })
    else { return nil }
    guard let network = networks[attachment.network] else { return nil }
    if attachment.accessVLAN != nil { return network.gateway(of: attachment).map { .v4($0) } }
    return network.gateways.first { $0.socketFamily == destination.socketFamily }
  }

  /// The service that has an address.
  func owner(of address: IPAddress) -> String? { holders[address] }

  private func owns(_ node: Node, _ address: IPAddress) -> Bool {
    switch node {
    case .host: gateways[address] != nil
    case .service(let name): interfaces[name]?.contains { $0.address == address } ?? false
    }
  }

  private static func name(_ node: Node) -> String {
    switch node {
    case .host: "host"
    case .service(let name): name
    }
  }
}
