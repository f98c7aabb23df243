import Addresses
import Intent
import Kernel
import Netlink
import Vocabulary

/// Machines and wires as they are in the namespaces now: what routing starts from beside the file. Pure.
struct LiveRouting {
  private let stack: DesiredStack
  private var plan: WiringPlan
  private let file: [String: Machine]
  /// The wire that each wire is bridged to, as a union-find forest: a root is its own parent.
  private var joined: [Int] = []
  private var owners: [PacketRouting.WireAddress: Int] = [:]
  private var machines: [Machine] = []
  /// The wires of a service's interfaces, by the interface's index.
  private var wires: [[UInt32: Int]] = []
  /// Interfaces behind which nobody can say what becomes of packets.
  private var opaque: [Int: String] = [:]
  private let live: [LiveNamespace]

  /// - Parameter live: of the services that have a namespace of their own, in the stack's order.
  init(_ stack: DesiredStack, _ live: [LiveNamespace]) {
    self.stack = stack
    self.live = live
    plan = WiringPlan(stack)
    let services = stack.services.filter { $0.namespace == .own }
    file = Dictionary(
      services.map { [plan] in ($0.name, plan.machine($0)) }, uniquingKeysWith: { first, _ in first })
    for namespace in live { wires.append(place(namespace)) }
    joined = Array(plan.wires.indices)
    for (namespace, wires) in zip(live, wires) { bridge(namespace, wires) }
    for network in stack.networks {
      for gateway in network.hostAddresses {
        let wire = root(plan.number(of: .network(network.name)))
        owners[PacketRouting.WireAddress(wire: wire, address: gateway)] = PacketRouting.host
      }
    }
    machines = [WiringPlan.host(stack)]
    for (namespace, wires) in zip(live, wires) { add(namespace, wires) }
  }

  var routing: PacketRouting {
    PacketRouting(
      stack, machines: machines, wires: plan.wires, owners: owners,
      opaque: opaque.merging(plan.opaque) { own, _ in own })
  }

  // MARK: Wires

  /// The wires that interfaces are on: those of the file by their names, and others inside.
  private mutating func place(_ namespace: LiveNamespace) -> [UInt32: Int] {
    var known: [String: Int] = [:]
    for service in stack.services where service.name == namespace.name {
      for attachment in service.attachments {
        known[attachment.interface] = plan.number(
          of: attachment.accessVLAN.map { .vlan($0, of: attachment.network) } ?? .network(attachment.network))
        for inner in attachment.subinterfaces {
          known[inner.interface] = plan.number(of: .vlan(inner.vlan, of: attachment.network))
        }
      }
    }
    for (index, link) in stack.links.enumerated() {
      for end in link.ends where end.service == namespace.name { known[end.interface] = plan.number(of: .link(index)) }
    }
    var wires: [UInt32: Int] = [:]
    for link in namespace.links {
      let inner = plan.number(of: .inner(machine: namespace.name, interface: link.name))
      // Where there is no carrier, the other end is not met.
      wires[link.index] = link.isRunning || link.kind == "bridge" ? known[link.name] ?? inner : inner
      if known[link.name] == nil, let kind = link.kind, !["bridge", "dummy", "vlan", "veth", "ifb"].contains(kind) {
        opaque[inner] = "\(namespace.name) sends it by \(link.name), which is of kind \(kind)"
      }
    }
    for link in namespace.links where known[link.name] == nil {
      if let vlan = link.vlan, let lower = link.peer.flatMap({ wires[$0] }) {
        wires[link.index] = plan.number(of: .tagged(vlan, wire: lower))
      }
    }
    return wires
  }

  /// Joins the wires of a bridge inside a service. Ports that do not forward frames are left out.
  private mutating func bridge(_ namespace: LiveNamespace, _ wires: [UInt32: Int]) {
    let forwarding: UInt8 = 3
    for link in namespace.links {
      guard let master = link.master, let wire = wires[link.index], let other = wires[master],
        namespace.links.contains(where: { $0.index == master && $0.kind == "bridge" && $0.isUp }),
        link.isRunning, link.portState ?? forwarding == forwarding
      else { continue }
      let (first, second) = (root(wire), root(other))
      // The stack's own wires stay what they are called.
      joined[max(first, second)] = min(first, second)
    }
  }

  private func root(_ wire: Int) -> Int {
    var wire = wire
    while wire < joined.count, joined[wire] != wire { wire = joined[wire] }
    return wire
  }

  // MARK: Machines

  private mutating func add(_ namespace: LiveNamespace, _ wires: [UInt32: Int]) {
    let number = machines.count
    var machine = Machine(name: namespace.name, forwards4: namespace.forwards4, forwards6: namespace.forwards6)
    machine.addresses = Set(namespace.addresses.map(\.address))
    for address in namespace.addresses {
      guard let wire = wires[address.link] else { continue }
      owners[PacketRouting.WireAddress(wire: root(wire), address: address.address)] = number
    }
    let ordered = namespace.routes.filter { $0.kind != .local }.enumerated().sorted {
      ($0.element.metric ?? 0, $0.offset) < ($1.element.metric ?? 0, $1.offset)
    }.map(\.element)
    for (table, routes) in Dictionary(grouping: ordered, by: \.table) {
      var entries = ForwardingTable()
      for route in routes {
        guard let action = action(route, namespace, wires) else { continue }
        entries.add(
          ForwardingTable.Entry(
            destination: route.destination, action: action, text: route.text(namespace.links),
            declaredAt: table == Machine.mainTable ? place(of: route, in: namespace.name) : nil))
      }
      machine.tables[table] = entries
    }
    machine.rules = rules(namespace, wires)
    if let filter = namespace.filters.first {
      machine.obscurity = "\(namespace.name) filters or translates by nftables of its own (table \(filter))"
    } else if namespace.rules.contains(where: \.hasFurtherConditions) {
      machine.obscurity = "\(namespace.name) routes by more than addresses (ip rule)"
    }
    machines.append(machine)
  }

  /// nil for what has nothing to do with packets of others: broadcast, multicast, anycast.
  private func action(
    _ route: Route, _ namespace: LiveNamespace, _ wires: [UInt32: Int]
  ) -> ForwardingTable.Action? {
    switch route.kind {
    case .blackhole: return .blackhole
    case .unreachable, .prohibit: return .refuse
    case .unicast: break
    default: return nil
    }
    let all =
      route.nextHops.isEmpty
      ? [Route.NextHop(gateway: route.gateway, link: route.link ?? 0)] : route.nextHops
    let hops = all.compactMap { hop -> ForwardingTable.NextHop? in
      guard let wire = wires[hop.link] else { return nil }
      let source =
        route.source
        ?? source(
          towards: hop.gateway ?? route.destination.network, by: hop.link, namespace, isNeighbour: hop.gateway == nil)
      let interface = namespace.links.first { $0.index == hop.link }?.name ?? ""
      return ForwardingTable.NextHop(
        wire: root(wire), gateway: hop.gateway, source: source,
        hopLimit: route.destination.network.isV4 ? namespace.hopLimit4 : namespace.hopLimits6[interface] ?? 64)
    }
    return .send(hops)
  }

  /// The address that the kernel chooses: one of the link's in the subnet of the next machine, else the link's first, else
  /// another link's (inet_select_addr in net/ipv4/devinet.c).
  private func source(towards next: IPAddress, by link: UInt32, _ namespace: LiveNamespace, isNeighbour: Bool)
    -> IPAddress?
  {
    let own = namespace.addresses.filter { $0.address.isV4 == next.isV4 && !$0.address.isLoopback && !$0.isLinkLocal6 }
    let near = own.filter { $0.link == link && (!$0.isLinkScoped || isNeighbour) }
    let fitting = near.first {
      IPPrefix(containing: $0.address, length: $0.prefixLength)?.contains(next) ?? false
    }
    return (fitting ?? near.first ?? own.first { !$0.isLinkScoped })?.address
  }

  /// The line of the file that a route is of.
  private func place(of route: Route, in service: String) -> SourceLine? {
    let entries = file[service]?.main.entries ?? []
    return entries.first { $0.destination == route.destination }?.declaredAt
  }

  private func rules(_ namespace: LiveNamespace, _ wires: [UInt32: Int]) -> [RoutingRule] {
    guard !namespace.rules.isEmpty else { return [] }
    let standard = [true, false].map {
      RouteRule(priority: 32766, isV4: $0, action: .lookUp, table: Machine.mainTable)
    }
    return (namespace.rules + standard).enumerated().sorted {
      ($0.element.priority, $0.offset) < ($1.element.priority, $1.offset)
    }.map(\.element).compactMap { rule in
      let action: RoutingRule.Action
      switch rule.action {
      case .lookUp: action = .lookUp(rule.table)
      case .blackhole: action = .blackhole
      case .unreachable, .prohibit: action = .refuse
      default: return nil
      }
      let arrival = rule.inputLink.map { name in
        namespace.links.first { $0.name == name }.flatMap { wires[$0.index] } ?? -1
      }
      return RoutingRule(
        source: rule.source, destination: rule.destination, arrival: arrival.map { $0 < 0 ? $0 : root($0) },
        isV4: rule.isV4, action: action, text: rule.text)
    }
  }

  // MARK: Addresses and differences

  /// The addresses that a service has on an interface now, but for link-local ones of IPv6.
  static func addresses(of interface: String, in namespace: LiveNamespace) -> [IPAddress] {
    guard let index = namespace.links.first(where: { $0.name == interface })?.index else { return [] }
    return namespace.addresses.filter { $0.link == index && !$0.isLinkLocal6 }.map(\.address)
  }

  /// The differences between the namespaces and the file, one line for each kind and service.
  var differences: [String] {
    live.flatMap { namespace -> [String] in
      guard let machine = machines.first(where: { $0.name == namespace.name }), let wanted = file[namespace.name]
      else { return [] }
      let now = Set(machine.main.entries.map(\.key)), before = Set(wanted.main.entries.map(\.key))
      let added = machine.main.entries.filter { !before.contains($0.key) && !$0.isLinkLocal }.map(\.text)
      let lost = wanted.main.entries.filter { !now.contains($0.key) }.map(\.text)
      let addresses = machine.addresses.filter { !$0.isLoopback && !$0.isLinkLocal6 }
      var lines = [
        Self.line(namespace.name, "has routes that the file has not", added),
        Self.line(namespace.name, "lacks routes that the file has", lost),
        Self.line(
          namespace.name, "has addresses that the file has not",
          addresses.subtracting(wanted.addresses).sorted().map { "\($0)" }),
        Self.line(
          namespace.name, "lacks addresses that the file has",
          wanted.addresses.subtracting(addresses).sorted().map { "\($0)" }),
        Self.line(
          namespace.name, "bridges",
          namespace.links.filter { link in
            link.kind == "bridge" && stack.service(named: namespace.name)?.switching?.interface != link.name
          }.map { bridge in
            let ports = namespace.links.filter { $0.master == bridge.index }
            return
              "\(bridge.name) (\(ports.map { $0.name + ($0.portState == 4 ? " blocked" : "") }.joined(separator: ", ")))"
          }),
        Self.line(namespace.name, "has rules of policy routing", namespace.rules.map(\.text)),
        Self.line(
          namespace.name, "filters or translates by itself, so what passes it is observed only", namespace.filters),
      ]
      if machine.forwards4 != wanted.forwards4 {
        lines.append(
          "\(namespace.name) \(machine.forwards4 ? "forwards" : "does not forward") IPv4, unlike in the file")
      }
      return lines.compactMap(\.self)
    }
  }

  private static func line(_ name: String, _ words: String, _ items: [String]) -> String? {
    guard !items.isEmpty else { return nil }
    let most = 6
    let rest = items.count > most ? ", and \(items.count - most) more" : ""
    return "\(name) \(words): \(items.prefix(most).map { VisibleText.line($0) }.joined(separator: ", "))\(rest)"
  }
}

extension ForwardingTable.Entry {
  /// The parts of a route that are compared with the file: the destination and the gateways.
  fileprivate struct Key: Hashable {
    var destination: IPPrefix
    var gateways: Set<IPAddress?>
    var isSent: Bool
  }

  fileprivate var key: Key {
    guard case .send(let hops) = action else { return Key(destination: destination, gateways: [], isSent: false) }
    return Key(destination: destination, gateways: Set(hops.map(\.gateway)), isSent: true)
  }

  /// True for the link-local and multicast routes that every interface with IPv6 has.
  fileprivate var isLinkLocal: Bool { destination.network.isLinkLocal6 || destination.network.isMulticast6 }
}

extension InterfaceAddress {
  fileprivate var isLinkLocal6: Bool { address.isLinkLocal6 }
}

extension IPAddress {
  /// In ff00::/8.
  fileprivate var isMulticast6: Bool { !isV4 && octets[0] == 0xff }
}

extension Route {
  /// As `ip route` has it, with who made it where that is a daemon: `10.2.0.0/24 via 10.1.0.2 (ospf)`.
  fileprivate func text(_ links: [Link]) -> String {
    let place = destination.length == 0 ? "default" : "\(destination)"
    let by = { (gateway: IPAddress?, link: UInt32?) -> String in
      let name = links.first { $0.index == link }?.name
      return gateway.map { " via \($0)" } ?? name.map { " dev \($0)" } ?? ""
    }
    let daemon = Self.daemons[origin].map { " (\($0))" } ?? ""
    switch kind {
    case .unicast:
      let hops = nextHops.map { by($0.gateway, $0.link) }
      return place + (hops.isEmpty ? by(gateway, link) : hops.joined(separator: " and")) + daemon
    case .blackhole: return "blackhole \(place)\(daemon)"
    case .prohibit: return "prohibit \(place)\(daemon)"
    default: return "unreachable \(place)\(daemon)"
    }
  }

  /// RTPROT_* of rtnetlink.h.
  private static let daemons: [UInt8: String] = [
    9: "ra", 11: "zebra", 12: "bird", 16: "dhcp", 42: "babel", 186: "bgp", 187: "isis", 188: "ospf", 189: "rip",
    192: "eigrp",
  ]
}

extension RouteRule {
  /// As `ip rule` has it.
  fileprivate var text: String {
    let from = source.map { " from \($0)" } ?? " from all"
    let to = destination.map { " to \($0)" } ?? ""
    let arrival = inputLink.map { " iif \($0)" } ?? ""
    let more = hasFurtherConditions ? " …" : ""
    let what =
      switch action {
      case .lookUp: "lookup \(table)"
      case .blackhole: "blackhole"
      case .prohibit: "prohibit"
      default: "unreachable"
      }
    return "\(priority):\(from)\(to)\(arrival)\(more) \(what)"
  }
}
