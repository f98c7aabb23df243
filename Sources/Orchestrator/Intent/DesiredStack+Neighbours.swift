import Addresses

/// The hardware address that an address of a network has.
package struct KnownNeighbour: Hashable, Sendable {
  package var address: IPAddress
  package var mac: MACAddress
}

extension DesiredStack {
  /// How many services of a network know each other at most. That is 16,384 entries of each family, which take 9 MB: on
  /// Linux 6.18, 65,536 entries took 36 MB of slabs that the kernel cannot reclaim.
  package static let mostAcquainted = 128

  /// Whom a service knows on one of its networks without asking, beside the host. Such entries are permanent. They do not count
  /// towards the limit that all namespaces of a kernel share (gc_thresh3 in arp(7)), and cost no ARP.
  ///
  /// Services whose hardware address or address may move are left out, and networks that are too large.
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

  /// How many entries of one family the kernel needs for services that know each other by asking, if all talk to all.
  package var learnedNeighbours: Int {
    var counts: [String: Int] = [:]
    for service in services {
      for attachment in service.attachments where attachment.parent == nil {
        counts[attachment.network, default: 0] += 1
      }
    }
    return counts.values.filter { $0 > Self.mostAcquainted }.reduce(0) { $0 + $1 * $1 }
  }

  /// Those on a network; nil where they are too many. It is asked for each service, so it stops as soon as that is known.
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
