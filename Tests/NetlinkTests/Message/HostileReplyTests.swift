import CNetfilter
import SystemPackage
import Testing
@testable import Netlink

/// Answers that no kernel should give: readers stop, and neither trap nor go round for ever.
@Suite struct HostileReplyTests {
  private func links(in bytes: [UInt8]) -> [Link] {
    var links: [Link] = []
    bytes.span.bytes.forEachMessage { header, payload in
      if let link = Link(header, payload) { links.append(link) }
    }
    return links
  }

  @Test func aWholeMessageIsRead() {
    #expect(links(in: HostileReply.link() + HostileReply.link()).map(\.kind) == ["veth", "veth"])
  }

  @Test func everyCutIsSurvived() {
    let whole = HostileReply.link()
    for length in 0..<whole.count {
      #expect(links(in: Array(whole.prefix(length))).isEmpty)
    }
  }

  @Test(arguments: [0, 1, 15, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF] as [UInt32])
  func aMessagesLengthIsNotTrusted(length: UInt32) {
    var bytes = HostileReply.link()
    withUnsafeBytes(of: length) { for index in 0..<4 { bytes[index] = $0[index] } }
    #expect(links(in: bytes + HostileReply.link()).isEmpty)
    #expect(!bytes.span.bytes.forEachMessage { _, _ in })
  }

  @Test(arguments: [0, 1, 3, 0xFFFF] as [UInt16]) func anAttributesLengthIsNotTrusted(length: UInt16) {
    var bytes = HostileReply.link()
    bytes[32] = UInt8(truncatingIfNeeded: length)
    bytes[33] = UInt8(length >> 8)
    // The first attribute is the name, without which there is no link.
    #expect(links(in: bytes).isEmpty)
  }

  @Test func everyOctetMayBeAnything() {
    let whole = HostileReply.link()
    for index in whole.indices {
      for value: UInt8 in [0, 1, 2, 4, 0x7F, 0x80, 0xFF] {
        var bytes = whole
        bytes[index] = value
        #expect(links(in: bytes).count <= 1)
        HostileReply.readEverything(bytes)
      }
    }
  }

  @Test func anExtendedAcknowledgementIsRead() throws {
    // Its header says 200 octets, which are not there.
    let reply = HostileReply.acknowledgement(ofRequest: 200)
    #expect(acknowledgement(reply)?.errno == .invalidArgument)
    #expect(acknowledgement(reply)?.detail == "Invalid gateway")
    // Not capped, the 200 octets would have to be there.
    var uncapped = reply
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
