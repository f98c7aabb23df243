import CNetfilter
import Kernel
import SystemPackage

/// The outcome of one try at a dump.
private enum DumpOutcome {
  case whole
  /// The list changed meanwhile, or part of the answer was lost: it must be asked for again.
  case torn
}

extension NetlinkSocket {
  /// Asks for a list and reads it to its end, again when it was torn by changes (NLM_F_DUMP_INTR) or lost parts.
  ///
  /// - Parameters:
  ///   - subject: What is listed, for the error: it follows "cannot list".
  ///   - request: Writes one message without ending it.
  ///   - parse: An item from one answer, or nil to leave it out.
  /// - Throws: `KernelError`: the kernel's own, ETIMEDOUT for a lost answer, EAGAIN if every try was torn.
  mutating func dump<Item>(
    _ subject: String, request: (inout MessageWriter) -> Void, parse: (MessageHeader, RawSpan) -> Item?
  ) throws(KernelError) -> [Item] {
    for _ in 0..<dumpTries {
      var items: [Item] = []
      if case .whole = try dumpOnce(subject, request: request, into: &items, parse: parse) { return items }
    }
    throw KernelError("list", subject, errno: .resourceTemporarilyUnavailable, detail: "it kept changing meanwhile")
  }

  private mutating func dumpOnce<Item>(
    _ subject: String, request: (inout MessageWriter) -> Void, into items: inout [Item],
    parse: (MessageHeader, RawSpan) -> Item?
  ) throws(KernelError) -> DumpOutcome {
    let wanted = takeSequence(1)
    var writer = MessageWriter()
    request(&writer)
    let message = writer.end()
    try send(
      Outgoing.stamp(writer.bytes, [message.lowerBound], first: wanted, flags: UInt16(NLM_F_REQUEST) | Outgoing.dump))

    var outcome = DumpOutcome.whole
    while true {
      // The end may be among what was lost. What is left of the answer waits already: receiving makes the kernel write on.
      switch try receive(waiting: outcome == .whole) {
      case .truncated, .overrun: outcome = .torn
      case .nothing: return .torn
      case .octets(let count):
        var ended = false
        var failure: Acknowledgement?
        let port = port
        buffer.span.bytes.extracting(0..<count).forEachMessage { header, payload in
          guard header.sequence == wanted, header.port == port, !ended else { return }
          if header.flags & UInt16(NLM_F_DUMP_INTR) != 0 { outcome = .torn }
          switch Int32(header.type) {
          case NLMSG_DONE, NLMSG_ERROR:
            ended = true
            failure = Acknowledgement(payload, header: header)
          case NLMSG_NOOP, NLMSG_OVERRUN: break
          default:
            if let item = parse(header, payload) { items.append(item) }
          }
        }
        if let failure, let errno = failure.errno {
          if errno == .interrupted { return .torn }
          let error = KernelError("list", subject, errno: errno, detail: failure.detail)
          throw MissingModule.explained(error, family: family)
        }
        if ended { return outcome }
      }
    }
  }

  /// Asks for one object.
  ///
  /// - Returns: the item, or nil where the kernel says that there is none (ENODEV, ENOENT, ESRCH).
  mutating func get<Item>(
    _ subject: String, request: (inout MessageWriter) -> Void, parse: (MessageHeader, RawSpan) -> Item?
  ) throws(KernelError) -> Item? {
    for _ in 0..<dumpTries {
      let wanted = takeSequence(1)
      var writer = MessageWriter()
      request(&writer)
      let message = writer.end()
      try send(Outgoing.stamp(writer.bytes, [message.lowerBound], first: wanted, flags: UInt16(NLM_F_REQUEST)))
      var torn = false
      while !torn {
        guard case .octets(let count) = try receive(waiting: true) else {
          torn = true
          continue
        }
        var item: Item?
        var answer: Acknowledgement?
        var answered = false
        let port = port
        buffer.span.bytes.extracting(0..<count).forEachMessage { header, payload in
          guard header.sequence == wanted, header.port == port else { return }
          answered = true
          if Int32(header.type) == NLMSG_ERROR {
            answer = Acknowledgement(payload, header: header)
          } else {
            item = parse(header, payload)
          }
        }
        if let errno = answer?.errno {
          if [.noSuchDevice, .noSuchFileOrDirectory, .noSuchProcess].contains(errno) { return nil }
          throw KernelError("read", subject, errno: errno, detail: answer?.detail)
        }
        if answered { return item }
      }
    }
    throw KernelError("read", subject, errno: .noBufferSpace)
  }
}

/// The number of tries of a dump. Links come and go in hundreds while stacks start beside each other.
private let dumpTries = 32
