import Addresses

/// A VXLAN (RFC 7348) that carries a network's frames to another host.
package struct DesiredTunnel: Codable, Hashable, Sendable {
  /// The link's name on the host: at most 15 bytes.
  package var link: String
  /// The number that both hosts give it (VNI).
  package var id: UInt32
  package var remote: IPAddress
  /// nil for what the route to the other host says.
  package var local: IPAddress?
  package var port: UInt16

  package init(link: String, id: UInt32, remote: IPAddress, local: IPAddress? = nil, port: UInt16) {
    self.link = link
    self.id = id
    self.remote = remote
    self.local = local
    self.port = port
  }

  /// The rest of an Ethernet frame of 1,500 octets. The outer IP, UDP and VXLAN headers and the inner Ethernet header
  /// take 50 octets over IPv4 and 70 over IPv6.
  package var largestPacket: UInt32 {
    switch remote {
    case .v4: 1450
    case .v6: 1430
    }
  }
}
