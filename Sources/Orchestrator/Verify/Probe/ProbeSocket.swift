import Addresses
import Glibc
import Kernel
import SystemPackage

/// An address with a port, as sockets name their ends.
struct Endpoint: Hashable {
  var address: IPAddress
  var port: UInt16
}

/// A socket of a probe: never blocks, and is closed with its last reference.
final class ProbeSocket {
  private let descriptor: Descriptor

  /// Opened in the namespace that the calling thread is in.
  ///
  /// - Parameter kind: SOCK_STREAM, SOCK_DGRAM or SOCK_RAW.
  init(_ kind: __socket_type, for address: IPAddress, protocolNumber: Int = 0) throws(KernelError) {
    let flags = CInt(kind.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    let number = socket(address.socketFamily, flags, CInt(protocolNumber))
    guard number >= 0 else { throw KernelError("open", "a socket", errno: .last) }
    descriptor = Descriptor(adopting: number)
  }

  var fileDescriptor: FileDescriptor { descriptor.fileDescriptor }

  /// Options that are only of use where the kernel has them are set without asking whether it took them.
  func set(_ level: Int, _ option: CInt, _ value: CInt = 1) {
    var value = value
    setsockopt(descriptor.rawValue, CInt(level), option, &value, socklen_t(MemoryLayout<CInt>.size))
  }

  /// Takes in as much as all answers to one window of questions, beyond what the host lets programs choose (SO_RCVBUFFORCE in
  /// socket(7)); the kernel drops what a raw socket has no room for without a word.
  func makeRoom(octets: CInt) {
    set(Int(SOL_SOCKET), SO_RCVBUFFORCE, octets)
  }

  /// Lets a raw ICMP socket see messages of these types alone (ICMP_FILTER in raw(7), ICMP6_FILTER in RFC 3542).
  func admit(_ types: Set<UInt8>, of address: IPAddress) {
    // A bit that is set blocks its type.
    var blocked = [UInt32](repeating: .max, count: address.isV4 ? 1 : 8)
    for type in types where Int(type >> 5) < blocked.count { blocked[Int(type >> 5)] &= ~(1 << UInt32(type & 31)) }
    let (level, option) = address.isV4 ? (SOL_RAW, Self.icmpFilter) : (CInt(IPPROTO_ICMPV6), Self.icmp6Filter)
    setsockopt(descriptor.rawValue, level, option, &blocked, socklen_t(MemoryLayout<UInt32>.size * blocked.count))
  }

  /// linux/icmp.h and linux/icmpv6.h.
  private static let icmpFilter: CInt = 1
  private static let icmp6Filter: CInt = 1

  /// Lets a raw TCP socket see the first packets of connections alone: a busy service would fill it with the rest.
  func admitFirstPackets(of address: IPAddress) {
    // For IPv4 the packet begins with its IP header, for IPv6 with the TCP header (raw(7), RFC 3542). Classic BPF, as in
    // linux/filter.h: load the flags of TCP, and let pass what has SYN and not ACK.
    let flags: [BPFInstruction] =
      address.isV4
      ? [BPFInstruction(code: 0xb1, operand: 0), BPFInstruction(code: 0x50, operand: 13)]
      : [BPFInstruction(code: 0x30, operand: 13)]
    let program =
      flags + [
        BPFInstruction(code: 0x54, operand: 0x12), BPFInstruction(code: 0x15, ifFalse: 1, operand: 0x02),
        BPFInstruction(code: 0x06, operand: .max), BPFInstruction(code: 0x06, operand: 0),
      ]
    attach(program)
  }

  /// Keeps replies to others' echo requests from a raw ICMP socket. Messages of other types are let in.
  func admitEchoReplies(type: UInt8, identifier: UInt16, of address: IPAddress) {
    // As above: load the type; of a reply, load the identifier too (RFC 792, RFC 4443).
    let (typeOfMessage, identifierOfEcho): ([BPFInstruction], BPFInstruction) =
      address.isV4
      ? (
        [BPFInstruction(code: 0xb1, operand: 0), BPFInstruction(code: 0x50, operand: 0)],
        BPFInstruction(code: 0x48, operand: 4)
      ) : ([BPFInstruction(code: 0x30, operand: 0)], BPFInstruction(code: 0x28, operand: 4))
    attach(
      typeOfMessage + [
        BPFInstruction(code: 0x15, ifFalse: 2, operand: UInt32(type)), identifierOfEcho,
        BPFInstruction(code: 0x15, ifFalse: 1, operand: UInt32(identifier)),
        BPFInstruction(code: 0x06, operand: .max), BPFInstruction(code: 0x06, operand: 0),
      ])
  }

  private func attach(_ program: [BPFInstruction]) {
    program.withUnsafeBufferPointer { instructions in
      guard let first = instructions.baseAddress else { return }
      var filter = BPFProgram(count: UInt16(instructions.count), instructions: first)
      setsockopt(
        descriptor.rawValue, SOL_SOCKET, SO_ATTACH_FILTER, &filter, socklen_t(MemoryLayout<BPFProgram>.size))
    }
  }

  /// Makes closing it reset the connection: nothing of it stays, not even for TIME_WAIT (socket(7)).
  func resetOnClose() {
    var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
    setsockopt(descriptor.rawValue, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
  }

  /// nil when it worked.
  func bind(to end: Endpoint) -> Errno? {
    failure(end.withSocketAddress { Glibc.bind(descriptor.rawValue, $0, $1) })
  }

  func listen() -> Errno? {
    failure(Glibc.listen(descriptor.rawValue, 4096))
  }

  /// nil when it worked; `nowInProgress` when that is not known yet.
  func connect(to end: Endpoint) -> Errno? {
    failure(end.withSocketAddress { Glibc.connect(descriptor.rawValue, $0, $1) })
  }

  func send(_ bytes: [UInt8], to end: Endpoint? = nil) -> Errno? {
    let flags = CInt(MSG_NOSIGNAL)
    guard let end else { return failure(Glibc.send(descriptor.rawValue, bytes, bytes.count, flags)) }
    return failure(end.withSocketAddress { sendto(descriptor.rawValue, bytes, bytes.count, flags, $0, $1) })
  }

  /// The result of a pending error or a finished connect(2); nil for no error.
  func pendingError() -> Errno? {
    var error: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    guard getsockopt(descriptor.rawValue, SOL_SOCKET, SO_ERROR, &error, &length) == 0 else {
      return Errno.last
    }
    return error == 0 ? nil : Errno(rawValue: error)
  }

  /// Its own end.
  var localEnd: Endpoint? {
    Endpoint.read { getsockname(descriptor.rawValue, $0, $1) == 0 }
  }

  /// The next connection's other end; the connection itself is closed at once. nil when there is none now.
  func acceptAndClose() -> Endpoint? {
    Endpoint.read { address, length in
      let number = accept(descriptor.rawValue, address, length)
      return number >= 0 && close(number) == 0
    }
  }

  enum Received {
    case datagram(Int, from: Endpoint?)
    case failed(Errno)
  }

  /// The next datagram; EAGAIN when there is none now. A longer one than `buffer` is cut.
  func receive(into buffer: inout [UInt8]) -> Received {
    var count = 0
    let capacity = buffer.count
    let end = Endpoint.read { address, length in
      count = recvfrom(descriptor.rawValue, &buffer, capacity, 0, address, length)
      return count >= 0
    }
    return count < 0 ? .failed(Errno.last) : .datagram(count, from: end)
  }

  private func failure(_ result: some BinaryInteger) -> Errno? {
    result < 0 ? Errno.last : nil
  }
}

/// `struct sock_filter` (linux/filter.h).
private struct BPFInstruction {
  var code: UInt16
  var ifTrue: UInt8 = 0
  var ifFalse: UInt8 = 0
  var operand: UInt32
}

/// `struct sock_fprog`.
private struct BPFProgram {
  var count: UInt16
  var instructions: UnsafePointer<BPFInstruction>
}

extension IPAddress {
  var socketFamily: CInt {
    switch self {
    case .v4: AF_INET
    case .v6: AF_INET6
    }
  }
}

extension Endpoint {
  fileprivate func withSocketAddress<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
    switch address {
    case .v4(let address):
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = port.bigEndian
      name.sin_addr.s_addr = address.bits.bigEndian
      return Self.pass(&name, body)
    case .v6(let address):
      var name = sockaddr_in6()
      name.sin6_family = sa_family_t(AF_INET6)
      name.sin6_port = port.bigEndian
      withUnsafeMutableBytes(of: &name.sin6_addr) { $0.copyBytes(from: address.octets) }
      return Self.pass(&name, body)
    }
  }

  private static func pass<Name, Result>(
    _ name: inout Name, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    withUnsafePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<Name>.size)) }
    }
  }

  /// Lets a call fill in an address of either family.
  fileprivate static func read(
    _ body: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Bool
  ) -> Endpoint? {
    var storage = sockaddr_storage()
    var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let isFilled = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
    }
    guard isFilled else { return nil }
    return withUnsafeBytes(of: storage) { bytes in
      switch CInt(storage.ss_family) {
      case AF_INET:
        let name = bytes.loadUnaligned(as: sockaddr_in.self)
        return Endpoint(
          address: .v4(IPv4Address(bits: UInt32(bigEndian: name.sin_addr.s_addr))),
          port: UInt16(bigEndian: name.sin_port))
      case AF_INET6:
        let name = bytes.loadUnaligned(as: sockaddr_in6.self)
        let octets = withUnsafeBytes(of: name.sin6_addr) { [UInt8]($0) }
        guard let address = IPAddress(octets: octets) else { return nil }
        return Endpoint(address: address, port: UInt16(bigEndian: name.sin6_port))
      default: return nil
      }
    }
  }
}

extension IPAddress {
  /// From four or sixteen octets, most significant first.
  init?(octets: some Collection<UInt8>) {
    switch octets.count {
    case 4: self = .v4(IPv4Address(bits: octets.reduce(0) { $0 << 8 | UInt32($1) }))
    case 16:
      let halves = [octets.prefix(8), octets.dropFirst(8)].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
      self = .v6(IPv6Address(high: halves[0], low: halves[1]))
    default: return nil
    }
  }
}
