import Addresses
import Glibc
import Host
import Kernel
import Netfilter
import Netlink

/// What the host and the services knew before, so that what an attempt changes is changed back: the places of hardware addresses at
/// bridges, neighbours, and tracked connections.
struct HostileRestoration: ~Copyable {
  private let plan: HostilePlan
  private let places: [String: ProbePlace]
  private var socket: NetlinkSocket
  private let netfilter = NetfilterConnection()
  /// Where each hardware address was.
  private let entries: [Key: ForwardingEntry]
  private let neighbours: [String: [Neighbour]]

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
    for name in Set(plan.attempts.filter { $0.kind == .claim }.flatMap(\.victims)) {
      known[name] = try Self.neighbours(at: places[name])
    }
    self.plan = plan
    self.places = places
    self.socket = socket
    self.entries = Dictionary(entries.map { (Key($0), $0) }, uniquingKeysWith: { first, _ in first })
    neighbours = known
  }

  private static func neighbours(at place: ProbePlace?) throws(KernelError) -> [Neighbour] {
    guard let place else { return [] }
    var socket = try place.visit { () throws(KernelError) in try NetlinkSocket(.route) }
    return try socket.neighbours()
  }

  /// Puts back what attempts with others' hardware addresses and claims have changed.
  ///
  /// - Parameters:
  ///   - arrived: those that were seen to arrive.
  /// - Returns: the attempts that had moved a hardware address.
  mutating func putBack(after indices: [Int], arrived: [Int]) throws(KernelError) -> Set<Int> {
    try putBackNeighbours(after: arrived)
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

  private func putBackNeighbours(after arrived: [Int]) throws(KernelError) {
    let claims = arrived.map { plan.attempts[$0] }.filter { $0.kind == .claim }
    for name in Set(claims.flatMap(\.victims)) {
      guard let place = places[name] else { continue }
      let claimed = Set(claims.filter { $0.victims.contains(name) }.compactMap(\.claimedAddress))
      let before = neighbours[name] ?? []
      var batch = RouteBatch()
      for now in try Self.neighbours(at: place) where claimed.contains(now.address) {
        let known = before.first { $0.address == now.address && $0.link == now.link }
        guard known?.mac != now.mac else { continue }
        if let known, known.mac != nil { batch.set(known) } else { batch.delete(now, tolerating: .gone) }
      }
      guard !batch.isEmpty else { continue }
      var socket = try place.visit { () throws(KernelError) in try NetlinkSocket(.route) }
      try socket.apply(batch)
    }
  }

  /// Makes the host forget connections that frames of the plan have opened.
  func forgetConnections() throws(KernelError) {
    let flows = Set(plan.attempts.flatMap { [$0.frame, $0.question].compactMap { $0?.packet.flow } })
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

extension HostileAttempt {
  fileprivate var claimedAddress: IPAddress? {
    if case .claim(let address, _, _, _) = frame.packet { address } else { nil }
  }
}

extension ForgedPacket {
  /// As connection tracking would know it.
  fileprivate var flow: HostileRestoration.Flow? {
    switch self {
    case .datagram(let sender, let receiver), .tunnelled(_, _, let sender, let receiver):
      HostileRestoration.Flow(IPPROTO_UDP, sender, receiver)
    case .opening(let sender, let receiver): HostileRestoration.Flow(IPPROTO_TCP, sender, receiver)
    case .claim, .redirect, .routerAdvertisement: nil
    }
  }
}
