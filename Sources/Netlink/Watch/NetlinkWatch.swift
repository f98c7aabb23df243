import CNetfilter
import Glibc
import Kernel
import Netfilter
import SystemPackage

/// A watch for changes, whoever made them: a netlink socket that is in a multicast group (netlink(7)).
public struct NetlinkWatch: ~Copyable, Sendable {
  private var socket: NetlinkSocket

  /// Hears of every change to nftables (NFNLGRP_NFTABLES).
  public static func nftables() throws(KernelError) -> NetlinkWatch {
    try NetlinkWatch(.netfilter, groups: [NFNLGRP_NFTABLES.rawValue])
  }

  /// Hears of what takes links out of use, and of nothing else: the kernel asks before it wakes anybody.
  ///
  /// - One of them is not set up after a change (RTNLGRP_LINK), or loses an address (RTNLGRP_IPV4_IFADDR and its like).
  /// - A route that the kernel had made of any link's address is deleted (RTNLGRP_IPV4_ROUTE and its like).
  /// - A setting that stands for all links is changed, such as forwarding (RTNLGRP_IPV4_NETCONF and its like).
  ///
  /// - Parameter links: by index; at most 200, and those beyond are not heard of.
  public static func losses(of links: [UInt32]) throws(KernelError) -> NetlinkWatch {
    let groups = [
      RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,
      RTNLGRP_IPV4_NETCONF, RTNLGRP_IPV6_NETCONF,
    ]
    var watch = try NetlinkWatch(.route, groups: groups.map(\.rawValue))
    try watch.filter(links.prefix(200).map { $0 })
    return watch
  }

  private init(_ family: NetlinkSocket.Family, groups: [UInt32]) throws(KernelError) {
    let opened = try NetlinkSocket(family)
    for group in groups { try Self.join(group, opened.descriptor.rawValue) }
    socket = opened
  }

  private static func join(_ group: UInt32, _ descriptor: CInt) throws(KernelError) {
    var group = CInt(group)
    let length = socklen_t(MemoryLayout<CInt>.size)
    guard setsockopt(descriptor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, length) == 0 else {
      throw KernelError("listen to", "changes over netlink", errno: .last)
    }
  }

  /// To be waited on until it is readable.
  public var fileDescriptor: FileDescriptor { socket.descriptor.fileDescriptor }

  /// Reads all that waits, and calls the closure with each change to an nftables table.
  ///
  /// - Returns: false when some of it was lost, so that anything may have changed.
  public mutating func drain(_ body: (NftChange) -> Void) throws(KernelError) -> Bool {
    var isWhole = true
    while true {
      switch try socket.receive(waiting: false) {
      case .nothing: return isWhole
      case .truncated, .overrun: isWhole = false
      case .octets(let count):
        socket.buffer.span.bytes.extracting(0..<count).forEachMessage { header, payload in
          if let change = NftChange(header, payload) { body(change) }
        }
      }
    }
  }

  /// A classic BPF program over each message (packet(7), SO_ATTACH_FILTER): words are loaded in network byte order.
  private mutating func filter(_ links: [UInt32]) throws(KernelError) {
    let (word, half, octet) = (
      UInt16(BPF_LD | BPF_W | BPF_ABS), UInt16(BPF_LD | BPF_H | BPF_ABS), UInt16(BPF_LD | BPF_B | BPF_ABS)
    )
    let equal = UInt16(BPF_JMP | BPF_JEQ | BPF_K)
    let (pass, drop) = (UInt16(BPF_RET | BPF_K), UInt16(BPF_RET | BPF_K))
    func type(_ number: Int) -> UInt32 { UInt32(UInt16(truncatingIfNeeded: number).bigEndian) }
    var program = [
      // The type, in the header of 16 octets.
      sock_filter(code: half, jt: 0, jf: 0, k: 4),
      sock_filter(code: equal, jt: 14, jf: 0, k: type(RTM_DELADDR)),
      sock_filter(code: equal, jt: 2, jf: 0, k: type(RTM_NEWNETCONF)),
      sock_filter(code: equal, jt: 5, jf: 0, k: type(RTM_DELROUTE)),
      sock_filter(code: UInt16(BPF_JMP | BPF_JA), jt: 0, jf: 0, k: 8),
      // The first attribute behind struct netconfmsg: the link, or NETCONFA_IFINDEX_ALL.
      sock_filter(code: word, jt: 0, jf: 0, k: 24),
      sock_filter(code: equal, jt: 1, jf: 0, k: UInt32.max),
      sock_filter(code: drop, jt: 0, jf: 0, k: 0),
      sock_filter(code: pass, jt: 0, jf: 0, k: UInt32.max),
      // The origin of a route (rtm_protocol in struct rtmsg) must be RTPROT_KERNEL.
      sock_filter(code: octet, jt: 0, jf: 0, k: 21),
      sock_filter(code: equal, jt: 1, jf: 0, k: 2),
      sock_filter(code: drop, jt: 0, jf: 0, k: 0),
      sock_filter(code: pass, jt: 0, jf: 0, k: UInt32.max),
      // The flags in struct ifinfomsg: IFF_UP is the first octet's lowest bit.
      sock_filter(code: octet, jt: 0, jf: 0, k: 24),
      sock_filter(code: UInt16(BPF_JMP | BPF_JSET | BPF_K), jt: 0, jf: 1, k: 1),
      sock_filter(code: drop, jt: 0, jf: 0, k: 0),
      // The link, in struct ifinfomsg and in struct ifaddrmsg.
      sock_filter(code: word, jt: 0, jf: 0, k: 20),
    ]
    for (index, link) in links.enumerated() {
      program.append(sock_filter(code: equal, jt: UInt8(links.count - index), jf: 0, k: link.bigEndian))
    }
    program.append(sock_filter(code: drop, jt: 0, jf: 0, k: 0))
    program.append(sock_filter(code: pass, jt: 0, jf: 0, k: UInt32.max))
    let descriptor = socket.descriptor.rawValue
    let isAttached = program.withUnsafeMutableBufferPointer { buffer in
      var code = sock_fprog(len: UInt16(buffer.count), filter: buffer.baseAddress)
      return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &code, socklen_t(MemoryLayout<sock_fprog>.size)) == 0
    }
    guard isAttached else { throw KernelError("filter", "changes over netlink", errno: .last) }
  }
}

/// A change to something of an nftables table.
public struct NftChange: Hashable, Sendable {
  public var table: NftTableName
  /// True if something was removed, and not added.
  public var isRemoval: Bool
}

extension NftChange {
  /// nil for a message of another subsystem, of a family unknown here, or one that is cut.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type >> 8 == UInt16(NFNL_SUBSYS_NFTABLES),
      let family = payload.integer(UInt8.self).flatMap(NftFamily.init(rawValue:))
    else { return nil }
    // The first attribute of tables, chains, rules, sets and elements alike names the table (NFTA_TABLE_NAME and its like).
    var name: String?
    payload.forEachAttribute(from: 4) { attribute, value in
      if attribute == Int(NFTA_TABLE_NAME.rawValue) { name = name ?? value.text }
    }
    guard let name else { return nil }
    let removals = [
      NFT_MSG_DELTABLE, NFT_MSG_DELCHAIN, NFT_MSG_DELRULE, NFT_MSG_DELSET, NFT_MSG_DELSETELEM,
    ].map { UInt16($0.rawValue) }
    self.init(table: NftTableName(family, name), isRemoval: removals.contains(header.type & 0xFF))
  }
}
