import Digests
import Glibc
import ImageReference
import Synchronization

extension RegistryClient {
  /// A request to the registry itself, and what it is for.
  struct Operation {
    var path: String
    var method = "GET"
    var headers: [String]
    /// As it follows "denies": `layer 0123456789ab`.
    var what: String
    var body: Transfer.Body?

    init(_ path: String, method: String = "GET", _ headers: [String], _ what: String, body: Transfer.Body? = nil) {
      (self.path, self.method, self.headers, self.what, self.body) = (path, method, headers, what, body)
    }
  }

  func makeTransfer() throws(RegistryError) -> Transfer {
    do {
      return try Transfer()
    } catch {
      throw RegistryError(.broken, "\(error)", remedy: LibraryError.remedy)
    }
  }

  private static var mostRedirections: Int { 10 }
  private static var redirections: [Int] { [301, 302, 303, 307, 308] }

  /// Sends a request, with what the registry asks for and along its redirections.
  ///
  /// - Parameter accepts: the statuses that are no failure. `body` gets what comes with them.
  func send(
    _ operation: Operation, over transfer: Transfer, _ watch: RequestWatch, accepts: [Int] = [200, 206],
    body: @escaping (Transfer.Answer, UnsafeRawBufferPointer) -> Bool
  ) throws(RegistryError) -> Transfer.Answer {
    try findChallenge(transfer, watch)
    var hasRenewed = false
    while true {
      let (answer, words) = try sendOnce(operation, over: transfer, watch, accepts, body: body)
      if accepts.contains(answer.status) { return answer }
      guard answer.status == 401, !hasRenewed else { throw refusal(answer, words, operation.what) }
      hasRenewed = true
      let challenges = AuthenticationChallenge.all(in: answer.all("www-authenticate"))
      guard let challenge = AuthenticationChallenge.preferred(challenges) else {
        throw refusal(answer, words, operation.what)
      }
      try renew(challenge, over: transfer, watch)
    }
  }

  private func sendOnce(
    _ operation: Operation, over transfer: Transfer, _ watch: RequestWatch, _ accepts: [Int],
    body: @escaping (Transfer.Answer, UnsafeRawBufferPointer) -> Bool
  ) throws(RegistryError) -> (Transfer.Answer, [UInt8]) {
    let own = WebOrigin(url)
    let authorization = try currentAuthorization(transfer, watch)
    var place = operation.path.hasPrefix("/") ? url + operation.path : operation.path
    for _ in 0...Self.mostRedirections {
      var request = Transfer.Request(url: place, method: operation.method)
      request.headers = operation.headers + ["Accept-Encoding: identity", "User-Agent: stack"]
      request.body = operation.body
      if WebOrigin(place) == own {
        request.trust = endpoint.trust
        if let authorization { request.headers.append("Authorization: \(authorization)") }
      }
      let words = Collector(limit: 1 << 20)
      let answer = try perform(request, over: transfer, watch) { answer, bytes in
        accepts.contains(answer.status) ? body(answer, bytes) : words.take(bytes)
      }
      guard Self.redirections.contains(answer.status), let location = answer.first("location") else {
        return (answer, words.bytes)
      }
      guard let next = WebOrigin.resolve(location, from: place), let origin = WebOrigin(next),
        origin.scheme == "https" || own?.scheme == "http"
      else {
        throw RegistryError(.bad, "\(endpoint.host) leads to a place that is not asked: \(location.prefix(300))")
      }
      place = next
    }
    throw RegistryError(
      .bad, "\(endpoint.host) leads from one place to another more than \(Self.mostRedirections) times")
  }

  func perform(
    _ request: Transfer.Request, over transfer: Transfer, _ watch: RequestWatch,
    body: @escaping (Transfer.Answer, UnsafeRawBufferPointer) -> Bool
  ) throws(RegistryError) -> Transfer.Answer {
    let host = WebOrigin(request.url)?.address ?? endpoint.host
    do throws(Transfer.Failure) {
      let answer = try transfer.perform(request, isStopped: watch.isStopped, body: body)
      hasAnswered.store(true, ordering: .relaxed)
      return answer
    } catch {
      switch error {
      case .unreachable(let words):
        throw RegistryError(
          hasAnswered.load(ordering: .relaxed) ? .broken : .unreachable, "cannot reach \(host): \(words)",
          remedy: "see that the name is right and the network is up")
      case .untrusted(let words):
        let folder = "/etc/containers/certs.d/\(reference.domain)"
        throw RegistryError(
          .untrusted, "cannot trust \(host): \(words)",
          remedy:
            "put its authority's certificate into \(folder)/ca.crt; what it wants of us, into us.cert and us.key there")
      case .brokenOff(let words):
        throw RegistryError(
          .broken, "the connection to \(host) broke off: \(words)", remedy: "try again: what has come is kept")
      case .badAddress(let words): throw RegistryError(.bad, "\(host) has no proper address: \(words)")
      case .keptOff: throw RegistryError(.denied, "\(host) has an address of this host's alone")
      case .stopped: throw RegistryError.stopped
      }
    }
  }

  func refusal(_ answer: Transfer.Answer, _ words: [UInt8], _ what: String) -> RegistryError {
    let said = RegistryWords(words).text.map { ": \($0)" } ?? ""
    let host = endpoint.host
    switch answer.status {
    case 401, 403:
      let files = login.places.joined(separator: ", ")
      return RegistryError(
        .denied, "\(host) denies \(what)\(said)",
        remedy:
          "see that the name is right; if it is private: stack login \(reference.domain) (looked for credentials in \(files))"
      )
    case 404:
      return RegistryError(
        .missing, "\(host) has \(what == Self.image ? "no such image" : "no \(what)")\(said)",
        remedy: "see that the name and the tag are right")
    case 429:
      var error = RegistryError(
        .rateLimited, "\(host) has sent as much as it sends in a while\(said)",
        remedy: "wait, or log in: stack login \(reference.domain)")
      error.retryAfter = answer.first("retry-after")
      return error
    case 408, 500, 502, 503, 504:
      var error = RegistryError(
        .broken, "\(host) answers \(answer.status) for \(what)\(said)", remedy: "try again later")
      error.retryAfter = answer.first("retry-after")
      return error
    default: return RegistryError(.bad, "\(host) answers \(answer.status) for \(what)\(said)")
    }
  }

  // MARK: Trying again

  /// Tries an operation again when what failed may pass, and says so.
  ///
  /// - Parameter progress: how far it has come. One that goes forward is not given up.
  func retrying<Value>(
    _ watch: RequestWatch, progress: () -> Int64 = { 0 }, _ body: () throws(RegistryError) -> Value
  ) throws(RegistryError) -> Value {
    var (attempt, reached) = (0, progress())
    while true {
      do {
        return try body()
      } catch {
        if progress() >= reached + 1 << 20 { (attempt, reached) = (0, progress()) }
        attempt += 1
        guard [.broken, .rateLimited].contains(error.kind), attempt < delays.most else { throw error }
        let delay = delays.delay(attempt, retryAfter: error.retryAfter)
        if delay >= 0.5 {
          watch.notify("\(error.description); trying again in \(Int(delay.rounded(.up))) s")
        }
        guard delays.wait(delay, watch.isStopped) else { throw RegistryError.stopped }
      }
    }
  }
}
