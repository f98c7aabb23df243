import Addresses
import CNetfilter
import Kernel

/// A socket that waits for others: TCP and listening, or UDP, bound and not connected (sock_diag(7)).
public struct BoundSocket: Hashable, Sendable {
  public enum Transport: UInt8, Hashable, Sendable, CaseIterable {
    case tcp = 6
    case udp = 17

    /// The states asked for, one bit each by its number (TCP_LISTEN is 10; an unconnected UDP socket is in TCP_CLOSE, 7).
    fileprivate var states: UInt32 {
      switch self {
      case .tcp: 1 << 10
      case .udp: 1 << 7
      }
    }
  }

  public var transport: Transport
  /// `0.0.0.0` and `::` stand for all addresses.
  public var address: IPAddress
  public var port: UInt16
  /// True if an IPv6 socket leaves IPv4 alone (IPV6_V6ONLY).
  public var isIPv6Only: Bool
  /// Its number as `/proc/PID/fd` shows it (`socket:[12345]`).
  public var inode: UInt32
  /// The user that made it, as the caller's user namespace numbers it.
  public var user: UInt32
  /// The link it is bound to, by index; nil if to none.
  public var link: UInt32?
}

extension NetlinkSocket {
  /// The sockets that wait in the socket's namespace, of both address families. The socket must be of family `sockDiag`.
  ///
  /// Two short calls for each transport, and no state kept: fit to be polled.
  public mutating func boundSockets(
    _ transports: [BoundSocket.Transport] = BoundSocket.Transport.allCases
  ) throws(KernelError) -> [BoundSocket] {
    var found: [BoundSocket] = []
    for transport in transports {
      for family in [IPAddress.v4(.any).family, IPAddress.v6(.any).family] {
        found += try dump("sockets") { writer in
          writer.begin(type: UInt16(SOCK_DIAG_BY_FAMILY), flags: 0)
          writer.putSocketRequest(transport, family: family)
        } parse: { header, payload in
          // A UDP socket that is not bound has port 0.
          BoundSocket(transport, header, payload).flatMap { $0.port == 0 ? nil : $0 }
        }
      }
    }
    return found
  }
}

extension MessageWriter {
  /// `struct inet_diag_req_v2`, with an empty socket identity: a dump looks at none of it.
  mutating func putSocketRequest(_ transport: BoundSocket.Transport, family: UInt8) {
    put(family)
    put(transport.rawValue)
    put(UInt16(0))
    put(transport.states)
    for _ in 0..<12 { put(UInt32(0)) }
  }
}

extension BoundSocket {
  /// Reads `struct inet_diag_msg`; nil if it is another message or cut.
  init?(_ transport: Transport, _ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(SOCK_DIAG_BY_FAMILY), payload.byteCount >= 72,
      let family = payload.integer(UInt8.self), let port = payload.integer(UInt16.self, at: 4),
      let link = payload.integer(UInt32.self, at: 40), let user = payload.integer(UInt32.self, at: 64),
      let inode = payload.integer(UInt32.self, at: 68)
    else { return nil }
    let length = family == IPAddress.v4(.any).family ? 4 : 16
    guard let address = payload.extracting(8..<8 + length).ipAddress else { return nil }
    var isIPv6Only = false
    payload.forEachAttribute(from: 72) { type, value in
      if type == Int(INET_DIAG_SKV6ONLY) { isIPv6Only = value.integer(UInt8.self) == 1 }
    }
    self.init(
      transport: transport, address: address, port: UInt16(bigEndian: port), isIPv6Only: isIPv6Only, inode: inode,
      user: user, link: link == 0 ? nil : link)
  }
}
