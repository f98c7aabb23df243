import Addresses
import CLinux
import DNS
import Glibc
import Kernel
import Loop
import SystemPackage

/// Sockets for DNS: non-blocking, closed at exec.
enum DNSSocket {
  private static let port = DNSPort.standard

  /// IP_FREEBIND of linux/in.h and IPV6_FREEBIND of linux/in6.h.
  private static let freeBind: CInt = 15
  private static let freeBind6: CInt = 78

  /// Sockets for UDP at one address; their number is a power of two. Packets from one source address always arrive at
  /// the same socket. So a service that floods one fills the queue only of those that share it.
  static func serve(at address: IPAddress, shares: Int) throws(KernelError) -> [SharedDescriptor] {
    var sockets: [SharedDescriptor] = []
    for _ in 0..<shares { sockets.append(SharedDescriptor(try serve(at: address, overTCP: false))) }
    let source: UInt32 =
      switch address {
      // The source address in an IPv4 header, and the last part of that in an IPv6 header (RFC 791, RFC 8200).
      case .v4: 12
      case .v6: 20
      }
    guard let first = sockets.first, stack_share_by_source(first.descriptor.rawValue, UInt32(shares), source) == 0
    else {
      throw KernelError("share out", subject(address, overTCP: false), errno: .last)
    }
    return sockets
  }

  private static func subject(_ address: IPAddress, overTCP: Bool) -> String {
    "\(overTCP ? "TCP" : "UDP") port \(port) of \(address)"
  }

  /// A socket that serves on an address which the host need not have yet.
  static func serve(at address: IPAddress, overTCP: Bool) throws(KernelError) -> Descriptor {
    func refusal() -> KernelError {
      KernelError("answer names at", subject(address, overTCP: overTCP), errno: .last)
    }
    guard let made = make(address, overTCP) else { throw refusal() }
    // Kept long: the low numbers are for what is in use for a moment.
    let socket = made.raised()
    switch address {
    case .v4: set(socket, CInt(IPPROTO_IP), freeBind, 1)
    case .v6:
      set(socket, CInt(IPPROTO_IPV6), CInt(IPV6_V6ONLY), 1)
      set(socket, CInt(IPPROTO_IPV6), freeBind6, 1)
    }
    if overTCP {
      // Connections of a supervisor that was killed may still be closing.
      set(socket, SOL_SOCKET, SO_REUSEADDR, 1)
    } else {
      // A stack that comes up asks all at once.
      set(socket, SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20)
      set(socket, SOL_SOCKET, SO_REUSEPORT, 1)
    }
    let bound = SocketAddress(address, port).withPointer { bind(socket.rawValue, $0, $1) }
    guard bound == 0 else { throw refusal() }
    if overTCP, listen(socket.rawValue, 64) != 0 { throw refusal() }
    return socket
  }

  /// A socket from a port of the kernel's choice to a server; for TCP, on its way there.
  static func connect(to address: IPAddress, overTCP: Bool) -> Descriptor? {
    guard let socket = make(address, overTCP) else { return nil }
    let connected = SocketAddress(address, port).withPointer { Glibc.connect(socket.rawValue, $0, $1) }
    guard connected == 0 || errno == EINPROGRESS else { return nil }
    return socket
  }

  private static func make(_ address: IPAddress, _ overTCP: Bool) -> Descriptor? {
    let family: CInt =
      switch address {
      case .v4: AF_INET
      case .v6: AF_INET6
      }
    let kind = (overTCP ? SOCK_STREAM : SOCK_DGRAM).rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
    let number = socket(family, CInt(kind), 0)
    return number < 0 ? nil : Descriptor(adopting: number)
  }

  private static func set(_ socket: borrowing Descriptor, _ level: CInt, _ option: CInt, _ value: CInt) {
    var value = value
    setsockopt(socket.rawValue, level, option, &value, socklen_t(MemoryLayout<CInt>.size))
  }
}

/// A sockaddr_in or sockaddr_in6.
struct SocketAddress {
  private var storage = sockaddr_in6()
  private var size: socklen_t

  init(_ address: IPAddress, _ port: UInt16) {
    switch address {
    case .v4(let address):
      size = socklen_t(MemoryLayout<sockaddr_in>.size)
      let place = sockaddr_in(
        sin_family: sa_family_t(AF_INET), sin_port: port.bigEndian, sin_addr: in_addr(s_addr: address.bits.bigEndian),
        sin_zero: (0, 0, 0, 0, 0, 0, 0, 0))
      withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: place, as: sockaddr_in.self) }
    case .v6(let address):
      size = socklen_t(MemoryLayout<sockaddr_in6>.size)
      storage.sin6_family = sa_family_t(AF_INET6)
      storage.sin6_port = port.bigEndian
      withUnsafeMutableBytes(of: &storage.sin6_addr) { $0.copyBytes(from: address.octets) }
    }
  }

  func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    var storage = storage
    return withUnsafePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
    }
  }

  /// Address and port of what the kernel has filled in; nil for another family.
  static func read(_ octets: UnsafeRawBufferPointer) -> (address: IPAddress, port: UInt16)? {
    guard octets.count >= 28 else { return nil }
    let family = octets.load(as: sa_family_t.self)
    let port = UInt16(bigEndian: octets.load(fromByteOffset: 2, as: UInt16.self))
    switch CInt(family) {
    case AF_INET:
      return (.v4(IPv4Address(bits: UInt32(bigEndian: octets.load(fromByteOffset: 4, as: UInt32.self)))), port)
    case AF_INET6:
      let high = UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      let low = UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 16, as: UInt64.self))
      return (.v6(IPv6Address(high: high, low: low)), port)
    default: return nil
    }
  }
}
