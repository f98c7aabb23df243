import Glibc
import Kernel
import Netlink

/// Asks resolvers for names that are not the stack's, for many at once. Lives on the loop's thread.
///
/// Each question goes out from a port and under a number that cannot be guessed, to one server after the other until one
/// answers; only an answer from where the question went, with that number and to that question, is taken (RFC 5452).
final class Forwarder {
  struct Limits: Sendable {
    /// Questions on their way at a time; who asks one more is told that it failed.
    var questions = 512
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

  /// How many questions are on their way.
  var count: Int { exchanges.count }

  /// Asks, and calls back when there is an answer or there will be none: not before this returns.
  func ask(_ question: ForwardedQuestion, completion: @escaping Completion) {
    if let exchange = exchanges[question] {
      guard exchange.waiting.count < limits.clients else { return refuse(completion) }
      return exchange.waiting.append(completion)
    }
    guard exchanges.count < limits.questions, !question.servers.isEmpty else {
      return refuse(completion)
    }
    let exchange = Exchange(question, loop: loop, order: order(question.servers), time: limits.time) {
      [weak self] exchange, answer, server in
      self?.ended(exchange, answer, server)
    }
    exchange.waiting.append(completion)
    exchanges[question] = exchange
    exchange.begin()
  }

  /// Drops everything that is on its way.
  func close() {
    for exchange in exchanges.values { exchange.cancel() }
    exchanges = [:]
  }

  private func order(_ servers: [IPAddress]) -> [IPAddress] {
    guard let favourite = favourites[servers], favourite.until > loop.now, servers.indices.contains(favourite.index)
    else { return servers }
    return Array(servers[favourite.index...] + servers[..<favourite.index])
  }

  private func ended(_ exchange: Exchange, _ answer: [UInt8]?, _ server: IPAddress?) {
    let servers = exchange.question.servers
    exchanges[exchange.question] = nil
    if let server, let index = servers.firstIndex(of: server), index > 0 {
      if favourites[servers]?.index != index {
        favourites[servers] = Favourite(index: index, until: loop.now + .seconds(30))
      }
    } else {
      favourites[servers] = nil
    }
    let waiting = exchange.waiting
    exchange.waiting = []
    for completion in waiting {
      if answer == nil { refuse(completion) } else { completion(answer) }
    }
  }

  /// Not before who asks has finished asking.
  private func refuse(_ completion: @escaping Completion) {
    loop.schedule(after: .zero) { completion(nil) }
  }
}
