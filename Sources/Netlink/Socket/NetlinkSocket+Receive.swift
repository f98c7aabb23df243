import CNetfilter
import Glibc
import Kernel
import SystemPackage

/// The result of one call to recvfrom(2).
enum Receipt {
  /// So many octets at the start of the socket's buffer, from the kernel.
  case octets(Int)
  /// A datagram larger than the buffer, which has been lost, and the buffer made large enough for the next like it.
  case truncated
  /// The kernel had more to say than the queue holds, and dropped some of it (ENOBUFS). What it kept can still be read.
  case overrun
  /// Nothing waits.
  case nothing
}

extension NetlinkSocket {
  /// Receives one datagram. Those that other processes sent are thrown away.
  ///
  /// - Throws: ETIMEDOUT when waiting was asked for and nothing came; what recvfrom(2) says otherwise.
  mutating func receive(waiting: Bool) throws(KernelError) -> Receipt {
    for _ in 0..<strayLimit {
      var source = sockaddr_nl()
      var sourceLength = socklen_t(MemoryLayout<sockaddr_nl>.size)
      let flags = truncationFlag | (waiting ? 0 : nonblockingFlag)
      let socket = descriptor.rawValue
      let length = buffer.withUnsafeMutableBytes { buffer in
        withUnsafeMutablePointer(to: &source) { pointer in
          pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            recvfrom(socket, buffer.baseAddress, buffer.count, flags, address, &sourceLength)
          }
        }
      }
      if length < 0 {
        switch Errno.last {
        case .interrupted: continue
        case .noBufferSpace: return .overrun
        case .wouldBlock, .resourceTemporarilyUnavailable:
          guard waiting else { return .nothing }
          throw KernelError("read", "the kernel's answer on a netlink socket", errno: .timedOut)
        case let errno: throw KernelError("read", "a netlink socket", errno: errno)
        }
      }
      guard source.nl_pid == 0 else { continue }
      guard length <= buffer.count else {
        buffer = [UInt8](repeating: 0, count: (length + 0xFFFF) & ~0xFFFF)
        return .truncated
      }
      return .octets(length)
    }
    throw KernelError("read", "a netlink socket that others flood", errno: .noBufferSpace)
  }

  /// Sends one buffer of whole messages in one call.
  func send(_ bytes: [UInt8]) throws(KernelError) {
    var kernel = sockaddr_nl()
    kernel.nl_family = sa_family_t(AF_NETLINK)
    let socket = descriptor.rawValue
    while true {
      let sent = withUnsafePointer(to: &kernel) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          bytes.withUnsafeBytes {
            sendto(socket, $0.baseAddress, $0.count, 0, address, socklen_t(MemoryLayout<sockaddr_nl>.size))
          }
        }
      }
      if sent >= 0 { return }
      guard Errno.last == .interrupted else { throw KernelError("send to", "the kernel over netlink", errno: .last) }
    }
  }

  /// Takes so many sequence numbers and returns the first. Zero is never used: the kernel's notifications carry it.
  mutating func takeSequence(_ count: Int) -> UInt32 {
    if sequence > UInt32.max - UInt32(truncatingIfNeeded: count) - 1 { sequence = 0 }
    let first = sequence + 1
    sequence += UInt32(truncatingIfNeeded: count)
    return first
  }
}

/// The number of datagrams from strangers that are dropped before the socket is given up.
private let strayLimit = 1024

private let truncationFlag = CInt(MSG_TRUNC)
private let nonblockingFlag = CInt(MSG_DONTWAIT)
