import CNetfilter
import Kernel
import SystemPackage

/// One request of a batch that the kernel refused.
public struct BatchFailure: Error, Hashable, Sendable {
  /// Its place in the batch.
  public let index: Int
  public let error: KernelError
}

extension NetlinkSocket {
  /// Carries out a batch, up to the end of the sendmsg in which a request was refused.
  ///
  /// - Throws: the first refusal, with the kernel's extended acknowledgement as its detail.
  public mutating func apply(_ batch: borrowing RouteBatch) throws(KernelError) {
    var failures: [BatchFailure] = []
    run(batch, untilFailure: true, into: &failures)
    if let first = failures.first { throw first.error }
  }

  /// Carries out all of a batch whatever is refused: for tear-down.
  ///
  /// - Returns: every refusal, in order. Where the socket itself fails, that stands for the first of the requests of one
  ///   sendmsg, and the next ones are tried all the same.
  public mutating func attempt(_ batch: borrowing RouteBatch) -> [BatchFailure] {
    var failures: [BatchFailure] = []
    run(batch, untilFailure: false, into: &failures)
    return failures.sorted { $0.index < $1.index }
  }

  private mutating func run(
    _ batch: borrowing RouteBatch, untilFailure: Bool, into failures: inout [BatchFailure]
  ) {
    let envelopes = batch.envelopes
    var next = 0
    while next < envelopes.count {
      // A message that cannot be encoded is refused as the kernel would, in its turn and without being sent.
      guard !envelopes[next].isMalformed else {
        failures.append(
          failure(envelopes[next], at: next, .invalidArgument, "a name or text in it does not fit a message"))
        if untilFailure { return }
        next += 1
        continue
      }
      var end = next
      let start = envelopes[next].range.lowerBound
      while end < envelopes.count, !envelopes[end].isMalformed, end - next < answerCapacity,
        end == next || envelopes[end].range.upperBound - start <= chunkSize
      { end += 1 }
      do throws(KernelError) {
        try runChunk(batch, next..<end, into: &failures)
      } catch {
        failures.append(BatchFailure(index: next, error: error))
      }
      if untilFailure, !failures.isEmpty { return }
      next = end
    }
  }

  /// Sends some of a batch in one call and reads the answers.
  ///
  /// Only the last message asks for an acknowledgement. A refusal is always answered (netlink_rcv_skb), and answers come in
  /// the order of the requests, so silence up to the last one's answer means success.
  private mutating func runChunk(
    _ batch: borrowing RouteBatch, _ indices: Range<Int>, into failures: inout [BatchFailure]
  ) throws(KernelError) {
    let envelopes = batch.envelopes[indices]
    guard let firstEnvelope = envelopes.first, let lastEnvelope = envelopes.last else { return }
    let start = firstEnvelope.range.lowerBound
    let first = takeSequence(indices.count)
    try send(
      Outgoing.stamp(
        Array(batch.writer.bytes[start..<lastEnvelope.range.upperBound]), envelopes.map { $0.range.lowerBound - start },
        first: first, flags: UInt16(NLM_F_REQUEST), lastFlags: UInt16(NLM_F_ACK)))

    var ended = false
    var overrun = false
    // Once the queue has run over, the kernel adds nothing until it is empty: read on to there, and no further.
    while overrun || !ended {
      switch try receive(waiting: !overrun) {
      case .truncated, .overrun: overrun = true
      case .nothing:
        throw KernelError(
          firstEnvelope.action, firstEnvelope.subject.words, errno: .noBufferSpace,
          detail: "answers to \(indices.count) requests were lost")
      case .octets(let count):
        var answers: [(Int, Acknowledgement)] = []
        let port = port
        buffer.span.bytes.extracting(0..<count).forEachMessage { header, payload in
          let place = header.sequence &- first
          guard header.port == port, Int32(header.type) == NLMSG_ERROR, place < UInt32(indices.count) else { return }
          guard let answer = Acknowledgement(payload, header: header) else { return }
          answers.append((indices.lowerBound + Int(place), answer))
        }
        for (index, answer) in answers {
          if let errno = answer.errno, !batch.envelopes[index].tolerance.accepts(errno) {
            failures.append(failure(batch.envelopes[index], at: index, errno, answer.detail))
          }
          if index == indices.upperBound - 1 { ended = true }
        }
      }
    }
  }

  private func failure(
    _ envelope: RouteBatch.Envelope, at index: Int, _ errno: Errno, _ detail: String?
  ) -> BatchFailure {
    let error = KernelError(envelope.action, envelope.subject.words, errno: errno, detail: detail)
    return BatchFailure(index: index, error: MissingModule.explained(error))
  }
}

/// Octets in one call: below the smallest send queue in use, and so many that the call is not what costs.
private let chunkSize = 64 << 10
