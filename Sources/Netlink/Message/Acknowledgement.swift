import CNetfilter
import SystemPackage

/// The kernel's answer to one request: `struct nlmsgerr` and, since NETLINK_EXT_ACK, attributes that say more.
struct Acknowledgement: Hashable, Sendable {
  /// The errno, or nil for success.
  var errno: Errno?
  /// The kernel's own sentence (NLMSGERR_ATTR_MSG).
  var detail: String?

  /// Reads the payload of an NLMSG_ERROR, or the tail of an NLMSG_DONE, which has the same shape from its errno on but no
  /// copy of a header. Nil if it is cut.
  init?(_ payload: borrowing RawSpan, header: MessageHeader) {
    guard let code = payload.integer(Int32.self), code <= 0, code > Int32.min else { return nil }
    errno = code == 0 ? nil : Errno(rawValue: -code)
    guard header.flags & UInt16(NLM_F_ACK_TLVS) != 0 else { return }
    var start = 4
    if header.type == UInt16(NLMSG_ERROR) {
      // A copy of the request's header follows, or of all of the request unless NETLINK_CAP_ACK cut it off.
      guard let length = payload.integer(UInt32.self, at: 4) else { return }
      let capped = header.flags & UInt16(NLM_F_CAPPED) != 0
      start += capped ? MessageHeader.size : max(MessageHeader.size, (Int(length) + 3) & ~3)
    }
    guard start <= payload.byteCount else { return }
    var words: String?
    payload.forEachAttribute(from: start) { type, value in
      if type == Int(NLMSGERR_ATTR_MSG.rawValue) { words = value.text }
    }
    detail = words
  }
}
