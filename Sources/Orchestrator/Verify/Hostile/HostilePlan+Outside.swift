import Addresses
import Intent
import Rules
import Vocabulary

/// Frames from a machine beside the host.
extension HostilePlan {
  /// The name of its place; no service can be called so.
  package static let outside = "the outside"

  mutating func attack(from attacker: OutsideFoothold) {
    for (turn, victim) in own.enumerated() where isSelected(Self.outside, victim.place) {
      for family in AddressFamily.allCases {
        guard let address = attacker.addresses[family], let target = victim.address(family) else { continue }
        attackUnpublished(attacker, address, victim, target, turn: turn)
        forgeQuestion(attacker, address, victim, target)
      }
      attackByTunnel(attacker, victim)
    }
    attackPublished(attacker)
    if isSelected(Self.outside, Self.host) { attackHost(from: attacker) }
    if attempts.contains(where: { $0.attacker == Self.outside }) { control(attacker) }
  }

  private mutating func add(
    _ kind: HostileClass, _ attacker: OutsideFoothold, _ victim: String, _ packet: ForgedPacket,
    after question: ForgedPacket? = nil, _ words: String, by guards: [HostileGuard]
  ) {
    add(
      HostileAttempt(
        kind: kind, attacker: Self.outside, interface: attacker.interface, victims: [victim],
        question: question.map(attacker.frame), frame: attacker.frame(packet), words: words, guards: guards))
  }

  /// To a service's own address, by the host: nobody outside reaches more of it than its published ports.
  private mutating func attackUnpublished(
    _ attacker: OutsideFoothold, _ own: IPAddress, _ victim: Foothold, _ target: IPAddress, turn: Int
  ) {
    let family = AddressFamily(own)
    let third = third(beside: victim, besides: nil, turn: turn)
    let loopback: IPAddress = family == .v4 ? .v4(IPv4Address(bits: 0x7F00_0002)) : .v6(.loopback)
    let names: [(HostileClass, IPAddress?, String)] = [
      (.source, third?.address(family) ?? victim.gateway(family), "guard_incoming"),
      (.unused, victim.unused(family), "guard_incoming"), (.elsewhere, own, "forward"),
      (.loopback, loopback, "forward"),
    ]
    for case (let kind, let address?, let chain) in names {
      let port = nextPort()
      add(
        kind, attacker, victim.place, Traffic.udp(port).packet(from: address, port, to: target),
        "UDP from \(address) to \(target), by \(attacker.hostLink)", by: [victim.table(chain)])
    }
  }

  private mutating func forgeQuestion(
    _ attacker: OutsideFoothold, _ own: IPAddress, _ victim: Foothold, _ target: IPAddress
  ) {
    let (asked, answer) = (nextPort(), nextPort())
    add(
      .reply, attacker, victim.place, Traffic.udp(asked).packet(from: own, answer, to: target),
      after: Traffic.udp(answer).packet(from: target, asked, to: own),
      "UDP from \(own) to \(target), after \"from \(target) to \(own)\"", by: [victim.table("guard_incoming")])
  }

  private mutating func attackByTunnel(_ attacker: OutsideFoothold, _ victim: Foothold) {
    guard let tunnel = victim.network.tunnel, let target = victim.address(.v4), let sender = victim.unused(.v4)
    else { return }
    for family in AddressFamily.allCases {
      guard let own = attacker.addresses[family], let host = attacker.hostAddresses[family], own != tunnel.remote
      else { continue }
      let port = nextPort()
      let inner = ForgedFrame(
        source: Self.nobody, destination: victim.attachment.mac,
        packet: Traffic.udp(port).packet(from: sender, port, to: target))
      add(
        .tunnel, attacker, victim.place,
        .tunnelled(
          inner, number: tunnel.id, from: Endpoint(address: own, port: port),
          to: Endpoint(address: host, port: tunnel.port)),
        "VXLAN \(tunnel.id) from \(own) to \(host), port \(tunnel.port)", by: [victim.table("tunnels")])
    }
  }

  // MARK: Published ports

  /// Ports for other addresses of the host, for other sources (`from:`), and those that a rule closes.
  private mutating func attackPublished(_ attacker: OutsideFoothold) {
    let firewall = Firewall(stack)
    let publications = firewall.publications(.ip) + firewall.publications(.ip6)
    for publication in publications {
      let family = AddressFamily(publication.address)
      guard let victim = own.first(where: { $0.address(family) == publication.address }),
        isSelected(Self.outside, victim.place), let address = attacker.addresses[family],
        let uplink = attacker.hostAddresses[family]
      else { continue }
      let loopback = publication.hostAddress.flatMap { $0.isLoopback ? $0 : nil }
      for target in [uplink, loopback].compactMap(\.self) {
        let isMeant = publications.contains {
          $0.address == publication.address && $0.port.hostPort == publication.port.hostPort
            && $0.port.target.transport == publication.port.target.transport
            && refusals.isOpen($0, at: target, to: address)
        }
        guard !isMeant else { continue }
        let traffic = publication.traffic
        add(
          .published, attacker, victim.place, traffic.packet(from: address, nextPort(), to: target),
          "\(traffic.name) from \(address) to \(target):\(publication.port.hostPort)",
          by: [victim.table("publish"), victim.table("forward")])
      }
    }
  }

  // MARK: The host

  /// In the name of a network, which comes in by no other link than its bridge.
  private mutating func attackHost(from attacker: OutsideFoothold) {
    var seen: Set<String> = []
    for victim in own where seen.insert(victim.network.bridge).inserted {
      for family in AddressFamily.allCases {
        guard let address = victim.address(family), let host = attacker.hostAddresses[family] else { continue }
        let port = nextPort()
        add(
          .source, attacker, Self.host, Traffic.udp(port).packet(from: address, port, to: host),
          "UDP from \(address) to \(host), by \(attacker.hostLink)", by: [victim.table("guard_incoming")])
      }
    }
  }

  /// Its own address is where it says.
  private mutating func control(_ attacker: OutsideFoothold) {
    guard let family = AddressFamily.allCases.first(where: { attacker.addresses[$0] != nil }),
      let address = attacker.addresses[family], let receiver = attacker.hostAddresses[family]
    else { return }
    add(
      HostileControl(
        attacker: Self.outside, interface: attacker.interface, witness: .link(attacker.hostLink),
        frame: attacker.frame(.claim(address: address, at: attacker.mac, to: receiver, of: attacker.hostMAC))))
  }
}

extension Firewall.Publication {
  fileprivate var traffic: Traffic {
    switch port.target.transport {
    case .tcp: .tcp(port.hostPort)
    case .udp: .udp(port.hostPort)
    }
  }
}
