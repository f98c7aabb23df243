import Addresses

/// Writes messages one behind the other into memory that is used again and again.
package struct DNSWriter {
  package private(set) var octets: [UInt8] = []
  /// The offset at which the message being written begins.
  private(set) var start = 0
  private var limit = MessageLimit.plainDatagram
  private var answers: UInt16 = 0
  /// The OPT record that is to follow the answers.
  private var extensions: (code: ResponseCode, wantsSignatures: Bool)?

  package init() {}

  /// The OPT record that is sent takes this much (RFC 6891, 6.1.2).
  private static let extensionsSize = 11
  /// A pointer to the name of the question (RFC 1035, 4.1.4).
  private static let questionName: [UInt8] = [0xC0, UInt8(MessageLimit.header)]

  package mutating func removeAll() { octets.removeAll(keepingCapacity: true) }

  /// Begins the answer to a question, which it repeats as it came.
  package mutating func begin(
    answerTo query: DNSQuery, in message: Octets, code: ResponseCode = .noError, isAuthoritative: Bool = false,
    limit: Int
  ) {
    begin(id: query.id, flags: query.flags, code: code, isAuthoritative: isAuthoritative)
    extensions = query.extensions.map { (code, $0.wantsSignatures) }
    self.limit = limit - (extensions == nil ? 0 : Self.extensionsSize)
    for position in MessageLimit.header..<query.questionEnd { octets.append(message[position]) }
    octets[start + 5] = 1
  }

  /// The whole answer to a message whose question cannot be repeated.
  package mutating func refuse(id: UInt16, flags: MessageFlags, code: ResponseCode) {
    begin(id: id, flags: flags, code: code, isAuthoritative: false)
  }

  private mutating func begin(id: UInt16, flags: MessageFlags, code: ResponseCode, isAuthoritative: Bool) {
    start = octets.count
    answers = 0
    extensions = nil
    var kept = flags.intersection([.operation, .recursionDesired, .checkingDisabled])
    kept.formUnion([.response, .recursionAvailable])
    if isAuthoritative { kept.insert(.authoritative) }
    append16(id)
    append16(kept.rawValue | code.rawValue & 0xF)
    for _ in 0..<4 { append16(0) }
  }

  /// Adds a record with an address of the name that was asked for. Where there is no more room, the answer says that it is
  /// not whole, and the client asks again over TCP (RFC 2181, 9).
  package mutating func add(_ address: IPAddress, timeToLive: UInt32) {
    switch address {
    case .v4(let address):
      guard beginRecord(RecordType.a, timeToLive, size: 4) else { return }
      append32(address.bits)
    case .v6(let address):
      guard beginRecord(RecordType.aaaa, timeToLive, size: 16) else { return }
      for half in [address.high, address.low] {
        append32(UInt32(truncatingIfNeeded: half >> 32))
        append32(UInt32(truncatingIfNeeded: half))
      }
    }
  }

  package mutating func add(pointerTo name: DNSName, timeToLive: UInt32) {
    guard beginRecord(RecordType.pointer, timeToLive, size: name.wire.count) else { return }
    octets += name.wire
  }

  private mutating func beginRecord(_ type: UInt16, _ timeToLive: UInt32, size: Int) -> Bool {
    guard octets.count - start + 12 + size <= limit, answers < UInt16.max else {
      octets[start + 2] |= UInt8(MessageFlags.truncated.rawValue >> 8)
      return false
    }
    octets += Self.questionName
    append16(type)
    append16(RecordClass.internet)
    append32(timeToLive)
    append16(UInt16(size))
    answers += 1
    return true
  }

  /// Ends the message, and says where it stands.
  package mutating func finish() -> Range<Int> {
    octets[start + 6] = UInt8(truncatingIfNeeded: answers >> 8)
    octets[start + 7] = UInt8(truncatingIfNeeded: answers)
    if let extensions { append(extensions.code, extensions.wantsSignatures) }
    return start..<octets.count
  }

  private mutating func append(_ code: ResponseCode, _ wantsSignatures: Bool) {
    octets.append(0)
    append16(RecordType.options)
    append16(UInt16(MessageLimit.datagram))
    octets.append(UInt8(truncatingIfNeeded: code.rawValue >> 4))
    octets.append(0)
    append16(wantsSignatures ? 0x8000 : 0)
    append16(0)
    octets[start + 11] = 1
  }

  private mutating func append16(_ number: UInt16) {
    octets.append(UInt8(truncatingIfNeeded: number >> 8))
    octets.append(UInt8(truncatingIfNeeded: number))
  }

  private mutating func append32(_ number: UInt32) {
    append16(UInt16(truncatingIfNeeded: number >> 16))
    append16(UInt16(truncatingIfNeeded: number))
  }
}
