import Glibc
import Kernel
import SystemPackage

/// A socket of the link layer (packet(7)): sends frames as they are, and sees those that come in by any link of its namespace.
///
/// It belongs to the namespace that it was opened in. Frames are seen before the namespace's own firewall.
final class PacketSocket {
  private let descriptor: Descriptor

  /// - Parameters:
  ///   - sees: whether it sees what comes in. One that only sends costs nobody anything.
  ///   - link: the one link to look at, by index; nil for all.
  init(sees: Bool, link: UInt32? = nil) throws(KernelError) {
    let flags = CInt(SOCK_RAW.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
    // Without a protocol until it is bound, so that nothing comes in before.
    let number = socket(AF_PACKET, flags, 0)
    guard number >= 0 else { throw KernelError("open", "a packet socket", errno: .last) }
    descriptor = Descriptor(adopting: number)
    guard sees else { return }
    var (size, yes) = (Self.queueSize, CInt(1))
    let length = socklen_t(MemoryLayout<CInt>.size)
    setsockopt(number, SOL_SOCKET, SO_RCVBUFFORCE, &size, length)
    setsockopt(number, Self.level, Self.ignoreOutgoing, &yes, length)
    let address = Self.address(link: link ?? 0, protocolNumber: Self.everyProtocol)
    let bound = Self.pass(address) { Glibc.bind(number, $0, $1) }
    guard bound == 0 else { throw KernelError("bind", "a packet socket", errno: .last) }
  }

  var fileDescriptor: FileDescriptor { descriptor.fileDescriptor }

  /// Sends a whole frame by a link, given by index. nil when it worked.
  func send(_ frame: [UInt8], by link: UInt32) -> Errno? {
    let address = Self.address(link: link, protocolNumber: 0)
    let sent = Self.pass(address) { sendto(descriptor.rawValue, frame, frame.count, CInt(MSG_NOSIGNAL), $0, $1) }
    return sent < 0 ? Errno.last : nil
  }

  /// The length of the next frame that came in from elsewhere; nil when there is none now. A longer one than `buffer` is cut.
  func receive(into buffer: inout [UInt8]) -> Int? {
    while true {
      var from = [UInt8](repeating: 0, count: Self.addressSize)
      var length = socklen_t(from.count)
      let count = from.withUnsafeMutableBytes { bytes in
        bytes.withMemoryRebound(to: sockaddr.self) { pointer in
          recvfrom(descriptor.rawValue, &buffer, buffer.count, CInt(MSG_DONTWAIT), pointer.baseAddress, &length)
        }
      }
      if count < 0 { return nil }
      // Packet sockets also see frames that the namespace sends (PACKET_OUTGOING). These have not arrived.
      if from[Self.packetTypeOffset] != Self.outgoing { return count }
    }
  }

  // MARK: struct sockaddr_ll (linux/if_packet.h), which Glibc does not import

  private static let addressSize = 20
  private static let packetTypeOffset = 10
  private static let outgoing: UInt8 = 4
  /// ETH_P_ALL.
  private static let everyProtocol: UInt16 = 3
  /// SOL_PACKET and PACKET_IGNORE_OUTGOING.
  private static let level: CInt = 263
  private static let ignoreOutgoing: CInt = 23
  /// In octets: some thousand small frames.
  private static let queueSize: CInt = 4 << 20

  private static func address(link: UInt32, protocolNumber: UInt16) -> [UInt8] {
    var octets = [UInt8](repeating: 0, count: addressSize)
    octets.withUnsafeMutableBytes { bytes in
      bytes.storeBytes(of: UInt16(AF_PACKET), as: UInt16.self)
      bytes.storeBytes(of: protocolNumber.bigEndian, toByteOffset: 2, as: UInt16.self)
      bytes.storeBytes(of: link, toByteOffset: 4, as: UInt32.self)
    }
    return octets
  }

  private static func pass<Result>(
    _ address: [UInt8], _ body: (UnsafePointer<sockaddr>?, socklen_t) -> Result
  ) -> Result {
    address.withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) { body($0.baseAddress, socklen_t(addressSize)) }
    }
  }
}
