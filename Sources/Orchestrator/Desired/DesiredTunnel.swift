public import Netlink

/// A VXLAN (RFC 7348) that carries a network's frames to another host.
public struct DesiredTunnel: Codable, Hashable, Sendable {
  /// The link's name on the host: at most 15 bytes.
  public var link: String
  /// The number that both hosts give it (VNI).
  public var id: UInt32
  public var remote: IPAddress
  /// nil for what the route to the other host says.
  public var local: IPAddress?
  public var port: UInt16

  /// What of an Ethernet frame of 1,500 octets is left: the outer IP, UDP and VXLAN headers and the inner Ethernet one
  /// are 50 octets over IPv4 and 70 over IPv6.
  var largestPacket: UInt32 {
    switch remote {
    case .v4: 1450
    case .v6: 1430
    }
  }
}
