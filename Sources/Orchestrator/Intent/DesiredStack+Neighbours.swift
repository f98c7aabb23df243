import Addresses

/// The hardware address that an address of a network has.
package struct KnownNeighbour: Hashable, Sendable {
  package var address: IPAddress
  package var mac: MACAddress
}

extension DesiredStack {
  /// The most services on a network that get permanent neighbour entries for each other.
  ///
  /// That makes 16,384 entries of each family, which take 9 MB. On Linux 6.18, 65,536 entries took 36 MB of slabs that
  /// the kernel cannot reclaim.
  package static let mostAcquainted = 128

  /// The permanent neighbour entries of a service on one of its networks, besides that of the host.
  ///
  /// Permanent entries do not count towards the limit that all namespaces of a kernel share (gc_thresh3 in arp(7)), and
  /// need no ARP. Services whose hardware address or address may move get none. Networks that are too large get none.
  package func knownNeighbours(of attachment: DesiredAttachment) -> [KnownNeighbour] {
    guard attachment.parent == nil, let members = acquaintances(on: attachment.network) else { return [] }
    let claimed = members.flatMap { $0.claims?.prefixes ?? [] }
    var known: [KnownNeighbour] = []
    for other in members
    where other.address != attachment.address && other.accessVLAN == attachment.accessVLAN && other.hasFixedPlace {
      for address in other.neighbourAddresses where !claimed.contains(where: { $0.contains(address) }) {
        known.append(KnownNeighbour(address: address, mac: other.mac))
      }
    }
    return known
  }

  /// The number of entries of one family that the kernel learns by ARP or NDP, if all services talk to all.
  package var learnedNeighbours: Int {
    var counts: [String: Int] = [:]
    for service in services {
      for attachment in service.attachments where attachment.parent == nil {
        counts[attachment.network, default: 0] += 1
      }
    }
    return counts.values.filter { $0 > Self.mostAcquainted }.reduce(0) { $0 + $1 * $1 }
  }

  /// The attachments to a network. Nil if there are too many.
  ///
  /// This runs for each service, so it stops at the first attachment beyond the limit.
  private func acquaintances(on network: String) -> [DesiredAttachment]? {
    var members: [DesiredAttachment] = []
    for service in services {
      for attachment in service.attachments where attachment.network == network {
        guard members.count < Self.mostAcquainted else { return nil }
        members.append(attachment)
      }
    }
    return members
  }
}

extension DesiredAttachment {
  /// True if its hardware address follows from its address, and neither moves: then an entry for it never becomes wrong.
  package var hasFixedPlace: Bool {
    mac == MACAddress.derived(from: address) && !(claims?.moves ?? false) && !(claims?.asksForAddress ?? false)
  }
}

extension MACAddress {
  /// A locally administered address made of the IPv4 address: unique on its link, and easy to recognise in a capture.
  package static func derived(from address: IPv4Address) -> MACAddress {
    MACAddress(bits: 0x0273_0000_0000 | UInt64(address.bits))
  }
}
