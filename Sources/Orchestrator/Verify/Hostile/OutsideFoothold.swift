import Addresses
import Intent
import Netlink
import Rules

/// An interface of a machine beside the host, on a network of the host's own: where frames from outside are sent from.
package struct OutsideFoothold: Hashable, Sendable {
  /// Its name in the machine's network namespace.
  var interface: String
  var mac: MACAddress
  var addresses: [AddressFamily: IPAddress]
  /// The host's link on the same network.
  var hostLink: String
  var hostMAC: MACAddress
  var hostAddresses: [AddressFamily: IPAddress]

  /// The links and addresses of a network namespace.
  package struct Surroundings {
    var links: [Link]
    var addresses: [InterfaceAddress]

    package init(links: [Link], addresses: [InterfaceAddress]) {
      (self.links, self.addresses) = (links, addresses)
    }
  }

  /// The machine's interfaces with an address in whose subnet the host has one too.
  package static func all(in machine: Surroundings, beside host: Surroundings) -> [OutsideFoothold] {
    let hostLinks = Dictionary(host.links.map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first })
    return machine.links.compactMap { link -> OutsideFoothold? in
      guard let mac = link.mac, link.isUp else { return nil }
      var found: OutsideFoothold?
      for own in machine.addresses where own.link == link.index {
        guard let subnet = IPPrefix(containing: own.address, length: own.prefixLength), !own.address.isLoopback,
          let other = host.addresses.first(where: { subnet.contains($0.address) && $0.address != own.address }),
          let hostLink = hostLinks[other.link], let hostMAC = hostLink.mac, !own.isOfTheLink
        else { continue }
        var foothold =
          found
          ?? OutsideFoothold(
            interface: link.name, mac: mac, addresses: [:], hostLink: hostLink.name, hostMAC: hostMAC,
            hostAddresses: [:])
        guard foothold.hostLink == hostLink.name, foothold.addresses[AddressFamily(own.address)] == nil else {
          continue
        }
        foothold.addresses[AddressFamily(own.address)] = own.address
        foothold.hostAddresses[AddressFamily(own.address)] = other.address
        found = foothold
      }
      return found
    }
  }

  /// A frame to the host, which may send it on.
  func frame(_ packet: ForgedPacket) -> ForgedFrame {
    ForgedFrame(source: mac, destination: hostMAC, packet: packet)
  }
}

extension InterfaceAddress {
  /// True for fe80::/10, which every link has.
  fileprivate var isOfTheLink: Bool {
    guard case .v6(let address) = address else { return false }
    return address.octets[0] == 0xFE && address.octets[1] & 0xC0 == 0x80
  }
}
