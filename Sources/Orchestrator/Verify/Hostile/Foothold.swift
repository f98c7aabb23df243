import Addresses
import Intent

/// An interface of a service on a bridge: where forged frames are sent from, and where they must not arrive.
final class Foothold: Sendable {
  /// The place's name: the service's, with its stack's before it where that is another one.
  let place: String
  let stack: String
  let service: DesiredService
  let attachment: DesiredAttachment
  let network: DesiredNetwork
  /// All addresses of the service, by which rules know it.
  let known: [IPAddress]
  /// Sources that its packets may have, and its claims, beside its own addresses.
  private let routed: [AddressFamily: [AddressRange]]
  private let claimed: [AddressFamily: [AddressRange]]
  /// Addresses with a known place, which a service that bridges may not have either.
  private let taken: Set<IPAddress>
  private let takenHardware: Set<MACAddress>

  private init(
    place: String, stack: String, service: DesiredService, attachment: DesiredAttachment, network: DesiredNetwork,
    known: [IPAddress], routed: [AddressFamily: [AddressRange]], taken: Set<IPAddress>, takenHardware: Set<MACAddress>
  ) {
    (self.place, self.stack, self.service) = (place, stack, service)
    (self.attachment, self.network) = (attachment, network)
    (self.known, self.routed, self.taken, self.takenHardware) = (known, routed, taken, takenHardware)
    claimed = AddressRange.byFamily(attachment.claims?.prefixes ?? [])
  }

  /// The interfaces of a stack's services on bridges.
  static func all(of stack: DesiredStack, places name: (DesiredService) -> String) -> [Foothold] {
    let (routes, addresses) = (RoutedAddresses(stack), ServiceAddresses(stack))
    let networks = Dictionary(stack.networks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let attachments = stack.services.flatMap(\.attachments)
    let taken = Set(attachments.flatMap(\.everyAddress) + stack.networks.flatMap(\.hostAddresses))
    let takenHardware = Set(attachments.map(\.mac) + stack.networks.map(\.mac))
    return stack.services.filter { $0.namespace == .own }.flatMap { service in
      service.attachments.compactMap { attachment -> Foothold? in
        guard attachment.parent == nil, let network = networks[attachment.network], network.hasBridge else {
          return nil
        }
        return Foothold(
          place: name(service), stack: stack.name, service: service, attachment: attachment, network: network,
          known: addresses.all(of: service), routed: routes.behind(service, towards: network.name), taken: taken,
          takenHardware: takenHardware)
      }
    }
  }

  // MARK: What the file lets it send

  /// True if its packets may have an address as their source.
  func maySend(from address: IPAddress) -> Bool {
    mayClaim(address) || Self.contains(routed, address)
  }

  /// True if it may say that it has an address.
  func mayClaim(_ address: IPAddress) -> Bool {
    known.contains(address) || Self.contains(claimed, address) || bridges && !taken.contains(address)
  }

  /// True if its frames may have a hardware address.
  func maySend(from hardware: MACAddress) -> Bool {
    attachment.mac == hardware || attachment.claims?.hardware.contains(hardware) ?? false
      || bridges && !takenHardware.contains(hardware)
  }

  /// True if it passes frames of others on.
  var bridges: Bool { attachment.claims?.bridges ?? false }

  /// True if its frames may have the tag of a VLAN.
  func maySend(tag: UInt16) -> Bool { attachment.subinterfaces.contains { $0.vlan == tag } }

  private static func contains(_ ranges: [AddressFamily: [AddressRange]], _ address: IPAddress) -> Bool {
    (ranges[AddressFamily(address)] ?? []).contains { $0.meets(AddressRange(address)) }
  }

  // MARK: Where it is

  /// The layer 2 segment of the interface: a bridge, and a VLAN of it. Frames reach the whole segment without a router.
  var segment: Segment { Segment(bridge: network.bridge, vlan: attachment.accessVLAN) }

  struct Segment: Hashable, Sendable {
    var bridge: String
    var vlan: UInt16?
  }

  /// Its own address of a family there.
  func address(_ family: AddressFamily) -> IPAddress? {
    switch family {
    case .v4: .v4(attachment.address)
    case .v6: attachment.ipv6.map { .v6($0.address) }
    }
  }

  /// The host's address of a family there; the host is in no VLAN.
  func gateway(_ family: AddressFamily) -> IPAddress? {
    attachment.accessVLAN == nil ? network.hostAddresses.first(where: family.holds) : nil
  }

  /// Addresses of its service that neighbours there do not reach it by. A service that forwards has none: it routes to them.
  var addressesElsewhere: [IPAddress] {
    guard !service.forwards, !bridges else { return [] }
    return known.filter { address in
      !attachment.everyAddress.contains(address) && !Self.contains(claimed, address)
        && !service.loopback.contains { $0.address == address }
    }
  }

  /// An address of the subnet that no service of its stack has.
  func unused(_ family: AddressFamily) -> IPAddress? {
    switch family {
    case .v4:
      let subnet = network.subnet(of: attachment)
      return (1..<64).lazy.map { IPAddress.v4(IPv4Address(bits: subnet.last.bits &- $0)) }
        .first { subnet.contains($0) && !taken.contains($0) }
    case .v6:
      guard let subnet = network.ipv6?.subnet else { return nil }
      return (1..<64).lazy.map { IPAddress.v6(IPv6Address(high: subnet.network.high, low: 0xFFFF_FFFF_FFFF &- $0)) }
        .first { !taken.contains($0) }
    }
  }
}

extension IPv4Prefix {
  fileprivate func contains(_ address: IPAddress) -> Bool { IPPrefix.v4(self).contains(address) }
}
