import CNetfilter
import Glibc
import Kernel
import SystemPackage

/// A netlink socket (netlink(7)). It belongs to one network namespace for its life: the one that it was opened in.
///
/// Requests are answered before the call that sends them returns, so a socket is used by one caller at a time and needs
/// no queue of its own. Each request has a sequence number, and an answer with any other is not taken for it.
public struct NetlinkSocket: ~Copyable, Sendable {
  /// The part of the kernel that answers.
  public enum Family: Sendable {
    /// Links, addresses, routes, neighbours: rtnetlink(7).
    case route
    /// nftables and connection tracking.
    case netfilter
    /// Sockets in use: sock_diag(7).
    case sockDiag

    var protocolNumber: CInt {
      switch self {
      case .route: NETLINK_ROUTE
      case .netfilter: NETLINK_NETFILTER
      case .sockDiag: NETLINK_SOCK_DIAG
      }
    }
  }

  let descriptor: Descriptor
  let family: Family
  /// The address the kernel gave this socket; answers carry it.
  let port: UInt32
  /// The last sequence number used.
  var sequence: UInt32
  /// The buffer for answers; it grows when one did not fit.
  var buffer: [UInt8]
  /// The number of error answers that fit the receive queue at once for certain.
  let answerCapacity: Int

  /// Opens a socket in the caller's network namespace.
  ///
  /// - Throws: `KernelError` from socket(2), bind(2) or setsockopt(2).
  public init(_ family: Family) throws(KernelError) {
    let socket = Glibc.socket(
      AF_NETLINK, CInt(SOCK_RAW.rawValue) | CInt(SOCK_CLOEXEC.rawValue), family.protocolNumber)
    guard socket >= 0 else {
      throw MissingModule.explained(KernelError("open", "a netlink socket", errno: .last), family: family)
    }
    try self.init(family, adopting: Descriptor(adopting: socket))
  }

  /// Opens a socket in another network namespace, given by a descriptor of its `/proc/PID/ns/net` or of a bind mount of it.
  ///
  /// The calling thread enters the namespace and is back when this returns (setns(2) is per thread).
  ///
  /// - Throws: `KernelError` from setns(2) or as from ``init(_:)``.
  public init(_ family: Family, in namespace: borrowing Descriptor) throws(KernelError) {
    let socket = try openSocket(family.protocolNumber, in: namespace)
    try self.init(family, adopting: socket)
  }

  private init(_ family: Family, adopting descriptor: consuming Descriptor) throws(KernelError) {
    let socket = descriptor.rawValue
    var local = sockaddr_nl()
    local.nl_family = sa_family_t(AF_NETLINK)
    var length = socklen_t(MemoryLayout<sockaddr_nl>.size)
    // Port 0 lets the kernel choose one that is free: the process id, which many a program takes for granted, may be in use.
    let bound = withUnsafeMutablePointer(to: &local) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(socket, address, length) == 0 && getsockname(socket, address, &length) == 0
      }
    }
    guard bound else { throw KernelError("bind", "a netlink socket", errno: .last) }

    try setOption(socket, SOL_NETLINK, NETLINK_EXT_ACK, 1, "NETLINK_EXT_ACK")
    try setOption(socket, SOL_NETLINK, NETLINK_CAP_ACK, 1, "NETLINK_CAP_ACK")
    if family == .route {
      // Without it the kernel takes a dump's filter for noise and sends everything.
      try setOption(socket, SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1, "NETLINK_GET_STRICT_CHK")
    }
    var timeout = timeval(tv_sec: answerTimeout, tv_usec: 0)
    guard
      setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size)) == 0
    else { throw KernelError("set SO_RCVTIMEO on", "a netlink socket", errno: .last) }
    // FORCE goes past net.core.rmem_max but wants CAP_NET_ADMIN in the first user namespace; else what may be had must do.
    for (force, plain) in [(SO_RCVBUFFORCE, SO_RCVBUF), (SO_SNDBUFFORCE, SO_SNDBUF)] {
      var size = queueSize
      let length = socklen_t(MemoryLayout<CInt>.size)
      if setsockopt(socket, SOL_SOCKET, force, &size, length) != 0 {
        _ = setsockopt(socket, SOL_SOCKET, plain, &size, length)
      }
    }
    var queue: CInt = 0
    var queueLength = socklen_t(MemoryLayout<CInt>.size)
    guard getsockopt(socket, SOL_SOCKET, SO_RCVBUF, &queue, &queueLength) == 0 else {
      throw KernelError("read SO_RCVBUF of", "a netlink socket", errno: .last)
    }

    self.descriptor = descriptor
    self.family = family
    port = local.nl_pid
    sequence = UInt32.random(in: 1...UInt32.max / 2)
    buffer = [UInt8](repeating: 0, count: 1 << 16)
    answerCapacity = max(16, Int(queue) / answerFootprint)
  }
}

/// Seconds after which an answer that has not come counts as lost. The kernel answers inside the call that asks.
private let answerTimeout = 10
/// Octets asked for each of a socket's queues; the kernel doubles it for its own bookkeeping.
private let queueSize: CInt = 4 << 20
/// The octets that one error answer takes of the receive queue: the sk_buff itself and its data, rounded up
/// (skb->truesize).
private let answerFootprint = 1280

private func setOption(
  _ socket: CInt, _ level: CInt, _ option: CInt, _ value: CInt, _ name: String
) throws(KernelError) {
  var value = value
  guard setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
    throw KernelError("set \(name) on", "a netlink socket", errno: .last)
  }
}

extension Errno {
  /// ENODEV, by what it means for links.
  static var noSuchDevice: Errno { .operationNotSupportedByDevice }
}
