import Addresses
import Glibc
import Loop

/// Asks resolvers for names that are not the stack's, for many at once. Lives on the loop's thread.
///
/// Each question goes out from a port and under a number that cannot be guessed. It goes to one server after the other
/// until one answers. An answer counts only if it comes from that server, with that number and question (RFC 5452).
final class Forwarder {
  struct Limits: Sendable {
    /// Questions on their way at a time. For one more, the asker with most of them loses its oldest.
    var questions = 512
    /// Questions of one address on their way at a time. Further ones wait for their turn.
    var questionsOfOne = 256
    /// Answers that one address waits for; who asks one more is told that it failed.
    var waitsOfOne = 2_048
    /// Questions that wait for their turn. For one more, the first goes of whoever has most.
    var waiting = 16_384
    /// Clients that wait for one question.
    var clients = 4_096
    /// Until a question has failed: less than the five seconds after which a client asks again.
    var time = Duration.milliseconds(4500)
  }

  /// Gets the answer as it came, nil when there was none.
  typealias Completion = ([UInt8]?) -> Void

  private let loop: EventLoop
  private let limits: Limits
  private var exchanges: [ForwardedQuestion: Exchange] = [:]
  /// The number of these exchanges that each client has begun.
  private var onTheirWay: [IPAddress: Int] = [:]
  private var queue = QuestionQueue()
  /// Ends the questions that have waited too long for their turn.
  private var patience: EventLoop.TimerID?
  /// Set while there is room for some that wait.
  private var turn: EventLoop.TimerID?
  /// The number of answers that each client waits for.
  private var waits: [IPAddress: Int] = [:]
  /// The server of each list that answered last. It is asked first, for a while.
  private var favourites: [[IPAddress]: Favourite] = [:]

  private struct Favourite {
    var index: Int
    var until: EventLoop.Instant
  }

  init(loop: EventLoop, limits: Limits = Limits()) {
    self.loop = loop
    self.limits = limits
  }

  /// The number of questions on their way.
  var count: Int { exchanges.count }

  /// The number of these questions that a client has begun.
  func count(of address: IPAddress) -> Int { onTheirWay[address, default: 0] }

  /// Asks for whoever has an address, and calls back when there is an answer or there will be none: not before this returns.
  func ask(_ question: ForwardedQuestion, for address: IPAddress, completion: @escaping Completion) {
    guard !question.servers.isEmpty, waits[address, default: 0] < limits.waitsOfOne else { return refuse(completion) }
    waits[address, default: 0] += 1
    let client = Exchange.Client(address: address, completion: completion)
    let waiting = QuestionQueue.Waiting(question: question, client: client, deadline: loop.now + limits.time)
    if join(waiting) { return }
    if hasRoom(for: address), exchanges.count < limits.questions || makeRoom(for: address) {
      send(waiting)
    } else {
      putOff(waiting)
    }
  }

  private func hasRoom(for address: IPAddress) -> Bool {
    onTheirWay[address, default: 0] < limits.questionsOfOne
  }

  /// Has a client wait for an equal question that is on its way; false where there is none.
  private func join(_ waiting: QuestionQueue.Waiting) -> Bool {
    guard let exchange = exchanges[waiting.question] else { return false }
    if exchange.waiting.count < limits.clients {
      exchange.waiting.append(waiting.client)
    } else {
      answer(waiting.client, nil)
    }
    return true
  }

  private func send(_ waiting: QuestionQueue.Waiting) {
    let (question, client) = (waiting.question, waiting.client)
    let exchange = Exchange(
      question, for: client, loop: loop, order: order(question.servers), deadline: waiting.deadline
    ) { [weak self] exchange, answer, server in
      self?.ended(exchange, answer, server)
    }
    onTheirWay[client.address, default: 0] += 1
    exchanges[question] = exchange
    exchange.begin()
  }

  /// Has the oldest question of whoever has most on their way wait for another turn, unless nobody has more than who asks would.
  private func makeRoom(for address: IPAddress) -> Bool {
    guard let fullest = onTheirWay.max(by: { $0.value < $1.value }),
      fullest.value > onTheirWay[address, default: 0] + 1,
      let oldest = exchanges.values.filter({ $0.owner == fullest.key }).min(by: { $0.deadline < $1.deadline })
    else { return false }
    oldest.cancel()
    for client in remove(oldest) {
      putOff(QuestionQueue.Waiting(question: oldest.question, client: client, deadline: oldest.deadline))
    }
    return true
  }

  // MARK: The queue

  private func putOff(_ waiting: QuestionQueue.Waiting) {
    if queue.count >= limits.waiting {
      guard let other = queue.popFromLongest(besides: waiting.client.address) else {
        return answer(waiting.client, nil)
      }
      answer(other.client, nil)
    }
    queue.append(waiting)
    if patience == nil { scheduleExpiry() }
  }

  private func scheduleExpiry() {
    patience = queue.nextDeadline.map { deadline in
      loop.schedule(at: deadline) { [weak self] in
        guard let self else { return }
        for expired in queue.popExpired(at: loop.now) { answer(expired.client, nil) }
        scheduleExpiry()
      }
    }
  }

  /// The number of questions that are begun before the event loop runs other work.
  private static let turnsAtOnce = 64

  /// Begins what there is room for, once what is being done now is done: a question that cannot be sent has failed at once.
  private func takeTurnsSoon() {
    guard turn == nil, !queue.isEmpty else { return }
    turn = loop.schedule(after: .zero) { [weak self] in
      guard let self else { return }
      turn = nil
      for _ in 0..<Self.turnsAtOnce where exchanges.count < limits.questions {
        guard let next = queue.popNext(onTheirWay: onTheirWay, mayAsk: hasRoom) else { return }
        if !join(next) { send(next) }
      }
      if exchanges.count < limits.questions { takeTurnsSoon() }
    }
  }

  /// Drops everything that is on its way.
  func close() {
    for exchange in exchanges.values { exchange.cancel() }
    for timer in [patience, turn].compactMap(\.self) { loop.cancel(timer) }
    (exchanges, onTheirWay, waits, queue, patience, turn) = ([:], [:], [:], QuestionQueue(), nil, nil)
  }

  private func order(_ servers: [IPAddress]) -> [IPAddress] {
    guard let favourite = favourites[servers], favourite.until > loop.now, servers.indices.contains(favourite.index)
    else { return servers }
    return Array(servers[favourite.index...] + servers[..<favourite.index])
  }

  private func ended(_ exchange: Exchange, _ answer: [UInt8]?, _ server: IPAddress?) {
    let servers = exchange.question.servers
    if let server, let index = servers.firstIndex(of: server), index > 0 {
      if favourites[servers]?.index != index {
        favourites[servers] = Favourite(index: index, until: loop.now + .seconds(30))
      }
    } else {
      favourites[servers] = nil
    }
    for client in remove(exchange) { self.answer(client, answer) }
    takeTurnsSoon()
  }

  /// Forgets what has ended.
  ///
  /// - Returns: those who waited for it.
  private func remove(_ exchange: Exchange) -> [Exchange.Client] {
    exchanges[exchange.question] = nil
    onTheirWay[exchange.owner, default: 1] -= 1
    if onTheirWay[exchange.owner] == 0 { onTheirWay[exchange.owner] = nil }
    defer { exchange.waiting = [] }
    return exchange.waiting
  }

  private func answer(_ client: Exchange.Client, _ answer: [UInt8]?) {
    waits[client.address, default: 1] -= 1
    if waits[client.address] == 0 { waits[client.address] = nil }
    if answer == nil { refuse(client.completion) } else { client.completion(answer) }
  }

  /// Fails a question, but not before the asker's call has returned.
  private func refuse(_ completion: @escaping Completion) {
    loop.schedule(after: .zero) { completion(nil) }
  }
}
