import Addresses
import Loop

/// Queries that wait until others have been answered, in one queue for each client.
///
/// A client that sends a thousand queries at once delays only its own answers.
struct QuestionQueue {
  struct Waiting {
    let question: ForwardedQuestion
    let client: Exchange.Client
    /// The time at which the query fails.
    let deadline: EventLoop.Instant
  }

  /// One client's questions, the first from `head` on.
  private struct Line {
    var questions: [Waiting?] = []
    var head = 0

    var first: Waiting? { head < questions.count ? questions[head] : nil }

    mutating func popFirst() -> Waiting? {
      guard let first else { return nil }
      questions[head] = nil
      head += 1
      // Removing the taken half at once keeps the cost of each question constant.
      if head > questions.count / 2 {
        questions.removeFirst(head)
        head = 0
      }
      return first
    }
  }

  private var lines: [IPAddress: Line] = [:]
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func append(_ waiting: Waiting) {
    lines[waiting.client.address, default: Line()].questions.append(waiting)
    count += 1
  }

  /// The next of a client whose turn it is: of those that `mayAsk`, who has fewest on their way.
  mutating func popNext(onTheirWay: [IPAddress: Int], mayAsk: (IPAddress) -> Bool) -> Waiting? {
    let next = lines.keys.filter(mayAsk).min { onTheirWay[$0, default: 0] < onTheirWay[$1, default: 0] }
    return next.flatMap { popFirst(of: $0) }
  }

  /// Of whoever has most waiting, unless that is nobody with more than `client`.
  mutating func popFromLongest(besides client: IPAddress) -> Waiting? {
    func length(_ address: IPAddress) -> Int { lines[address].map { $0.questions.count - $0.head } ?? 0 }
    guard let longest = lines.keys.max(by: { length($0) < length($1) }), length(longest) > length(client) else {
      return nil
    }
    return popFirst(of: longest)
  }

  /// Removes and returns the queries whose deadline has passed.
  mutating func popExpired(at now: EventLoop.Instant) -> [Waiting] {
    var expired: [Waiting] = []
    for address in Array(lines.keys) {
      while let first = lines[address]?.first, first.deadline <= now, let popped = popFirst(of: address) {
        expired.append(popped)
      }
    }
    return expired
  }

  /// The earliest deadline of all waiting queries.
  var nextDeadline: EventLoop.Instant? { lines.values.compactMap(\.first?.deadline).min() }

  private mutating func popFirst(of address: IPAddress) -> Waiting? {
    guard let first = lines[address]?.popFirst() else { return nil }
    if lines[address]?.first == nil { lines[address] = nil }
    count -= 1
    return first
  }
}
