import CNetfilter
import Glibc
import Kernel
import Netfilter
import SystemPackage

/// A table as the kernel lists it, without what is in it.
public struct NftTableSummary: Hashable, Sendable {
  public var name: NftTableName
  public var comment: String?
}

extension NetlinkSocket {
  /// Makes all the changes of a transaction, or none. The socket must be of family `netfilter`.
  ///
  /// - Parameter generation: the state of nftables that the changes are for, from ``generation()``; nil for any.
  /// - Throws: the first refusal, by what its message was to do, with the kernel's extended acknowledgement as its detail;
  ///   EINVAL, before anything is sent, for what cannot be expressed; ERESTART where nftables is in another state.
  public mutating func commit(_ transaction: NftTransaction, at generation: UInt32? = nil) throws(KernelError) {
    let messages = try transaction.encode(at: generation)
    let count = messages.starts.count
    // Between the two messages that make a batch of it there is none.
    guard count > 2 else { return }
    try growSendQueue(for: messages.bytes.count)
    let first = takeSequence(count)
    var bytes = Outgoing.stamp(messages.bytes, messages.starts, first: first, flags: UInt16(NLM_F_REQUEST))
    // The last change asks for an acknowledgement, which comes when all have been made. The closing message cannot: not every
    // kernel answers it.
    bytes[messages.starts[count - 2] + 6] |= UInt8(NLM_F_ACK)
    try send(bytes)

    // All that there will be has been said before sendmsg returned.
    var refusals: [(place: Int, answer: Acknowledgement)] = []
    var acknowledged = false
    var overrun = false
    reading: while true {
      switch try receive(waiting: false) {
      case .nothing: break reading
      case .truncated: continue
      case .overrun: overrun = true
      case .octets(let length):
        let port = port
        buffer.span.bytes.extracting(0..<length).forEachMessage { header, payload in
          let place = header.sequence &- first
          guard header.port == port, Int32(header.type) == NLMSG_ERROR, place < UInt32(count),
            let answer = Acknowledgement(payload, header: header)
          else { return }
          if answer.errno != nil {
            refusals.append((Int(place), answer))
          } else if Int(place) == count - 2 {
            acknowledged = true
          }
        }
      }
    }
    // A refusal of the batch itself carries its first message's number; one with a message to blame says more.
    if let refusal = refusals.first(where: { $0.place > 0 }) ?? refusals.first, let errno = refusal.answer.errno {
      let label = messages.labels[refusal.place]
      throw KernelError(label.action, label.subject, errno: errno, detail: refusal.answer.detail)
    }
    guard acknowledged else {
      throw KernelError("commit", "an nftables transaction", errno: overrun ? .noBufferSpace : .timedOut)
    }
  }

  /// The number of the state of nftables, which every transaction changes (NFT_MSG_GETGEN in nf_tables.h).
  public mutating func generation() throws(KernelError) -> UInt32? {
    try get("the state of nftables") { writer in
      writer.begin(type: UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_GETGEN.rawValue), flags: 0)
      writer.putNetfilterHeader(family: 0)
    } parse: { _, payload in
      var number: UInt32?
      payload.forEachAttribute(from: 4) { attribute, value in
        if attribute == Int(NFTA_GEN_ID.rawValue) { number = value.integer(UInt32.self).map(UInt32.init(bigEndian:)) }
      }
      return number
    }
  }

  /// Every table of the socket's namespace, of all families, by which an owner finds its own.
  public mutating func tables() throws(KernelError) -> [NftTableSummary] {
    try dump("nftables tables") { writer in
      writer.begin(type: UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_GETTABLE.rawValue), flags: 0)
      writer.putNetfilterHeader(family: 0)
    } parse: {
      NftTableSummary($0, $1)
    }
  }

  /// A batch is one datagram, which must fit the send queue whole.
  private func growSendQueue(for octets: Int) throws(KernelError) {
    var size: CInt = 0
    var length = socklen_t(MemoryLayout<CInt>.size)
    guard getsockopt(descriptor.rawValue, SOL_SOCKET, SO_SNDBUF, &size, &length) == 0 else {
      throw KernelError("read SO_SNDBUF of", "a netlink socket", errno: .last)
    }
    guard octets > Int(size) - 4096 else { return }
    var wanted = CInt(clamping: octets + 4096)
    if setsockopt(descriptor.rawValue, SOL_SOCKET, SO_SNDBUFFORCE, &wanted, length) != 0 {
      _ = setsockopt(descriptor.rawValue, SOL_SOCKET, SO_SNDBUF, &wanted, length)
    }
  }
}

extension MessageWriter {
  /// `struct nfgenmsg`.
  mutating func putNetfilterHeader(family: UInt8) {
    put(family)
    put(UInt8(NFNETLINK_V0))
    put(UInt16(0))
  }
}

extension NftTableSummary {
  /// Reads NFT_MSG_NEWTABLE; nil if it is another message, cut, or of a family unknown here.
  init?(_ header: MessageHeader, _ payload: RawSpan) {
    guard header.type == UInt16(NFNL_SUBSYS_NFTABLES) << 8 | UInt16(NFT_MSG_NEWTABLE.rawValue),
      let family = payload.integer(UInt8.self).flatMap(NftFamily.init(rawValue:))
    else { return nil }
    var name: String?
    var comment: String?
    payload.forEachAttribute(from: 4) { type, value in
      switch type {
      case Int(NFTA_TABLE_NAME.rawValue): name = value.text
      case Int(NFTA_TABLE_USERDATA.rawValue): comment = Self.comment(in: value)
      default: break
      }
    }
    guard let name else { return nil }
    self.init(name: NftTableName(family, name), comment: comment)
  }

  /// User data is type, length and value in turn, an octet for each of the first two.
  private static func comment(in data: RawSpan) -> String? {
    var offset = 0
    while let type = data.integer(UInt8.self, at: offset), let length = data.integer(UInt8.self, at: offset + 1),
      offset + 2 + Int(length) <= data.byteCount
    {
      if UInt32(type) == NFTNL_UDATA_TABLE_COMMENT.rawValue {
        return data.extracting(offset + 2..<offset + 2 + Int(length)).text
      }
      offset += 2 + Int(length)
    }
    return nil
  }
}
