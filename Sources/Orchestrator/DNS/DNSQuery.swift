/// A question as it came, read and found well formed. Where things stand in it is said by their place in the message.
package struct DNSQuery: Hashable, Sendable {
  package var id: UInt16
  package var flags: MessageFlags
  /// The name is what stands from the header to here, without pointers.
  package var nameEnd: Int
  package var type: UInt16
  package var `class`: UInt16
  /// The client's OPT record (RFC 6891); nil when it has sent none.
  package var extensions: Extensions?

  package struct Extensions: Hashable, Sendable {
    /// The largest datagram that the client takes, in octets.
    var payload: UInt16
    package var version: UInt8
    /// DO: the client wants signatures too (RFC 3225).
    package var wantsSignatures: Bool
  }

  /// The end of the question, after type and class.
  package var questionEnd: Int { nameEnd + 4 }

  /// The most that an answer over UDP may take.
  package var datagramLimit: Int {
    guard let extensions else { return MessageLimit.plainDatagram }
    return min(max(Int(extensions.payload), MessageLimit.plainDatagram), MessageLimit.datagram)
  }
}

/// The reason why a message is no question that can be answered.
package enum DNSFault: Error, Hashable {
  /// Not worth an answer: too short, or an answer itself, to which an answer would go back and forth for ever.
  case ignored
  case refused(id: UInt16, MessageFlags, ResponseCode)
}

extension DNSQuery {
  /// Reads a message from a client.
  package init(_ message: Octets) throws(DNSFault) {
    guard message.count >= MessageLimit.header, let id = message.number16(at: 0), let word = message.number16(at: 2)
    else { throw .ignored }
    let flags = MessageFlags(rawValue: word)
    guard !flags.contains(.response) else { throw .ignored }
    func refused(_ code: ResponseCode) -> DNSFault { .refused(id: id, flags, code) }
    guard flags.isDisjoint(with: .operation) else { throw refused(.notImplemented) }
    // One question (RFC 9619), and nothing that answers it.
    guard message.number16(at: 4) == 1, message.number16(at: 6) == 0, message.number16(at: 8) == 0,
      let additional = message.number16(at: 10),
      let nameEnd = message.endOfPlainName(at: MessageLimit.header), let type = message.number16(at: nameEnd),
      let `class` = message.number16(at: nameEnd + 2)
    else { throw refused(.formatError) }
    self.init(id: id, flags: flags, nameEnd: nameEnd, type: type, class: `class`)
    guard readAdditional(message, count: Int(additional)) else { throw refused(.formatError) }
  }

  /// Reads the records after the question; false when they are not well formed.
  private mutating func readAdditional(_ message: Octets, count: Int) -> Bool {
    var position = questionEnd
    for _ in 0..<count {
      guard let record = RecordPlace(in: message, at: position) else { return false }
      position = record.end
      guard record.type == RecordType.options else { continue }
      // One of them, at the root (RFC 6891, 6.1.1).
      guard extensions == nil, message.octet(at: record.start) == 0, let version = message.octet(at: record.head + 5),
        let word = message.number16(at: record.head + 6)
      else { return false }
      extensions = Extensions(payload: record.class, version: version, wantsSignatures: word & 0x8000 != 0)
    }
    return position == message.count
  }
}

/// The place of a resource record (RFC 1035, 4.1.3).
package struct RecordPlace {
  var start: Int
  /// After the name: type, class, time to live, length of the data.
  var head: Int
  var type: UInt16
  var `class`: UInt16
  package var end: Int

  package init?(in message: Octets, at start: Int) {
    guard let head = message.endOfName(at: start), let type = message.number16(at: head),
      let `class` = message.number16(at: head + 2), let length = message.number16(at: head + 8)
    else { return nil }
    let end = head + 10 + Int(length)
    guard end <= message.count else { return nil }
    (self.start, self.head, self.type, self.class, self.end) = (start, head, type, `class`, end)
  }
}
