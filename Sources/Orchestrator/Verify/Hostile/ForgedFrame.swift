import Addresses

/// A frame that a service's kernel would not send by itself: Ethernet, and a packet in it.
struct ForgedFrame: Hashable, Sendable {
  var source: MACAddress
  var destination: MACAddress
  /// Tags of VLANs (IEEE 802.1Q), the outer one first.
  var tags: [UInt16] = []
  var packet: ForgedPacket

  /// As it is sent, without the checksum that the link adds.
  ///
  /// - Parameter token: what the packet carries, ``ProbeToken/length`` octets.
  func octets(carrying token: [UInt8]) -> [UInt8] {
    var octets = destination.octets + source.octets
    for tag in tags {
      octets.append(word: 0x8100)
      octets.append(word: tag)
    }
    octets.append(word: packet.etherType)
    octets += packet.octets(carrying: token)
    return octets + [UInt8](repeating: 0, count: max(0, Self.shortest - octets.count))
  }

  /// Of Ethernet, without the checksum (ETH_ZLEN).
  private static let shortest = 60
}

/// The contents of a forged frame. Both addresses of a packet are of one family.
enum ForgedPacket: Hashable, Sendable {
  /// UDP.
  case datagram(from: Endpoint, to: Endpoint)
  /// The first segment of a TCP connection, with data in it (RFC 9293 lets it have some).
  case opening(from: Endpoint, to: Endpoint)
  /// An answer to a question that nobody has asked: `address` is at `hardware`. By ARP (RFC 826) or a neighbour advertisement
  /// (RFC 4861, 4.4).
  case claim(address: IPAddress, at: MACAddress, to: IPAddress, of: MACAddress)
  /// A nearer router for `destination`: ICMP type 5 (RFC 792), or type 137 of ICMPv6 (RFC 4861, 4.5).
  case redirect(from: IPAddress, to: IPAddress, destination: IPAddress)
  /// "Here is a router", for no time at all (RFC 4861, 4.2).
  case routerAdvertisement(from: IPv6Address, to: IPv6Address)
  /// A frame in VXLAN (RFC 7348), in a datagram.
  indirect case tunnelled(ForgedFrame, number: UInt32, from: Endpoint, to: Endpoint)
}

extension ForgedPacket {
  fileprivate var etherType: UInt16 {
    switch self {
    case .claim(.v4, _, _, _): 0x0806
    case .datagram(let sender, _), .opening(let sender, _), .tunnelled(_, _, let sender, _): sender.address.etherType
    case .claim(let address, _, _, _), .redirect(let address, _, _): address.etherType
    case .routerAdvertisement: 0x86DD
    }
  }

  fileprivate func octets(carrying token: [UInt8]) -> [UInt8] {
    switch self {
    case .datagram(let sender, let receiver): Self.datagram(token, sender, receiver)
    case .tunnelled(let inner, let number, let sender, let receiver):
      Self.datagram(Self.vxlanHeader(number) + inner.octets(carrying: token), sender, receiver)
    case .opening(let sender, let receiver): Self.opening(token, sender, receiver)
    case .claim(.v4(let address), let hardware, .v4(let receiver), let target):
      Self.arpReply(hardware, address, target, receiver) + token
    case .claim(let address, let hardware, let receiver, _):
      Self.packet(Self.advertisement(token, address, hardware), 58, from: address, to: receiver, checksumAt: 2)
    case .redirect(let sender, let receiver, let destination):
      switch sender {
      case .v4:
        Self.packet(Self.redirect(token, sender, receiver, destination), 1, from: sender, to: receiver, checksumAt: 2)
      case .v6:
        Self.packet(Self.redirect6(token, sender, destination), 58, from: sender, to: receiver, checksumAt: 2)
      }
    case .routerAdvertisement(let sender, let receiver):
      Self.packet(Self.announcement(token), 58, from: .v6(sender), to: .v6(receiver), checksumAt: 2)
    }
  }

  // MARK: Transport

  private static func datagram(_ payload: [UInt8], _ sender: Endpoint, _ receiver: Endpoint) -> [UInt8] {
    var segment: [UInt8] = []
    for value in [sender.port, receiver.port, UInt16(clamping: 8 + payload.count), 0] { segment.append(word: value) }
    return packet(segment + payload, 17, from: sender.address, to: receiver.address, checksumAt: 6)
  }

  private static func opening(_ payload: [UInt8], _ sender: Endpoint, _ receiver: Endpoint) -> [UInt8] {
    var segment: [UInt8] = []
    // Ports, sequence number 1, nothing acknowledged, five words of header with SYN, window, checksum, no urgent data.
    for value in [sender.port, receiver.port, 0, 1, 0, 0, 0x5002, 0x2000, 0, 0] { segment.append(word: value) }
    return packet(segment + payload, 6, from: sender.address, to: receiver.address, checksumAt: 16)
  }

  private static func vxlanHeader(_ number: UInt32) -> [UInt8] {
    [0x08, 0, 0, 0] + (number << 8).octets
  }

  // MARK: Neighbours and routers

  private static func arpReply(
    _ hardware: MACAddress, _ address: IPv4Address, _ target: MACAddress, _ receiver: IPv4Address
  ) -> [UInt8] {
    [0, 1, 0x08, 0, 6, 4, 0, 2] + hardware.octets + address.octets + target.octets + receiver.octets
  }

  private static func advertisement(_ token: [UInt8], _ address: IPAddress, _ hardware: MACAddress) -> [UInt8] {
    // Solicited, and to replace what was known.
    [136, 0, 0, 0, 0x60, 0, 0, 0] + address.octets + [2, 1] + hardware.octets + nonce(token)
  }

  private static func redirect(
    _ token: [UInt8], _ sender: IPAddress, _ receiver: IPAddress, _ destination: IPAddress
  ) -> [UInt8] {
    let answered = packet(token, 17, from: receiver, to: destination, checksumAt: nil)
    return [5, 1, 0, 0] + sender.octets + answered
  }

  private static func redirect6(_ token: [UInt8], _ sender: IPAddress, _ destination: IPAddress) -> [UInt8] {
    [137, 0, 0, 0, 0, 0, 0, 0] + sender.octets + destination.octets + nonce(token)
  }

  private static func announcement(_ token: [UInt8]) -> [UInt8] {
    [134, 0, 0, 0, 64, 0, 0, 0] + [UInt8](repeating: 0, count: 8) + nonce(token)
  }

  /// An option that receivers pass over (RFC 3971, 5.3.2), in whole words of eight octets.
  private static func nonce(_ token: [UInt8]) -> [UInt8] {
    let words = (token.count + 2 + 7) / 8
    return [14, UInt8(clamping: words)] + token + [UInt8](repeating: 0, count: words * 8 - 2 - token.count)
  }

  // MARK: IP

  /// - Parameter offset: where in the segment its checksum is, over the pseudo header too (RFC 768, RFC 8200, 8.1). ICMP over IPv4
  ///   has none of that header. nil for a segment without a checksum.
  private static func packet(
    _ segment: [UInt8], _ number: UInt8, from sender: IPAddress, to receiver: IPAddress, checksumAt offset: Int?
  ) -> [UInt8] {
    var segment = segment
    if let offset {
      let hasNone = number == 1
      let cover =
        hasNone ? [] : sender.octets + receiver.octets + UInt32(segment.count).octets + [0, 0, 0, number]
      var covered = cover + segment
      covered.setInternetChecksum(at: cover.count + offset)
      segment = Array(covered[cover.count...])
      // Zero would mean that there is none.
      if number == 17, segment[offset] == 0, segment[offset + 1] == 0 {
        (segment[offset], segment[offset + 1]) = (0xFF, 0xFF)
      }
    }
    switch sender {
    case .v4:
      var header: [UInt8] = [0x45, 0]
      for value in [UInt16(clamping: 20 + segment.count), 1, 0] { header.append(word: value) }
      header += [64, number, 0, 0] + sender.octets + receiver.octets
      header.setInternetChecksum(at: 10)
      return header + segment
    case .v6:
      var header: [UInt8] = [0x60, 0, 0, 0]
      header.append(word: UInt16(clamping: segment.count))
      // Neighbour discovery counts only if no router has passed it on (RFC 4861, 7.1.2).
      return header + [number, 255] + sender.octets + receiver.octets + segment
    }
  }
}

extension IPAddress {
  fileprivate var etherType: UInt16 { isV4 ? 0x0800 : 0x86DD }
}

extension [UInt8] {
  /// The most significant octet first.
  fileprivate mutating func append(word value: UInt16) {
    append(UInt8(value >> 8))
    append(UInt8(value & 0xff))
  }
}

extension UInt32 {
  /// The most significant one first.
  fileprivate var octets: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> (24 - 8 * UInt32($0))) } }
}
