import CNetfilter
import Kernel
import Netfilter
import SystemPackage

/// The messages of a transaction, and for each its purpose.
struct NftMessages: Sendable {
  struct Label: Hashable, Sendable {
    var action: String
    var subject: String
  }

  var bytes: [UInt8] = []
  var starts: [Int] = []
  var labels: [Label] = []
}

/// Encodes nftables messages with libnftnl, which writes each into a scratch buffer without a check of its end. So any
/// value without a bound of its own is bounded here first.
struct NftEncoder {
  private(set) var messages = NftMessages()
  private let scratch: UnsafeMutableRawBufferPointer
  private var lastSetID: UInt32 = 0

  /// Room for one message: several times the largest that the bounds below let through.
  static let scratchSize = 256 << 10

  init(scratch: UnsafeMutableRawBufferPointer) {
    self.scratch = scratch
    scratch.initializeMemory(as: UInt8.self, repeating: 0)
  }

  mutating func takeSetID() -> UInt32 {
    lastSetID += 1
    return lastSetID
  }

  /// The message that opens a batch; the one that closes it comes by ``endBatch()``.
  ///
  /// - Parameter generation: the state that the batch is made for (NFNL_BATCH_GENID); nil for any.
  mutating func beginBatch(at generation: UInt32? = nil) {
    append(NftMessages.Label(action: "commit", subject: "an nftables transaction")) { buffer in
      let header = nftnl_batch_begin(buffer, 0)
      if let header, let generation {
        mnl_attr_put_u32(header, UInt16(NFNL_BATCH_GENID.rawValue), generation.bigEndian)
      }
      return header
    }
  }

  mutating func endBatch() {
    append(NftMessages.Label(action: "commit", subject: "an nftables transaction")) { nftnl_batch_end($0, 0) }
  }

  /// One message of nftables.
  mutating func append(
    _ action: String, _ subject: String, type: Int, flags: Int32, family: NftFamily,
    _ body: (UnsafeMutablePointer<nlmsghdr>) -> Void
  ) {
    append(NftMessages.Label(action: action, subject: subject)) { buffer in
      let header = nftnl_nlmsg_build_hdr(
        buffer, UInt16(truncatingIfNeeded: type), UInt16(family.rawValue), UInt16(truncatingIfNeeded: flags), 0)
      if let header { body(header) }
      return header
    }
  }

  private mutating func append(
    _ label: NftMessages.Label, _ build: (UnsafeMutablePointer<CChar>) -> UnsafeMutablePointer<nlmsghdr>?
  ) {
    guard let buffer = scratch.baseAddress?.assumingMemoryBound(to: CChar.self), let header = build(buffer) else {
      return
    }
    messages.starts.append(messages.bytes.count)
    messages.labels.append(label)
    let octets = UnsafeRawBufferPointer(start: header, count: Int(header.pointee.nlmsg_len))
    messages.bytes.append(contentsOf: octets)
    // libmnl skips the padding after an attribute: what the last message left there would be sent.
    UnsafeMutableRawBufferPointer(rebasing: scratch.prefix(octets.count)).initializeMemory(as: UInt8.self, repeating: 0)
  }

  /// Refuses a name that the kernel would (NFT_NAME_MAXLEN), or that would end early.
  func check(name: String, of kind: String) throws(KernelError) {
    guard (1...255).contains(name.utf8.count), !name.utf8.contains(0) else {
      throw KernelError("name", "\(kind) \(name.prefix(32))", errno: .invalidArgument, detail: "1 to 255 octets")
    }
  }

  /// A comment as user data, whose length is kept in one octet (NFTNL_UDATA_COMMENT_MAXLEN).
  func check(comment: String?, of subject: String) throws(KernelError) {
    guard let comment else { return }
    guard comment.utf8.count <= 127, !comment.utf8.contains(0) else {
      throw KernelError("comment", subject, errno: .invalidArgument, detail: "more than 127 octets")
    }
  }
}

/// Calls the closure with user data as nft(8) keeps it: type, length and value, one after another.
func withUserData(
  _ fill: (OpaquePointer) -> Void, _ body: (UnsafeRawPointer, UInt32) -> Void
) {
  guard let buffer = nftnl_udata_buf_alloc(256) else { return }
  defer { nftnl_udata_buf_free(buffer) }
  fill(buffer)
  if let data = nftnl_udata_buf_data(buffer) { body(data, nftnl_udata_buf_len(buffer)) }
}

/// An object of libnftnl could not be had: it allocates, and nothing else can fail.
func nftnl(_ object: OpaquePointer?) throws(KernelError) -> OpaquePointer {
  guard let object else { throw KernelError("encode", "an nftables object", errno: .noMemory) }
  return object
}
