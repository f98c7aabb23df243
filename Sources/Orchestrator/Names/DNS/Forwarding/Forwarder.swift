import Addresses
import Glibc
import Loop

/// Asks resolvers for names that are not the stack's, for many at once. Lives on the loop's thread.
///
/// Each question goes out from a port and under a number that cannot be guessed, to one server after the other until one
/// answers; only an answer from where the question went, with that number and to that question, is taken (RFC 5452).
final class Forwarder {
  struct Limits: Sendable {
    /// Questions on their way at a time. For one more, the oldest goes of whoever has most.
    var questions = 512
    /// Questions that one address waits for; who asks one more is told that it failed.
    var questionsOfOne = 64
    /// Clients that wait for one question.
    var clients = 256
    /// Until a question has failed: less than the five seconds after which a client asks again.
    var time = Duration.milliseconds(4500)
  }

  /// Gets the answer as it came, nil when there was none.
  typealias Completion = ([UInt8]?) -> Void

  private let loop: EventLoop
  private let limits: Limits
  private var exchanges: [ForwardedQuestion: Exchange] = [:]
  /// The number of answers that each address waits for.
  private var waits: [IPAddress: Int] = [:]
  /// Of several servers, the one that answered last is asked first, for a while.
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

  /// Asks for whoever has an address, and calls back when there is an answer or there will be none: not before this returns.
  func ask(_ question: ForwardedQuestion, for address: IPAddress, completion: @escaping Completion) {
    guard waits[address, default: 0] < limits.questionsOfOne else { return refuse(completion) }
    let client = Exchange.Client(address: address, completion: completion)
    if let exchange = exchanges[question] {
      guard exchange.waiting.count < limits.clients else { return refuse(completion) }
      waits[address, default: 0] += 1
      return exchange.waiting.append(client)
    }
    guard !question.servers.isEmpty, exchanges.count < limits.questions || makeRoom(for: address) else {
      return refuse(completion)
    }
    let exchange = Exchange(question, for: client, loop: loop, order: order(question.servers), time: limits.time) {
      [weak self] exchange, answer, server in
      self?.ended(exchange, answer, server)
    }
    waits[address, default: 0] += 1
    exchanges[question] = exchange
    exchange.begin()
  }

  /// Gives up the oldest question of whoever has most on their way, unless nobody has more than who asks.
  private func makeRoom(for address: IPAddress) -> Bool {
    let owned = Dictionary(grouping: exchanges.values) { $0.waiting.first?.address }
    guard let fullest = owned.max(by: { $0.value.count < $1.value.count }),
      fullest.value.count > owned[address]?.count ?? 0,
      let oldest = fullest.value.min(by: { $0.deadline < $1.deadline })
    else { return false }
    oldest.cancel()
    release(oldest, nil)
    return true
  }

  /// Drops everything that is on its way.
  func close() {
    for exchange in exchanges.values { exchange.cancel() }
    exchanges = [:]
    waits = [:]
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
    release(exchange, answer)
  }

  private func release(_ exchange: Exchange, _ answer: [UInt8]?) {
    exchanges[exchange.question] = nil
    let waiting = exchange.waiting
    exchange.waiting = []
    for client in waiting {
      waits[client.address, default: 1] -= 1
      if waits[client.address] == 0 { waits[client.address] = nil }
      if answer == nil { refuse(client.completion) } else { client.completion(answer) }
    }
  }

  /// Not before who asks has finished asking.
  private func refuse(_ completion: @escaping Completion) {
    loop.schedule(after: .zero) { completion(nil) }
  }
}
