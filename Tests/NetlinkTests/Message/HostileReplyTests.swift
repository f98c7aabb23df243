import CNetfilter
import SystemPackage
import Testing

@testable import Netlink

/// Answers that no kernel should give: readers stop, and neither trap nor go round for ever.
@Suite struct HostileReplyTests {
  /// RTM_NEWLINK of a link "eth0" with a nested kind, as long as its own length says.
  private func link() -> [UInt8] {
    var writer = MessageWriter()
    writer.begin(type: UInt16(RTM_NEWLINK), flags: 0)
    writer.putLinkHeader(index: 5)
    writer.attribute(Int(IFLA_IFNAME), "eth0")
    writer.attribute(Int(IFLA_ADDRESS), MACAddress(bits: 1))
    writer.nest(Int(IFLA_LINKINFO)) { $0.attribute(Int(IFLA_INFO_KIND), "veth") }
    writer.end()
    return writer.bytes
  }

  private func links(in bytes: [UInt8]) -> [Link] {
    var links: [Link] = []
    bytes.span.bytes.forEachMessage { header, payload in
      if let link = Link(header, payload) { links.append(link) }
    }
    return links
  }

  @Test func aWholeMessageIsRead() {
    #expect(links(in: link() + link()).map(\.kind) == ["veth", "veth"])
  }

  @Test func everyCutIsSurvived() {
    let whole = link()
    for length in 0..<whole.count {
      #expect(links(in: Array(whole.prefix(length))).isEmpty)
    }
  }

  @Test(arguments: [0, 1, 15, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] as [UInt32])
  func aMessagesLengthIsNotTrusted(length: UInt32) {
    var bytes = link()
    withUnsafeBytes(of: length) { for index in 0..<4 { bytes[index] = $0[index] } }
    #expect(links(in: bytes + link()).isEmpty)
    #expect(!bytes.span.bytes.forEachMessage { _, _ in })
  }

  @Test(arguments: [0, 1, 3, 0xFFFF] as [UInt16]) func anAttributesLengthIsNotTrusted(length: UInt16) {
    var bytes = link()
    bytes[32] = UInt8(truncatingIfNeeded: length)
    bytes[33] = UInt8(length >> 8)
    // The first attribute is the name, without which there is no link.
    #expect(links(in: bytes).isEmpty)
  }

  @Test func everyOctetMayBeAnything() {
    let whole = link()
    for index in whole.indices {
      for value: UInt8 in [0, 1, 2, 4, 0x7F, 0x80, 0xFF] {
        var bytes = whole
        bytes[index] = value
        #expect(links(in: bytes).count <= 1)
        readEverything(bytes)
      }
    }
  }

  @Test func noiseIsSurvived() {
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<2000 {
      var bytes = (0..<Int.random(in: 0...200)).map { _ in UInt8.random(in: 0...255, using: &generator) }
      if bytes.count > 20 {
        // A length that fits, so that readers are reached.
        bytes.replaceSubrange(0..<4, with: [UInt8(bytes.count), 0, 0, 0])
      }
      readEverything(bytes)
    }
  }

  /// Gives a buffer's messages to every reader there is, each taken for the type that the reader wants.
  private func readEverything(_ bytes: [UInt8]) {
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

  @Test func anExtendedAcknowledgementIsRead() throws {
    // -EINVAL, the copy of a request's header with a length of 200 that is not there, then the kernel's sentence.
    var writer = MessageWriter()
    writer.begin(type: UInt16(NLMSG_ERROR), flags: UInt16(NLM_F_CAPPED | NLM_F_ACK_TLVS))
    writer.put(Int32(-22))
    for word in [200, 0, 0, 0] as [UInt32] { writer.put(word) }
    writer.attribute(Int(NLMSGERR_ATTR_OFFS.rawValue), UInt32(24))
    writer.attribute(Int(NLMSGERR_ATTR_MSG.rawValue), "Invalid gateway")
    writer.end()
    #expect(acknowledgement(writer.bytes)?.errno == .invalidArgument)
    #expect(acknowledgement(writer.bytes)?.detail == "Invalid gateway")
    // Not capped, the 200 octets would have to be there.
    var uncapped = writer.bytes
    uncapped[6] = 0
    uncapped[7] = UInt8(NLM_F_ACK_TLVS >> 8)
    #expect(acknowledgement(uncapped)?.errno == .invalidArgument)
    #expect(acknowledgement(uncapped)?.detail == nil)
  }

  @Test func aPositiveOrAbsurdErrorIsNone() {
    for code in [1, Int32.max, Int32.min] {
      var writer = MessageWriter()
      writer.begin(type: UInt16(NLMSG_ERROR), flags: 0)
      writer.put(code)
      writer.end()
      #expect(acknowledgement(writer.bytes) == nil)
    }
  }

  private func acknowledgement(_ bytes: [UInt8]) -> Acknowledgement? {
    var found: Acknowledgement?
    bytes.span.bytes.forEachMessage { header, payload in found = Acknowledgement(payload, header: header) }
    return found
  }
}
