import Addresses
import Intent
import Vocabulary

/// Follows packets from machine to machine by the stack's routing tables. Firewall rules are not considered.
///
/// Pure, except that lookups of routers are cached.
final class PacketRouting {
  /// The host is the first.
  let machines: [Machine]
  let wires: [Segment]
  private let numbers: [String: Int]
  private let owners: [WireAddress: Int]
  private let holders: [IPAddress: [Int]]
  private let opaque: [Int: String]
  private let hostPrefixes: ForwardingTable
  private let hostNetworks: [DesiredNetwork]
  private let networks: [String: DesiredNetwork]
  /// Cached lookups of routers without policy routing rules, for each destination.
  private var known: [IPAddress: Memory] = [:]

  struct WireAddress: Hashable {
    var wire: Int
    var address: IPAddress
  }

  static let host = 0

  /// - Parameters:
  ///   - owners: which machine has an address on a wire.
  ///   - opaque: wires of which nobody can say where they lead, with why.
  init(
    _ stack: DesiredStack, machines: [Machine], wires: [Segment], owners: [WireAddress: Int],
    opaque: [Int: String] = [:]
  ) {
    self.opaque = opaque
    self.machines = machines
    self.wires = wires
    self.owners = owners
    numbers = Dictionary(
      machines.indices.dropFirst().map { (machines[$0].name, $0) }, uniquingKeysWith: { first, _ in first })
    networks = Dictionary(stack.networks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    var holders: [IPAddress: [Int]] = [:]
    for number in machines.indices {
      for address in machines[number].addresses { holders[address, default: []].append(number) }
    }
    self.holders = holders
    let places = Dictionary(wires.indices.map { (wires[$0], $0) }, uniquingKeysWith: { first, _ in first })
    var prefixes = ForwardingTable()
    var hostNetworks: [DesiredNetwork] = []
    // The host has no route to a network that it has no address in.
    for network in stack.networks where network.hasHost {
      for subnet in network.subnets {
        guard let wire = places[.network(network.name)] else { continue }
        let count = prefixes.entries.count
        let source = network.hostAddresses.first { $0.isV4 == subnet.network.isV4 }
        prefixes.add(
          ForwardingTable.Entry(
            destination: subnet, action: .send([ForwardingTable.NextHop(wire: wire, source: source)]),
            text: "\(subnet) dev \(network.kind.parent ?? network.bridge)"))
        if prefixes.entries.count > count { hostNetworks.append(network) }
      }
    }
    (hostPrefixes, self.hostNetworks) = (prefixes, hostNetworks)
  }

  /// The service that has an address.
  func owner(of address: IPAddress) -> String? {
    holders[address]?.first { $0 != Self.host }.map { machines[$0].name }
  }

  /// True if somebody has an address on a wire.
  func isOwned(_ address: IPAddress, on wire: Int) -> Bool { owners[WireAddress(wire: wire, address: address)] != nil }

  // MARK: - The way

  /// The ways from a service, or from the host, to an address: several where a router chooses among equally good ones.
  func ways(from source: ReachPeer, to destination: IPAddress) -> [Way] {
    let start: Int? =
      switch source {
      case .service(let name): numbers[name]
      case .host: Self.host
      }
    guard let start else { return [] }
    var search = Search(destination: destination, holders: holders[destination] ?? [])
    search.memory = known.removeValue(forKey: destination) ?? Memory()
    search.open = [Walk(way: Way(end: .loop), machine: start)]
    while let walk = search.open.popLast(), search.finished.count < Self.mostWays { proceed(walk, &search) }
    known[destination] = search.memory
    return search.finished
  }

  /// Beyond that many, nobody would read them.
  private static let mostWays = 16

  private struct Search {
    let destination: IPAddress
    /// Its owner.
    let holders: [Int]
    var open: [Walk] = []
    var finished: [Way] = []
    var memory = Memory()
  }

  /// Knowledge of a destination, by the machine's number. Empty until a router is asked.
  private struct Memory {
    var steps: [Step?] = []
    var trails: [TrailSearch] = []
  }

  /// A way so far, and where it has come to.
  private struct Walk {
    var way: Way
    var machine: Int
    /// The wire that the packets came by; nil at their sender.
    var arrival: Int?
    var hopLimit = 64
  }

  /// Goes on to the end. Where a machine has several next hops, the others are left open.
  private func proceed(_ begun: Walk, _ search: inout Search) {
    var walk = begun
    while true {
      if search.holders.contains(walk.machine) {
        walk.way.end = .arrived
        walk.way.isToHost = walk.machine == Self.host
        note(walk.machine, &walk.way)
        break
      }
      if walk.arrival != nil, let trail = trail(from: walk.machine, &search) {
        follow(trail, &walk)
        break
      }
      if let end = passage(through: walk.machine, &walk, search.destination) {
        walk.way.end = end
        break
      }
      let hops: [Onward]
      switch step(walk, &search) {
      case .end(let end):
        walk.way.end = ended(end, walk, search.holders)
        search.finished.append(walk.way)
        return
      case .onward(let all): hops = all
      }
      for other in hops.dropFirst() {
        var branch = walk
        if let end = take(other, &branch) {
          branch.way.end = end
          search.finished.append(branch.way)
        } else {
          search.open.append(branch)
        }
      }
      if let end = hops.first.map({ take($0, &walk) }) ?? .noRoute(at: walk.machine) {
        walk.way.end = end
        break
      }
    }
    search.finished.append(walk.way)
  }

  /// The end of the path at a machine that is not the destination. Nil if the machine forwards the packets.
  private func passage(through machine: Int, _ walk: inout Walk, _ destination: IPAddress) -> Way.End? {
    guard walk.arrival != nil else { return nil }
    if machine == Self.host {
      walk.way.isByHost = true
    } else {
      guard machines[machine].forwards(destination) else { return .notForwarded(by: machine) }
      note(machine, &walk.way)
    }
    // Each that passes packets on takes one off, and none passes on the last (net/ipv4/ip_forward.c).
    guard walk.way.hops.count >= walk.hopLimit else { return nil }
    let passed = walk.way.hops.map(\.machine)
    return Set(passed).count < passed.count ? .loop : .expired(at: machine)
  }

  private func note(_ machine: Int, _ way: inout Way) {
    if way.obscurity == nil, let obscurity = machines[machine].obscurity { way.obscurity = obscurity }
  }

  /// Sends the packets over a wire. Says how the way ends where nobody is there to take them.
  private func take(_ onward: Onward, _ walk: inout Walk) -> Way.End? {
    if walk.arrival == nil {
      walk.way.source = onward.hop.source
      walk.hopLimit = onward.hop.hopLimit
      note(walk.machine, &walk.way)
    }
    walk.way.hops.append(hop(of: walk.machine, onward))
    guard let owner = onward.owner else {
      if let obscurity = opaque[onward.hop.wire], walk.way.obscurity == nil { walk.way.obscurity = obscurity }
      return reachesBeyondHost(wires[onward.hop.wire])
        ? .outside : .nobody(onward.next, on: onward.hop.wire, askedBy: walk.machine)
    }
    (walk.machine, walk.arrival) = (owner, onward.hop.wire)
    return nil
  }

  private func ended(_ end: Way.End, _ walk: Walk, _ holders: [Int]) -> Way.End {
    guard end == .outside else { return end }
    if let last = walk.way.hops.last, case .network(let name) = wires[last.wire], networks[name]?.isInternal ?? false {
      return .keptIn(network: name)
    }
    // A service's, where no route of the host leads: in a VLAN, or on a link between two.
    return holders.isEmpty ? .outside : .noRoute(at: Self.host)
  }

  /// True if machines are on it that are not the stack's.
  private func reachesBeyondHost(_ segment: Segment) -> Bool {
    segment.network.flatMap { networks[$0] }?.hasBridge == false
  }

  // MARK: - Trails

  /// The rest of a way that arrives, where nothing but the destination decides on it. Many ways lead into the same.
  private final class Trail {
    let hop: Way.Hop
    /// nil where the next machine is the destination's.
    let next: Trail?

    init(hop: Way.Hop, next: Trail?) {
      self.hop = hop
      self.next = next
    }
  }

  private enum TrailSearch {
    case open
    case found(Trail)
    case impossible
  }

  private func trail(from machine: Int, _ search: inout Search) -> Trail? {
    if search.memory.trails.isEmpty {
      search.memory.trails = [TrailSearch](repeating: .open, count: machines.count)
    }
    var hops: [Way.Hop] = []
    var place = machine
    var trail: Trail?
    walk: while true {
      switch search.memory.trails[place] {
      case .found(let known):
        trail = known
        break walk
      case .impossible: return giveUp(hops, &search)
      case .open: break
      }
      // Whoever is met again meanwhile is in a circle.
      search.memory.trails[place] = .impossible
      guard let hop = onlyHop(of: place, &search) else { return giveUp(hops, &search) }
      hops.append(hop.hop)
      if search.holders.contains(hop.owner) {
        guard hop.owner != Self.host, machines[hop.owner].obscurity == nil else { return giveUp(hops, &search) }
        break
      }
      place = hop.owner
    }
    for hop in hops.reversed() {
      let longer = Trail(hop: hop, next: trail)
      search.memory.trails[hop.machine] = .found(longer)
      trail = longer
    }
    return trail
  }

  private func giveUp(_ hops: [Way.Hop], _ search: inout Search) -> Trail? {
    for hop in hops { search.memory.trails[hop.machine] = .impossible }
    return nil
  }

  /// The machine that a router without rules passes packets on to, if there is one way only.
  private func onlyHop(of machine: Int, _ search: inout Search) -> (hop: Way.Hop, owner: Int)? {
    guard machine != Self.host, machines[machine].rules.isEmpty, machines[machine].obscurity == nil,
      machines[machine].forwards(search.destination)
    else { return nil }
    let transit = Walk(way: Way(end: .loop), machine: machine, arrival: 0)
    guard case .onward(let all) = step(transit, &search), all.count == 1, let owner = all[0].owner else { return nil }
    return (hop(of: machine, all[0]), owner)
  }

  private func hop(of machine: Int, _ onward: Onward) -> Way.Hop {
    Way.Hop(machine: machine, table: onward.table, place: onward.place, wire: onward.hop.wire, next: onward.next)
  }

  /// Goes on to the destination, or as far as the time to live lets it.
  private func follow(_ begin: Trail, _ walk: inout Walk) {
    var trail: Trail? = begin
    while let step = trail {
      guard walk.way.hops.count < walk.hopLimit else {
        walk.way.end = .expired(at: step.hop.machine)
        return
      }
      walk.way.hops.append(step.hop)
      trail = step.next
    }
    walk.way.end = .arrived
  }

  // MARK: - One machine

  /// A machine's decision about a packet.
  private enum Step {
    case end(Way.End)
    case onward([Onward])
  }

  /// A next hop, with who takes the packet there.
  private struct Onward {
    var hop: ForwardingTable.NextHop
    var next: IPAddress
    var owner: Int?
    var table: UInt32
    var place: Int?
  }

  private func step(_ walk: Walk, _ search: inout Search) -> Step {
    let (machine, destination) = (walk.machine, search.destination)
    guard machine != Self.host else { return stepOfHost(destination, search.holders) }
    guard machines[machine].rules.isEmpty else { return stepByRules(walk, destination) }
    // Routers are asked again and again for the same destination.
    guard walk.arrival != nil else { return step(Machine.mainTable, at: machine, destination) }
    if search.memory.steps.isEmpty { search.memory.steps = [Step?](repeating: nil, count: machines.count) }
    if let step = search.memory.steps[machine] { return step }
    let step = step(Machine.mainTable, at: machine, destination)
    search.memory.steps[machine] = step
    return step
  }

  private func step(_ table: UInt32, at machine: Int, _ destination: IPAddress) -> Step {
    stepIfAny(table, at: machine, destination) ?? .end(.noRoute(at: machine))
  }

  /// nil where the table has no route there.
  private func stepIfAny(_ number: UInt32, at machine: Int, _ destination: IPAddress) -> Step? {
    guard let table = machines[machine].tables[number], let place = table.place(for: destination) else { return nil }
    switch table.entries[place].action {
    case .send(let hops): return .onward(hops.map { onward($0, destination, number, place) })
    case .blackhole: return .end(.blackhole(at: machine, table: number, place: place))
    case .refuse: return .end(.refused(at: machine, table: number, place: place))
    case .stray(let gateway): return .end(.stray(gateway, at: machine))
    }
  }

  private func onward(
    _ hop: ForwardingTable.NextHop, _ destination: IPAddress, _ table: UInt32, _ place: Int?
  ) -> Onward {
    let next = hop.gateway ?? destination
    return Onward(
      hop: hop, next: next, owner: owners[WireAddress(wire: hop.wire, address: next)], table: table, place: place)
  }

  private func stepByRules(_ walk: Walk, _ destination: IPAddress) -> Step {
    for rule in machines[walk.machine].rules
    where rule.concerns(from: walk.way.source, to: destination, by: walk.arrival) {
      switch rule.action {
      case .lookUp(let table):
        if let step = stepIfAny(table, at: walk.machine, destination) { return step }
      case .blackhole, .refuse: return .end(.refusedByRule(at: walk.machine, rule.text))
      }
    }
    return .end(.noRoute(at: walk.machine))
  }

  private func stepOfHost(_ destination: IPAddress, _ holders: [Int]) -> Step {
    guard let place = hostPrefixes.place(for: destination), case .send(let hops) = hostPrefixes.entries[place].action
    else { return .end(.outside) }
    let network = hostNetworks[place]
    guard network.hasBridge else {
      return .end(holders.isEmpty ? .outside : .apart(network: network.name))
    }
    return .onward(hops.map { onward($0, destination, Machine.mainTable, nil) })
  }
}
