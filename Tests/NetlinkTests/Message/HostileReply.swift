import CNetfilter
@testable import Addresses
@testable import Netfilter
@testable import Netlink

/// Replies for tests, and all that reads replies.
enum HostileReply {
  /// RTM_NEWLINK of a link "eth0" with a nested kind, as long as its own length says.
  static func link() -> [UInt8] {
    var writer = MessageWriter()
    writer.begin(type: UInt16(RTM_NEWLINK), flags: 0)
    writer.putLinkHeader(index: 5)
    writer.attribute(Int(IFLA_IFNAME), "eth0")
    writer.attribute(Int(IFLA_ADDRESS), MACAddress(bits: 1))
    writer.nest(Int(IFLA_LINKINFO)) { $0.attribute(Int(IFLA_INFO_KIND), "veth") }
    writer.end()
    return writer.bytes
  }

  /// -EINVAL for a request of so many octets, of which only the header is copied, then the kernel's sentence.
  static func acknowledgement(ofRequest length: UInt32) -> [UInt8] {
    var writer = MessageWriter()
    writer.begin(type: UInt16(NLMSG_ERROR), flags: UInt16(NLM_F_CAPPED | NLM_F_ACK_TLVS))
    writer.put(Int32(-22))
    for word in [length, 0, 0, 0] { writer.put(word) }
    writer.attribute(Int(NLMSGERR_ATTR_OFFS.rawValue), UInt32(24))
    writer.attribute(Int(NLMSGERR_ATTR_MSG.rawValue), "Invalid gateway")
    writer.end()
    return writer.bytes
  }

  /// Gives a buffer's messages to every reader there is, each taken for the type that the reader wants.
  static func readEverything(_ bytes: [UInt8]) {
    bytes.span.bytes.forEachMessage { header, payload in
      var header = header
      for type in [Int(RTM_NEWLINK), Int(RTM_NEWADDR), Int(RTM_NEWROUTE), Int(RTM_NEWNEIGH), Int(SOCK_DIAG_BY_FAMILY)] {
        header.type = UInt16(type)
        _ = Link(header, payload)
        _ = InterfaceAddress(header, payload)
        _ = Route(header, payload)
        _ = Neighbour(header, payload)
        _ = BoundSocket(.tcp, header, payload)
      }
      header.type = UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_NEWTABLE.rawValue)
      _ = NftTableSummary(header, payload)
      header.type = UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_NEWCHAIN.rawValue)
      _ = NftBaseChainSummary(header, payload)
      header.type = UInt16(NFNL_SUBSYS_CTNETLINK) << 8
      _ = Connection(header, payload)
      for flags in [0, NLM_F_ACK_TLVS, NLM_F_ACK_TLVS | NLM_F_CAPPED] {
        header.flags = UInt16(flags)
        for type in [NLMSG_ERROR, NLMSG_DONE] {
          header.type = UInt16(type)
          _ = Acknowledgement(payload, header: header)
        }
      }
    }
  }
}
