import DNS

/// The parts of a question that are kept until a resolver has answered it.
struct LateReply {
  /// The message as it came, up to the end of its question.
  private let beginning: [UInt8]
  private let query: DNSQuery

  init(_ query: DNSQuery, in message: Octets) {
    self.query = query
    beginning = (0..<query.questionEnd).map { message[$0] }
  }

  /// The resolver's answer under the client's own number; cut to its question where it is longer than the client takes,
  /// and a failure where there is none.
  func message(from answer: [UInt8]?, id: UInt16, limit: Int) -> [UInt8] {
    guard let answer, answer.count >= query.questionEnd else { return failure() }
    var message = answer
    message[0] = UInt8(id >> 8)
    message[1] = UInt8(truncatingIfNeeded: id)
    message[3] |= UInt8(MessageFlags.recursionAvailable.rawValue)
    guard message.count > limit else { return message }
    message.removeSubrange(query.questionEnd...)
    message[2] |= UInt8(MessageFlags.truncated.rawValue >> 8)
    for index in 6..<MessageLimit.header { message[index] = 0 }
    return message
  }

  private func failure() -> [UInt8] {
    var writer = DNSWriter()
    writer.begin(answerTo: query, in: beginning.span, code: .serverFailure, limit: MessageLimit.datagram)
    _ = writer.finish()
    return writer.octets
  }
}
