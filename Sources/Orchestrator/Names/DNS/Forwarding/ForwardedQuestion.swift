import Addresses
import DNS

/// A question for a resolver. Equal questions on their way are sent once.
struct ForwardedQuestion: Hashable, Sendable {
  /// Name, type and class, as they came.
  var question: [UInt8]
  /// RD, CD and AD, as the client set them.
  var flags: MessageFlags
  /// True if the client speaks EDNS. Only then it may want signatures (DO).
  var hasExtensions: Bool
  var wantsSignatures: Bool
  /// True if the client came over TCP, so that the whole answer fits.
  var wantsWhole: Bool
  /// The servers to ask, in this order.
  var servers: [IPAddress]

  init(_ query: DNSQuery, in message: Octets, wantsWhole: Bool, servers: [IPAddress]) {
    question = (MessageLimit.header..<query.questionEnd).map { message[$0] }
    flags = query.flags.intersection([.recursionDesired, .checkingDisabled, .authenticData])
    hasExtensions = query.extensions != nil
    wantsSignatures = query.extensions?.wantsSignatures ?? false
    self.wantsWhole = wantsWhole
    self.servers = servers
  }

  /// The message to a resolver. Of what the client sent beside its question only the wish for signatures goes along.
  func message(id: UInt16) -> [UInt8] {
    var message: [UInt8] = []
    message.reserveCapacity(MessageLimit.header + question.count + 11)
    for word in [id, flags.rawValue, 1, 0, 0, hasExtensions ? 1 : 0] { message += Self.octets(word) }
    message += question
    guard hasExtensions else { return message }
    message.append(0)
    for word in [RecordType.options, UInt16(MessageLimit.datagram), 0, wantsSignatures ? 0x8000 : 0, 0] {
      message += Self.octets(word)
    }
    return message
  }

  private static func octets(_ word: UInt16) -> [UInt8] { [UInt8(word >> 8), UInt8(truncatingIfNeeded: word)] }

  /// True if a message is a well-formed answer to this question.
  func isAnswered(by message: Octets, id: UInt16) -> Bool {
    guard message.count >= MessageLimit.header + question.count, message.number16(at: 0) == id,
      let word = message.number16(at: 2), message.number16(at: 4) == 1
    else { return false }
    let flags = MessageFlags(rawValue: word)
    guard flags.contains(.response), flags.isDisjoint(with: .operation) else { return false }
    for index in question.indices where message[MessageLimit.header + index] != question[index] { return false }
    return Self.hasWellFormedRecords(message, from: MessageLimit.header + question.count)
  }

  private static func hasWellFormedRecords(_ message: Octets, from start: Int) -> Bool {
    var position = start
    for place in [6, 8, 10] {
      for _ in 0..<(message.number16(at: place) ?? 0) {
        guard let record = RecordPlace(in: message, at: position) else { return false }
        position = record.end
      }
    }
    return position == message.count
  }
}
