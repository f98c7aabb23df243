import Addresses
import Intent
import Netfilter
import Rules
import Vocabulary

/// The forged frames that are sent, and the services that send them, to show that none arrives.
///
/// Pure. The plan follows from the stack files alone, not from the nftables tables under test.
package struct HostilePlan {
  let stack: DesiredStack
  private let selection: VerifySelection
  /// The interfaces of the stack, and one for each network of other stacks.
  let own: [Foothold]
  let others: [Foothold]
  /// Interfaces of a machine beside the host.
  let outside: [OutsideFoothold]
  private let bySegment: [Foothold.Segment: [Foothold]]
  private(set) var attempts: [HostileAttempt] = []
  private(set) var controls: [HostileControl] = []
  /// Pairs of interfaces that are left out since there are too many.
  private(set) var leftOut = 0

  var refusals: HostileRefusals
  /// Each attempt has ports of its own, so that no packet passes as the answer to another attempt's.
  private var port: UInt16

  /// The most pairs of interfaces that are tried.
  ///
  /// With more pairs, each interface attacks an equal share of the others, and each is attacked by some.
  private static let mostPairs = 4000

  /// - Parameters:
  ///   - others: stacks that are up beside it.
  ///   - outside: interfaces of a machine beside the host, which attacks too.
  ///   - firstPort: of ``ports``, where those that attempts have begin.
  package init(
    _ stack: DesiredStack, others: [DesiredStack] = [], outside: [OutsideFoothold] = [],
    _ selection: VerifySelection = VerifySelection(), firstPort: UInt16
  ) {
    (self.stack, self.selection, self.outside) = (stack, selection, outside)
    refusals = HostileRefusals(stack)
    port = firstPort
    own = Foothold.all(of: stack) { Self.place(of: $0, in: stack, seenFrom: stack) }
    self.others = others.flatMap { other in
      var seen: Set<String> = []
      return Foothold.all(of: other) { Self.place(of: $0, in: other, seenFrom: stack) }
        .filter { seen.insert($0.network.bridge).inserted }
    }
    let all = own + self.others
    bySegment = Dictionary(grouping: all, by: \.segment)
    let width = max(1, Self.mostPairs / max(1, all.count))
    for (index, attacker) in all.enumerated() {
      let isOwn = index < own.count
      let victims = isOwn ? all : own
      // Beginning behind itself, so that everybody's turn comes.
      let turned = victims.indices.map { victims[($0 + index + 1) % victims.count] }
        .filter { $0.place != attacker.place && isSelected(attacker.place, $0.place) }
      let tried = turned.prefix(width)
      leftOut += turned.count - tried.count
      let foreign = foreignAddresses(attacker, all)
      for (turn, victim) in tried.enumerated() { attack(attacker, victim, foreign, turn: turn) }
      if isOwn, isSelected(attacker.place, Self.host) { attackHost(attacker, foreign) }
      attackGroups(attacker, tried.filter { $0.segment == attacker.segment })
    }
    let attackers = Set(attempts.map(\.attacker))
    for attacker in all where attackers.contains(attacker.place) { control(attacker) }
    for attacker in outside { attack(from: attacker) }
  }

  /// The interfaces that each attacker sends by.
  var interfaces: [String: Set<String>] {
    let footholds =
      (own + others).map { ($0.place, $0.attachment.interface) } + outside.map { (Self.outside, $0.interface) }
    return footholds.reduce(into: [:]) { $0[$1.0, default: []].insert($1.1) }
  }

  /// The links at which a filter drops what no guard has seen, between an attacker and its victims.
  func filters(from attacker: String, to victims: [String]) -> [HostileGuard] {
    let bridges = own.filter { $0.place == attacker }.map { HostileGuard.filter(.arriving(by: $0.network.bridge)) }
    let ports = own.filter { victims.contains($0.place) }.flatMap { foothold in
      foothold.attachment.pairs.map { HostileGuard.filter(.leaving(by: $0.link)) }
    }
    return (bridges + ports).uniqued()
  }

  /// Somebody who is where `one` is, and neither it nor another.
  ///
  /// - Parameter turn: from where on to look, so that everybody's turn comes.
  func third(beside one: Foothold, besides other: Foothold?, turn: Int) -> Foothold? {
    let there = bySegment[one.segment] ?? []
    return there.indices.lazy.map { there[($0 + turn) % there.count] }
      .first { $0.place != one.place && $0.place != other?.place }
  }

  /// An address of each family that is somebody's on another network, or nobody's where there is no other.
  private func foreignAddresses(_ attacker: Foothold, _ all: [Foothold]) -> [AddressFamily: IPAddress] {
    let subnets = attacker.network.allSubnets
    return Dictionary(
      uniqueKeysWithValues: AddressFamily.allCases.map { family in
        let foreign = all.lazy.compactMap { $0.address(family) }.first { address in
          !subnets.contains { $0.contains(address) } && !attacker.maySend(from: address)
        }
        return (family, foreign ?? Self.outside(family))
      })
  }

  /// Between two of those that are named, or with the one that is.
  func isSelected(_ attacker: String, _ victim: String) -> Bool {
    let only = selection.only
    guard !only.isEmpty else { return true }
    func isNamed(_ place: String) -> Bool {
      only.contains(place) || place == Self.host && only.contains("\(ReachPeer.host)")
        || place == Self.outside && only.contains("internet")
        || stack.service(named: place).map { only.contains($0.service) } ?? false
    }
    return only.count == 1 ? isNamed(attacker) || isNamed(victim) : isNamed(attacker) && isNamed(victim)
  }

  /// The name of a service's place: with its stack's before it where that is another one.
  package static func place(of service: DesiredService, in stack: DesiredStack, seenFrom own: DesiredStack) -> String {
    stack.name == own.name ? service.name : "\(stack.name)/\(service.name)"
  }

  /// A port that no other attempt has.
  mutating func nextPort() -> UInt16 {
    defer { port = port >= Self.ports.upperBound ? Self.ports.lowerBound : port + 1 }
    return port
  }

  /// Below those that Linux chooses by itself (ip_local_port_range).
  package static let ports: ClosedRange<UInt16> = 20_000...32_000

  // MARK: What is tried

  private mutating func control(_ attacker: Foothold) {
    guard let address = attacker.address(.v4) else { return }
    func add(_ witness: HostileControl.Witness, _ receiver: IPAddress, _ hardware: MACAddress) {
      self.add(
        HostileControl(
          attacker: attacker.place, interface: attacker.attachment.interface, witness: witness,
          frame: attacker.frame(
            .claim(address: address, at: attacker.attachment.mac, to: receiver, of: hardware), to: hardware)))
    }
    if let gateway = attacker.gateway(.v4) { add(.link(attacker.network.bridge), gateway, attacker.network.mac) }
    let other = bySegment[attacker.segment]?.first { $0.place != attacker.place && !$0.attachment.isSetDown }
    if let other, let receiver = other.address(.v4) { add(.service(other.place), receiver, other.attachment.mac) }
  }

  private mutating func attack(
    _ attacker: Foothold, _ victim: Foothold, _ foreign: [AddressFamily: IPAddress], turn: Int
  ) {
    if attacker.segment == victim.segment {
      let third = third(beside: attacker, besides: victim, turn: turn)
      for family in AddressFamily.allCases {
        attackNeighbour(attacker, victim, family, third, foreign[family])
        forgeQuestion(attacker, victim, family)
      }
      attackBeyondFamilies(attacker, victim)
    } else if attacker.network.bridge == victim.network.bridge {
      attackOtherVLAN(attacker, victim)
    } else {
      for family in AddressFamily.allCases {
        attackByGateway(attacker, victim, family, turn: turn)
        forgeQuestion(attacker, victim, family)
      }
      attackByTunnel(attacker, victim)
    }
  }

  mutating func add(
    _ kind: HostileClass, _ attacker: Foothold, _ victims: [String], _ frame: ForgedFrame, question: ForgedFrame? = nil,
    _ words: String, by guards: [HostileGuard]
  ) {
    add(
      HostileAttempt(
        kind: kind, attacker: attacker.place, interface: attacker.attachment.interface, victims: victims,
        question: question, frame: frame, words: words, guards: guards))
  }

  mutating func add(_ attempt: HostileAttempt) { attempts.append(attempt) }
  mutating func add(_ control: HostileControl) { controls.append(control) }

  /// The place of the host among the victims.
  static var host: String { ReachPeer.host.place }
}

extension Foothold {
  /// A frame of its own to a neighbour, or to the host on the way to others.
  func frame(_ packet: ForgedPacket, to hardware: MACAddress) -> ForgedFrame {
    ForgedFrame(source: attachment.mac, destination: hardware, packet: packet)
  }

  /// The chains of its stack's port guard.
  func ports(_ chain: String) -> HostileGuard {
    .chain(chain, of: PortGuard.tableName(stack))
  }

  /// The chains of the stack that owns its network.
  func table(_ chain: String) -> HostileGuard {
    .chain(chain, of: NftTableName(.inet, StackTable.name(of: network.owner ?? stack)))
  }

  /// The chain that drops frames whose source is not the port's own.
  var sourceGuard: HostileGuard { ports(bridges ? "from_others" : "addressed") }
}

extension Traffic {
  /// The packet between two addresses, from a port of the sender's.
  func packet(from sender: IPAddress, _ port: UInt16, to receiver: IPAddress) -> ForgedPacket {
    let (from, to) = (Endpoint(address: sender, port: port), Endpoint(address: receiver, port: self.port))
    if case .tcp = self { return .opening(from: from, to: to) }
    return .datagram(from: from, to: to)
  }

  /// `UDP` or `TCP`
  var name: String { if case .tcp = self { "TCP" } else { "UDP" } }
}
