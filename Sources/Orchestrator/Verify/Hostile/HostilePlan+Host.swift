import Addresses
import Intent

/// Frames to the host, and by way of it.
extension HostilePlan {
  mutating func attackHost(_ attacker: Foothold, _ foreign: [AddressFamily: IPAddress]) {
    let third = third(beside: attacker, besides: nil, turn: 0)
    for family in AddressFamily.allCases {
      guard let gateway = attacker.gateway(family) else { continue }
      let port = nextPort()
      let guards = [attacker.sourceGuard, attacker.table("from_network")]
      for (kind, address) in sources(attacker, family, third, foreign[family]) where !attacker.maySend(from: address) {
        add(
          kind, attacker, [Self.host],
          attacker.frame(Traffic.udp(port).packet(from: address, port, to: gateway), to: attacker.network.mac),
          "UDP from \(address) to \(gateway)", by: guards)
      }
      guard let unused = attacker.unused(family), !attacker.maySend(from: unused) else { continue }
      // Bridges leave these to the port itself (IEEE 802.1Q, table 8-1), from which they come to the host.
      for group in [0x0180_C200_0003, 0x0180_C200_000E].map(MACAddress.init(bits:)) {
        add(
          .group, attacker, [Self.host],
          attacker.frame(Traffic.udp(port).packet(from: unused, port, to: gateway), to: group),
          "UDP to \(gateway) in a frame to \(group), past the bridge",
          by: [attacker.table("guard_incoming"), attacker.table("input")])
      }
    }
  }

  /// To another network, in the name of somebody there or of a neighbour.
  mutating func attackByGateway(
    _ attacker: Foothold, _ victim: Foothold, _ family: AddressFamily, turn: Int
  ) {
    guard attacker.gateway(family) != nil, let target = victim.address(family) else { return }
    let port = nextPort()
    let near = third(beside: attacker, besides: victim, turn: turn)
    let far = third(beside: victim, besides: attacker, turn: turn)
    let names: [(HostileClass, IPAddress?)] = [
      (.source, near?.address(family)), (.elsewhere, far?.address(family) ?? victim.gateway(family)),
    ]
    for case (let kind, let address?) in names where !attacker.maySend(from: address) {
      add(
        kind, attacker, [victim.place],
        attacker.frame(Traffic.udp(port).packet(from: address, port, to: target), to: attacker.network.mac),
        "UDP from \(address) to \(target), by the gateway",
        by: [attacker.sourceGuard, attacker.table("from_network"), victim.table("guard_incoming")])
    }
  }

  /// "From the victim to me" opens a connection at the host. What is then sent to the victim would be its answer.
  mutating func forgeQuestion(_ attacker: Foothold, _ victim: Foothold, _ family: AddressFamily) {
    guard attacker.gateway(family) != nil, let own = attacker.address(family), let target = victim.address(family),
      !attacker.maySend(from: target)
    else { return }
    let (port, answer) = (nextPort(), nextPort())
    guard case .udp(let asked) = refusals.packet(from: attacker, own, to: victim, target, port: port) else { return }
    let isNear = attacker.segment == victim.segment
    let gateway = attacker.network.mac
    add(
      .reply, attacker, [victim.place],
      attacker.frame(
        Traffic.udp(asked).packet(from: own, answer, to: target), to: isNear ? victim.attachment.mac : gateway),
      question: attacker.frame(Traffic.udp(answer).packet(from: target, asked, to: own), to: gateway),
      "UDP from \(own) to \(target), after \"from \(target) to \(own)\"",
      by: [attacker.sourceGuard, attacker.table("from_network")])
  }

  /// A hardware address that no service has: `stack` gives other ones.
  static let nobody = MACAddress(bits: 0x0266_6666_6666)

  /// A tunnel's frames, from who is not its other host.
  mutating func attackByTunnel(_ attacker: Foothold, _ victim: Foothold) {
    guard let tunnel = victim.network.tunnel, let target = victim.address(.v4), let sender = victim.unused(.v4)
    else { return }
    for family in AddressFamily.allCases {
      guard let own = attacker.address(family), let gateway = attacker.gateway(family), own != tunnel.remote else {
        continue
      }
      let port = nextPort()
      let inner = ForgedFrame(
        source: Self.nobody, destination: victim.attachment.mac,
        packet: Traffic.udp(port).packet(from: sender, port, to: target))
      add(
        .tunnel, attacker, [victim.place],
        attacker.frame(
          .tunnelled(
            inner, number: tunnel.id, from: Endpoint(address: own, port: port),
            to: Endpoint(address: gateway, port: tunnel.port)), to: attacker.network.mac),
        "VXLAN \(tunnel.id) from \(own) to \(gateway), port \(tunnel.port)", by: [victim.table("tunnels")])
    }
  }
}
