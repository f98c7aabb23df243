import Addresses
import Intent

/// Frames to who is on the same bridge.
extension HostilePlan {
  /// - Parameter third: somebody else there, in whose name something can be sent; the host's where there is none.
  mutating func attackNeighbour(
    _ attacker: Foothold, _ victim: Foothold, _ family: AddressFamily, _ third: Foothold?, _ foreign: IPAddress?
  ) {
    guard let target = victim.address(family), let own = attacker.address(family) else { return }
    let hardware = victim.attachment.mac
    let port = nextPort()
    func datagram(from address: IPAddress) -> ForgedPacket {
      .datagram(from: Endpoint(address: address, port: port), to: Endpoint(address: target, port: port))
    }
    for (kind, address) in sources(attacker, family, third, foreign) where !attacker.maySend(from: address) {
      add(
        kind, attacker, [victim.place], attacker.frame(datagram(from: address), to: hardware),
        "UDP from \(address) to \(target)", by: [attacker.sourceGuard])
    }
    let (other, otherHardware) = somebody(attacker, family, third)
    if let other {
      if !attacker.maySend(from: otherHardware) {
        for address in [other, own] {
          add(
            .hardware, attacker, [victim.place],
            ForgedFrame(source: otherHardware, destination: hardware, packet: datagram(from: address)),
            "a frame from \(otherHardware), with UDP from \(address) to \(target)",
            by: [attacker.ports(attacker.bridges ? "from_others" : "from_service")])
        }
      }
      if !attacker.mayClaim(other) {
        add(
          .claim, attacker, [victim.place],
          attacker.frame(
            .claim(address: other, at: attacker.attachment.mac, to: target, of: hardware), to: hardware),
          "\(family == .v4 ? "ARP" : "neighbour discovery"): \(other) is at \(attacker.attachment.mac)",
          by: [attacker.ports(attacker.bridges ? "from_others" : family == .v4 ? "addressed" : "discovery")])
      }
    }
    attackRouting(attacker, victim, own, target)
    attackByRefusedPacket(attacker, victim, own, target)
    attackApart(attacker, victim, own)
  }

  /// Sources of each kind.
  func sources(
    _ attacker: Foothold, _ family: AddressFamily, _ third: Foothold?, _ foreign: IPAddress?
  ) -> [(HostileClass, IPAddress)] {
    let loopback: IPAddress = family == .v4 ? .v4(IPv4Address(bits: 0x7F00_0002)) : .v6(.loopback)
    return [
      (HostileClass.source, somebody(attacker, family, third).address), (.unused, attacker.unused(family)),
      (.elsewhere, foreign), (.loopback, loopback),
    ].compactMap { kind, address in address.map { (kind, $0) } }
  }

  /// Of the ranges for documentation (RFC 5737, RFC 3849): no machine has it.
  static func outside(_ family: AddressFamily) -> IPAddress {
    switch family {
    case .v4: .v4(IPv4Address(bits: 0xCB00_71C8))
    case .v6: .v6(IPv6Address(high: 0x2001_0DB8_CB00_71C8, low: 1))
    }
  }

  private func somebody(
    _ attacker: Foothold, _ family: AddressFamily, _ third: Foothold?
  ) -> (address: IPAddress?, hardware: MACAddress) {
    if let third, let address = third.address(family) { return (address, third.attachment.mac) }
    return (attacker.gateway(family), attacker.network.mac)
  }

  /// Nobody is told by a service of another router.
  private mutating func attackRouting(
    _ attacker: Foothold, _ victim: Foothold, _ own: IPAddress, _ target: IPAddress
  ) {
    guard !attacker.bridges else { return }
    let hardware = victim.attachment.mac
    let family = AddressFamily(own)
    // Whoever is in another family's chain has no address of the link.
    let sender = family == .v4 ? own : IPAddress.v6(attacker.attachment.mac.linkLocalAddress)
    add(
      .router, attacker, [victim.place],
      attacker.frame(.redirect(from: sender, to: target, destination: Self.outside(family)), to: hardware),
      "an ICMP redirect from \(sender) to \(target)",
      by: [attacker.ports(family == .v4 ? "addressed" : "discovery")])
    guard family == .v6, !attacker.service.forwards else { return }
    add(
      .router, attacker, [victim.place],
      attacker.frame(
        .routerAdvertisement(from: attacker.attachment.mac.linkLocalAddress, to: Self.allNodes),
        to: hardware), "a router advertisement from \(sender)", by: [attacker.ports("discovery")])
  }

  static let allNodes = IPv6Address(high: 0xFF02_0000_0000_0000, low: 1)

  /// Sends a packet that may not pass in forms that rules might miss: with a VLAN tag, and to foreign addresses.
  private mutating func attackByRefusedPacket(
    _ attacker: Foothold, _ victim: Foothold, _ own: IPAddress, _ target: IPAddress
  ) {
    let (hardware, port) = (victim.attachment.mac, nextPort())
    let refused = refusals.packet(from: attacker, own, to: victim, target, port: port)
    let family = AddressFamily(own)
    // Nobody may send with a tag; where all may pass, a false source shows it.
    let tagged = refused.map { $0.packet(from: own, port, to: target) }
    let forged = attacker.unused(family).flatMap { attacker.maySend(from: $0) ? nil : $0 }
      .map { Traffic.udp(port).packet(from: $0, port, to: target) }
    if let packet = tagged ?? forged, !attacker.bridges, attacker.attachment.subinterfaces.isEmpty {
      var frame = attacker.frame(packet, to: hardware)
      frame.tags = [0]
      add(
        .tag, attacker, [victim.place], frame, "a frame with a tag of VLAN 0 to \(target)",
        by: [attacker.ports("from_service")])
    }
    guard let refused else { return }
    let elsewhere = victim.known.filter { family.holds($0) && !victim.attachment.everyAddress.contains($0) }
    for address in elsewhere + [Self.outside(family)] {
      add(
        .further, attacker, [victim.place],
        attacker.frame(refused.packet(from: own, port, to: address), to: hardware),
        "\(refused.name) from \(own) to \(address), which is not on the network", by: [victim.ports("passing")])
    }
  }

  /// The addresses of a neighbour on networks that the attacker is not on.
  private mutating func attackApart(_ attacker: Foothold, _ victim: Foothold, _ own: IPAddress) {
    guard victim.stack == stack.name else { return }
    let family = AddressFamily(own)
    for address in victim.addressesElsewhere where family.holds(address) {
      let port = nextPort()
      guard refusals.isApart(own, address, port: port) else { continue }
      let packet = Traffic.udp(port).packet(from: own, port, to: address)
      for hardware in [victim.attachment.mac, Self.everybody] {
        add(
          .apart, attacker, [victim.place], attacker.frame(packet, to: hardware),
          "UDP from \(own) to \(address), in a frame to \(hardware) on \(attacker.network.name)",
          by: [victim.ports("passing")])
      }
    }
  }

  private static let everybody = MACAddress(bits: 0xFFFF_FFFF_FFFF)

  /// IPv6 where the network has none, or by addresses of the link.
  mutating func attackBeyondFamilies(_ attacker: Foothold, _ victim: Foothold) {
    let (sender, target) = (attacker.attachment.mac.linkLocalAddress, victim.attachment.mac.linkLocalAddress)
    let port = nextPort()
    // A service that forwards has an address of the link, by which its neighbours meet it.
    guard !attacker.maySend(from: .v6(sender)) else { return }
    let words = attacker.network.ipv6 == nil ? ", on a network without IPv6" : ""
    add(
      .linkLocal, attacker, [victim.place],
      attacker.frame(
        .datagram(
          from: Endpoint(address: .v6(sender), port: port), to: Endpoint(address: .v6(target), port: port)),
        to: victim.attachment.mac), "UDP from \(sender) to \(target)\(words)", by: [attacker.sourceGuard])
  }

  mutating func attackOtherVLAN(_ attacker: Foothold, _ victim: Foothold) {
    guard let vlan = victim.attachment.accessVLAN, !attacker.maySend(tag: vlan), let own = attacker.address(.v4),
      let target = victim.address(.v4)
    else { return }
    let port = nextPort()
    for tags in [[], [vlan], [0, vlan]] {
      var frame = attacker.frame(Traffic.udp(port).packet(from: own, port, to: target), to: victim.attachment.mac)
      frame.tags = tags
      add(
        .tag, attacker, [victim.place], frame,
        "a frame into VLAN \(vlan)"
          + (tags.isEmpty ? "" : ", with tags \(tags.map(String.init).joined(separator: ", "))"),
        by: [attacker.ports("from_service")])
    }
  }

  /// To all at once, in its own name: judged at each port that it leaves by.
  mutating func attackGroups(_ attacker: Foothold, _ victims: [Foothold]) {
    for family in AddressFamily.allCases {
      guard let own = attacker.address(family) else { continue }
      let port = nextPort()
      var byPacket: [Traffic: [String]] = [:]
      for victim in victims {
        guard let target = victim.address(family),
          let refused = refusals.packet(from: attacker, own, to: victim, target, port: port)
        else { continue }
        byPacket[refused, default: []].append(victim.place)
      }
      // A connection begins between two; datagrams go to groups too.
      for (traffic, places) in byPacket where traffic.name == "UDP" {
        for (group, hardware) in Self.groups(attacker, family) {
          add(
            .group, attacker, places, attacker.frame(traffic.packet(from: own, port, to: group), to: hardware),
            "UDP from \(own) to \(group)", by: victims.prefix(1).map { $0.ports("passing") })
        }
      }
    }
  }

  private static func groups(_ attacker: Foothold, _ family: AddressFamily) -> [(IPAddress, MACAddress)] {
    switch family {
    case .v4:
      return [
        (.v4(attacker.network.subnet(of: attacker.attachment).last), everybody),
        (.v4(IPv4Address(bits: .max)), everybody),
        (.v4(IPv4Address(bits: 0xE000_0001)), MACAddress(bits: 0x0100_5E00_0001)),
      ]
    case .v6: return [(.v6(allNodes), MACAddress(bits: 0x3333_0000_0001))]
    }
  }
}
