import Addresses
import Glibc
import Kernel
import Loop
import SystemPackage

/// One raw ICMP socket for each place and family that echo requests are sent from (RFC 792, RFC 4443).
///
/// Ping sockets (SOCK_DGRAM) would do with less, but a new network namespace lets nobody open them (ping_group_range in icmp(7)).
final class EchoSockets {
  private struct Key: Hashable {
    var place: String
    var family: CInt
  }

  private let loop: EventLoop
  private let token: ProbeToken
  private let identifier = UInt16.random(in: 1...UInt16.max)
  private var sockets: [Key: ProbeSocket] = [:]
  private var buffer = [UInt8](repeating: 0, count: 2048)
  /// Told of each answer to a request: a refusal, or none.
  var onAnswer: (Int, ReachAnswer.Refusal?) -> Void = { _, _ in }

  init(loop: EventLoop, token: ProbeToken) {
    self.loop = loop
    self.token = token
  }

  /// The calling thread is in the place's namespace. nil when the request is on its way.
  func send(_ index: Int, to destination: IPAddress, from place: String) throws(KernelError) -> Errno? {
    let types = Types(destination)
    var request: [UInt8] = [types.request, 0, 0, 0]
    for value in [identifier, UInt16(truncatingIfNeeded: index)] {
      request += [UInt8(value >> 8), UInt8(value & 0xff)]
    }
    request += token.bytes(index)
    // For ICMPv6 the kernel reckons it.
    if case .v4 = destination { request.setInternetChecksum(at: 2) }
    let socket = try socket(in: place, for: destination)
    // A raw IPv6 socket takes the port for a protocol number: 0 is none.
    return socket.send(request, to: Endpoint(address: destination, port: 0))
  }

  private func socket(in place: String, for destination: IPAddress) throws(KernelError) -> ProbeSocket {
    let key = Key(place: place, family: destination.socketFamily)
    if let socket = sockets[key] { return socket }
    let types = Types(destination)
    let socket = try ProbeSocket(SOCK_RAW, for: destination, protocolNumber: types.protocolNumber)
    socket.makeRoom(octets: 4 << 20)
    // Else it would see the requests of others too, and have no room for the answers.
    socket.admit(types.refusals.union([types.reply]), of: destination)
    // Several runs send from one place, and each socket there would get the answers to all.
    socket.admitEchoReplies(type: types.reply, identifier: identifier, of: destination)
    sockets[key] = socket
    _ = try loop.register(socket.fileDescriptor, interest: .read) { [unowned self, unowned socket] _ in
      while case .datagram(let count, _) = socket.receive(into: &buffer) {
        read(buffer[..<count].withoutIPHeader(of: destination), types)
      }
    }
    return socket
  }

  private func read(_ message: ArraySlice<UInt8>, _ types: Types) {
    guard let type = message.first else { return }
    if type == types.reply {
      if let index = token.index(in: message.dropFirst(8)) { onAnswer(index, nil) }
    } else if types.refusals.contains(type) {
      // After its own header it quotes the packet that it refuses: IP header, ICMP header, our token.
      let quoted = message.dropFirst(8)
      guard let first = quoted.first else { return }
      let header = first >> 4 == 4 ? Int(first & 0xf) * 4 : 40
      if let index = token.index(in: quoted.dropFirst(header + 8)) { onAnswer(index, .path) }
    }
  }

  /// The numbers of a family's messages.
  private struct Types {
    let protocolNumber: Int
    let request: UInt8
    let reply: UInt8
    /// Destination unreachable, time exceeded.
    let refusals: Set<UInt8>

    init(_ address: IPAddress) {
      switch address {
      case .v4: (protocolNumber, request, reply, refusals) = (Int(IPPROTO_ICMP), 8, 0, [3, 11])
      case .v6: (protocolNumber, request, reply, refusals) = (Int(IPPROTO_ICMPV6), 128, 129, [1, 3])
      }
    }
  }
}

extension [UInt8] {
  /// The ones' complement sum of RFC 1071, over a field that is zero.
  mutating func setInternetChecksum(at offset: Int) {
    var sum: UInt32 = 0
    for index in stride(from: 0, to: count, by: 2) {
      sum += UInt32(self[index]) << 8 | (index + 1 < count ? UInt32(self[index + 1]) : 0)
    }
    while sum >> 16 != 0 { sum = sum & 0xffff + sum >> 16 }
    let checksum = ~UInt16(truncatingIfNeeded: sum)
    self[offset] = UInt8(checksum >> 8)
    self[offset + 1] = UInt8(checksum & 0xff)
  }
}
