import Glibc
import Synchronization
@testable import Addresses

/// Sockets of a test, opened on a thread that has entered a namespace.
final class TestSockets: Sendable {
  private let descriptors = Mutex<[CInt]>([])

  deinit {
    descriptors.withLock { for descriptor in $0 { close(descriptor) } }
  }

  /// Opens a socket, bound to an address and, if it is of a stream, listening.
  ///
  /// - Returns: whether all of that went well.
  @discardableResult
  func bind(_ type: __socket_type, _ address: IPAddress, _ port: UInt16) -> Bool {
    use(type, address, port) { descriptor, pointer, length in
      var yes: CInt = 1
      if case .v6(.loopback) = address {
        setsockopt(descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY, &yes, socklen_t(MemoryLayout<CInt>.size))
      }
      guard Glibc.bind(descriptor, pointer, length) == 0 else { return false }
      return type != SOCK_STREAM || listen(descriptor, 8) == 0
    }
  }

  /// Opens a socket and connects it; a datagram socket also sends.
  @discardableResult
  func connect(_ type: __socket_type, _ address: IPAddress, _ port: UInt16) -> Bool {
    use(type, address, port) { descriptor, pointer, length in
      guard Glibc.connect(descriptor, pointer, length) == 0 else { return false }
      return type != SOCK_DGRAM || send(descriptor, "x", 1, 0) == 1
    }
  }

  private func use(
    _ type: __socket_type, _ address: IPAddress, _ port: UInt16,
    _ body: (CInt, UnsafePointer<sockaddr>, socklen_t) -> Bool
  ) -> Bool {
    let family = if case .v4 = address { AF_INET } else { AF_INET6 }
    let descriptor = socket(family, CInt(type.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return false }
    descriptors.withLock { $0.append(descriptor) }
    // struct sockaddr_in and sockaddr_in6, octet by octet.
    var octets = [UInt8(family), 0, UInt8(port >> 8), UInt8(truncatingIfNeeded: port)]
    if family == AF_INET6 { octets += [0, 0, 0, 0] }
    octets += address.octets
    octets += [UInt8](repeating: 0, count: family == AF_INET ? 8 : 4)
    return octets.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return false }
      return body(descriptor, base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
  }
}
