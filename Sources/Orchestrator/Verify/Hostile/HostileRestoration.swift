import Addresses
import Glibc
import Host
import Kernel
import Netfilter
import Netlink

/// Restores the state that forged frames change: bridge forwarding entries, neighbours and tracked connections.
///
/// It is recorded before the first frame is sent.
struct HostileRestoration: ~Copyable {
  private let plan: HostilePlan
  private let places: [String: ProbePlace]
  private var socket: NetlinkSocket
  private let netfilter = NetfilterConnection()
  /// The bridge port of each hardware address, before the attempts.
  private let entries: [Key: ForwardingEntry]
  private let neighbours: [String: [Neighbour]]
  /// The addresses that frames of the plan name.
  private let touched: Set<IPAddress>

  private struct Key: Hashable {
    var bridge: UInt32
    var hardware: MACAddress
    var vlan: UInt16?

    init(_ entry: ForwardingEntry) {
      (bridge, hardware, vlan) = (entry.bridge ?? 0, entry.mac, entry.vlan)
    }
  }

  init(_ plan: HostilePlan, _ places: [String: ProbePlace]) throws(KernelError) {
    var socket = try NetlinkSocket(.route)
    let entries = try socket.forwardingEntries()
    var known: [String: [Neighbour]] = [:]
    for name in Set(plan.attempts.flatMap { [$0.attacker] + $0.victims }) {
      known[name] = try Self.neighbours(at: places[name])
    }
    self.plan = plan
    self.places = places
    self.socket = socket
    self.entries = Dictionary(entries.map { (Key($0), $0) }, uniquingKeysWith: { first, _ in first })
    neighbours = known
    // The question before a frame has the same addresses the other way round.
    touched = Set(plan.attempts.flatMap(\.frame.packet.addresses))
  }

  private static func neighbours(at place: ProbePlace?) throws(KernelError) -> [Neighbour] {
    guard let place else { return [] }
    var socket = try place.visit { () throws(KernelError) in try NetlinkSocket(.route) }
    return try socket.neighbours()
  }

  /// Puts back the places of hardware addresses that attempts have moved, and neighbours where claims have arrived.
  ///
  /// - Parameter arrived: the attempts that were seen to arrive.
  /// - Returns: the attempts that had moved a hardware address.
  mutating func putBack(after indices: [Int], arrived: [Int]) throws(KernelError) -> Set<Int> {
    try putBackNeighbours(
      at: Set(arrived.filter { plan.attempts[$0].kind == .claim }.flatMap { plan.attempts[$0].victims }))
    let forged = indices.filter { plan.attempts[$0].kind == .hardware }
    let addresses = Set(forged.map { plan.attempts[$0].frame.source })
    guard !addresses.isEmpty else { return [] }
    var batch = RouteBatch()
    var moved: Set<MACAddress> = []
    for entry in try socket.forwardingEntries() where addresses.contains(entry.mac) {
      let before = entries[Key(entry)]
      guard before?.port != entry.port else { continue }
      moved.insert(entry.mac)
      if let before, !before.isLearned { batch.set(before) } else { batch.delete(entry, tolerating: .gone) }
    }
    if !moved.isEmpty { try socket.apply(batch) }
    return Set(forged.filter { moved.contains(plan.attempts[$0].frame.source) })
  }

  /// Whoever answers a forged packet asks for the neighbour that it names, and is asked in turn.
  func putBackNeighbours() throws(KernelError) { try putBackNeighbours(at: Set(neighbours.keys)) }

  private func putBackNeighbours(at names: Set<String>) throws(KernelError) {
    for name in names {
      guard let place = places[name] else { continue }
      let before = Dictionary(
        (neighbours[name] ?? []).map { (NeighbourKey($0), $0) }, uniquingKeysWith: { first, _ in first })
      var batch = RouteBatch()
      for entry in try Self.neighbours(at: place) where touched.contains(entry.address) {
        guard var known = before[NeighbourKey(entry)], known.mac != nil else {
          batch.delete(entry, tolerating: .gone)
          continue
        }
        guard known.mac != entry.mac else { continue }
        // An entry that is neither permanent nor NOARP becomes stale, so the kernel confirms it on its next use.
        if known.state & Self.lasting == 0 { known.state = Self.stale }
        batch.set(known)
      }
      guard !batch.isEmpty else { continue }
      var socket = try place.visit { () throws(KernelError) in try NetlinkSocket(.route) }
      try socket.apply(batch)
    }
  }

  /// NUD_STALE; NUD_NOARP and NUD_PERMANENT (linux/neighbour.h).
  private static let stale: UInt16 = 0x04
  private static let lasting: UInt16 = 0x40 | 0x80

  private struct NeighbourKey: Hashable {
    var link: UInt32
    var address: IPAddress

    init(_ neighbour: Neighbour) { (link, address) = (neighbour.link, neighbour.address) }
  }

  /// Makes bridges forget the hardware addresses that frames in tunnels brought.
  mutating func forgetTunnelled() throws(KernelError) {
    let addresses = Set(plan.attempts.compactMap(\.frame.packet.innerHardware))
    var batch = RouteBatch()
    for entry in try socket.forwardingEntries() where addresses.contains(entry.mac) && entries[Key(entry)] == nil {
      batch.delete(entry, tolerating: .gone)
    }
    if !batch.isEmpty { try socket.apply(batch) }
  }

  /// Makes the host forget connections that frames of the plan have opened.
  func forgetConnections() throws(KernelError) {
    let flows = Set(plan.attempts.flatMap { $0.frame.packet.flows + ($0.question?.packet.flows ?? []) })
    try netfilter.forgetConnections { connections in connections.filter { flows.contains(Flow($0)) } }
  }

  fileprivate struct Flow: Hashable {
    var transport: UInt8
    var flow: Connection.Flow

    init(_ connection: Connection) { (transport, flow) = (connection.transport, connection.original) }

    init(_ transport: Int, _ from: Endpoint, _ to: Endpoint) {
      self.transport = UInt8(transport)
      flow = Connection.Flow(
        source: from.address, destination: to.address, sourcePort: from.port, destinationPort: to.port)
    }
  }
}

extension ForgedPacket {
  /// Its connections, as connection tracking would know them.
  fileprivate var flows: [HostileRestoration.Flow] {
    switch self {
    case .datagram(let sender, let receiver): [HostileRestoration.Flow(IPPROTO_UDP, sender, receiver)]
    case .tunnelled(let inner, _, let sender, let receiver):
      [HostileRestoration.Flow(IPPROTO_UDP, sender, receiver)] + inner.packet.flows
    case .opening(let sender, let receiver): [HostileRestoration.Flow(IPPROTO_TCP, sender, receiver)]
    case .claim, .redirect, .routerAdvertisement: []
    }
  }

  /// The hardware address of the frame in it.
  fileprivate var innerHardware: MACAddress? {
    guard case .tunnelled(let inner, _, _, _) = self else { return nil }
    return inner.source
  }

  /// Those that who gets it may ask for.
  var addresses: [IPAddress] {
    switch self {
    case .datagram(let sender, let receiver), .opening(let sender, let receiver):
      [sender.address, receiver.address]
    case .tunnelled(let inner, _, let sender, let receiver):
      [sender.address, receiver.address] + inner.packet.addresses
    case .claim(let address, _, let receiver, _): [address, receiver]
    case .redirect(let sender, let receiver, _): [sender, receiver]
    case .routerAdvertisement(let sender, _): [.v6(sender)]
    }
  }
}
