import Digests
import FoundationEssentials
import Glibc
import ImageFormat
import ImageReference
import Kernel
import Synchronization

/// The pulling half of the OCI distribution specification, for one repository.
package final class RegistryClient: Sendable {
  package let reference: ImageReference
  let endpoint: RegistryEndpoint
  private let credentials: CredentialFiles
  private let authority: Mutex<Authority>
  private let cancellation: Cancellation
  private let delays: RetryDelays
  private let hasFallenBack = Atomic(false)

  /// What requests of this repository carry. One thread at a time finds it out.
  private struct Authority {
    var header: String?
    var expires: Double = .infinity
    var challenge: AuthenticationChallenge?
    var hasAsked = false
  }

  package init(
    _ reference: ImageReference, endpoint: RegistryEndpoint, credentials: CredentialFiles,
    cancellation: Cancellation = Cancellation(), delays: RetryDelays = RetryDelays()
  ) {
    (self.reference, self.endpoint, self.credentials) = (reference, endpoint, credentials)
    (self.cancellation, self.delays) = (cancellation, delays)
    authority = Mutex(Authority())
  }

  private var url: String {
    endpoint.url(isPlain: endpoint.isPlain || hasFallenBack.load(ordering: .relaxed))
  }

  private static let image = "this image"

  // MARK: Manifests

  package struct Manifest: Sendable {
    package var bytes: [UInt8]
    package var type: String?
    package var digest: ContentDigest
  }

  /// The manifest under a tag or a digest.
  package func manifest(_ selector: String) throws(RegistryError) -> Manifest {
    let url = "\(self.url)/v2/\(reference.path)/manifests/\(selector)"
    let headers = MediaType.accepted.map { "Accept: \($0)" }
    let (answer, bytes) = try fetch(url, headers, limit: ManifestDocument.limit, what: Self.image)
    let wanted = ContentDigest(selector)
    let digest = try hash(bytes, wanted?.algorithm ?? .sha256)
    guard wanted == nil || digest == wanted else {
      throw RegistryError(
        .bad, "\(endpoint.host) sent a manifest with the digest \(digest) for \(selector)",
        remedy: "the registry or somebody on the way to it is at fault: pull again, or ask who runs it")
    }
    if wanted == nil, let said = answer.first("docker-content-digest"), let named = ContentDigest(said),
      try hash(bytes, named.algorithm) != named
    {
      throw RegistryError(.bad, "\(endpoint.host) sent a manifest that is not the one with the digest it names")
    }
    return Manifest(bytes: bytes, type: answer.first("content-type"), digest: digest)
  }

  /// A small blob, such as a configuration, checked.
  package func blob(_ blob: BlobDescriptor, limit: Int) throws(RegistryError) -> [UInt8] {
    let url = "\(self.url)/v2/\(reference.path)/blobs/\(blob.digest)"
    let (_, bytes) = try fetch(url, [], limit: limit, what: "blob \(blob.digest.short)")
    guard Int64(bytes.count) == blob.size, try hash(bytes, blob.digest.algorithm) == blob.digest else {
      throw RegistryError(
        .bad, "\(endpoint.host) sent other bytes for \(blob.digest.short) than the manifest names",
        remedy: "pull again; if it stays so, the registry is damaged")
    }
    return bytes
  }

  private func hash(_ bytes: [UInt8], _ algorithm: ContentDigest.Algorithm) throws(RegistryError) -> ContentDigest {
    do {
      return try ContentHash.digest(of: bytes, algorithm)
    } catch {
      throw RegistryError(.broken, "\(error)", remedy: LibraryError.remedy)
    }
  }

  private func fetch(
    _ url: String, _ headers: [String], limit: Int, what: String
  ) throws(RegistryError) -> (Transfer.Answer, [UInt8]) {
    let transfer = try makeTransfer()
    return try retrying(what) { () throws(RegistryError) in
      let collector = Collector(limit: limit)
      let answer = try send(url, headers, over: transfer, what: what) { _, bytes in collector.take(bytes) }
      guard !collector.isOver else {
        throw RegistryError(.bad, "\(endpoint.host) sent more than \(limit) bytes for \(what)")
      }
      return (answer, collector.bytes)
    }
  }

  /// Has the registry check the credentials that there are.
  package func logIn() throws(RegistryError) {
    let transfer = try makeTransfer()
    _ = try send("\(url)/v2/", [], over: transfer, what: "the login") { _, _ in true }
  }

  // MARK: Layers

  /// Brings a blob, from a place on. `take` gets its bytes in order, and answers whether to go on.
  ///
  /// - Parameters:
  ///   - start: how many bytes are there already.
  ///   - restart: the registry cannot send a part: all begins anew.
  package func download(
    _ blob: BlobDescriptor, from start: Int64, restart: @escaping () -> Bool,
    take: @escaping (UnsafeRawBufferPointer) -> Bool
  ) throws(RegistryError) {
    let transfer = try makeTransfer()
    let url = "\(self.url)/v2/\(reference.path)/blobs/\(blob.digest)"
    let what = "layer \(blob.digest.short)"
    let progress = Progress(start)
    try retrying(what) { () throws(RegistryError) in
      guard progress.have < blob.size else { return }
      let headers = progress.have > 0 ? ["Range: bytes=\(progress.have)-"] : []
      var hasBegun = false
      _ = try send(url, headers, over: transfer, what: what) { answer, bytes in
        if !hasBegun {
          hasBegun = true
          let begins = answer.status == 206 ? Self.start(ofRange: answer.first("content-range")) : 0
          if begins != progress.have {
            guard begins == 0, restart() else {
              progress.isWrong = true
              return false
            }
            progress.have = 0
          }
        }
        guard progress.have + Int64(bytes.count) <= blob.size else {
          progress.isTooLong = true
          return false
        }
        progress.have += Int64(bytes.count)
        return take(bytes)
      }
      if progress.isTooLong {
        throw RegistryError(.bad, "\(endpoint.host) sends more than the \(blob.size) bytes of \(what)")
      }
      if progress.isWrong {
        throw RegistryError(.bad, "\(endpoint.host) sends another part of \(what) than was asked for")
      }
      guard progress.have == blob.size else {
        throw RegistryError(
          .broken, "\(endpoint.host) sent \(progress.have) of the \(blob.size) bytes of \(what)",
          remedy: "pull again: what has come is kept")
      }
    }
  }

  private final class Progress {
    var have: Int64
    var isTooLong = false
    var isWrong = false
    init(_ have: Int64) { self.have = have }
  }

  /// `bytes 100-199/200` begins at 100.
  private static func start(ofRange text: String?) -> Int64? {
    guard let text, let space = text.firstIndex(of: " "), let dash = text.firstIndex(of: "-"), space < dash else {
      return nil
    }
    return Int64(text[text.index(after: space)..<dash])
  }

  // MARK: Requests

  private func makeTransfer() throws(RegistryError) -> Transfer {
    do {
      return try Transfer()
    } catch {
      throw RegistryError(.broken, "\(error)", remedy: LibraryError.remedy)
    }
  }

  private static let mostRedirections = 10

  /// Sends a GET, with what the registry asks for and along its redirections.
  private func send(
    _ url: String, _ headers: [String], over transfer: Transfer, what: String,
    body: @escaping (Transfer.Answer, UnsafeRawBufferPointer) -> Bool
  ) throws(RegistryError) -> Transfer.Answer {
    try findChallenge(transfer)
    var hasRenewed = false
    while true {
      let (answer, words) = try sendOnce(url, headers, over: transfer, body: body)
      switch answer.status {
      case 200, 206: return answer
      case 401 where !hasRenewed:
        hasRenewed = true
        let challenges = AuthenticationChallenge.all(in: answer.all("www-authenticate"))
        guard let challenge = AuthenticationChallenge.preferred(challenges) else {
          throw refusal(answer, words, what)
        }
        try renew(challenge, over: transfer)
      default: throw refusal(answer, words, what)
      }
    }
  }

  private func sendOnce(
    _ url: String, _ headers: [String], over transfer: Transfer,
    body: @escaping (Transfer.Answer, UnsafeRawBufferPointer) -> Bool
  ) throws(RegistryError) -> (Transfer.Answer, [UInt8]) {
    let own = WebOrigin(url)
    let authorization = try currentAuthorization(transfer)
    var place = url
    for _ in 0...Self.mostRedirections {
      var request = Transfer.Request(url: place)
      request.headers = headers + ["Accept-Encoding: identity", "User-Agent: stack"]
      if WebOrigin(place) == own {
        request.trust = endpoint.trust
        if let authorization { request.headers.append("Authorization: \(authorization)") }
      }
      let words = Collector(limit: 1 << 20)
      let answer = try perform(request, over: transfer) { answer, bytes in
        [200, 206].contains(answer.status) ? body(answer, bytes) : words.take(bytes)
      }
      guard [301, 302, 303, 307, 308].contains(answer.status), let location = answer.first("location") else {
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

  private func perform(
    _ request: Transfer.Request, over transfer: Transfer,
    body: @escaping (Transfer.Answer, UnsafeRawBufferPointer) -> Bool
  ) throws(RegistryError) -> Transfer.Answer {
    let host = WebOrigin(request.url)?.address ?? endpoint.host
    do throws(Transfer.Failure) {
      let cancellation = cancellation
      return try transfer.perform(request, isStopped: { cancellation.isRaised }, body: body)
    } catch {
      switch error {
      case .unreachable(let words):
        throw RegistryError(
          .unreachable, "cannot reach \(host): \(words)", remedy: "see that the name is right and the network is up")
      case .untrusted(let words):
        throw RegistryError(
          .untrusted, "cannot trust \(host): \(words)",
          remedy: "put its authority's certificate into /etc/containers/certs.d/\(reference.domain)/ca.crt")
      case .brokenOff(let words):
        throw RegistryError(
          .broken, "the connection to \(host) broke off: \(words)", remedy: "pull again: what has come is kept")
      case .badAddress(let words): throw RegistryError(.bad, "\(host) has no proper address: \(words)")
      case .stopped: throw RegistryError.stopped
      }
    }
  }

  private func refusal(_ answer: Transfer.Answer, _ words: [UInt8], _ what: String) -> RegistryError {
    let said = RegistryWords(words).text.map { ": \($0)" } ?? ""
    let host = endpoint.host
    switch answer.status {
    case 401, 403:
      let files = credentials.paths.joined(separator: ", ")
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
        .broken, "\(host) answers \(answer.status) for \(what)\(said)", remedy: "pull again later")
      error.retryAfter = answer.first("retry-after")
      return error
    default: return RegistryError(.bad, "\(host) answers \(answer.status) for \(what)\(said)")
    }
  }

  private func retrying<Value>(
    _ what: String, _ body: () throws(RegistryError) -> Value
  ) throws(RegistryError) -> Value {
    var attempt = 0
    while true {
      do {
        return try body()
      } catch {
        attempt += 1
        let isPassing = [.unreachable, .broken, .rateLimited].contains(error.kind)
        guard isPassing, attempt < delays.attempts(after: error.kind) else { throw error }
        guard delays.wait(attempt, error.retryAfter, cancellation) else { throw RegistryError.stopped }
      }
    }
  }

  // MARK: Authorization

  /// Asks the registry once what it wants to know: some say so only here.
  private func findChallenge(_ transfer: Transfer) throws(RegistryError) {
    try authority.withLock { (authority) throws(RegistryError) in
      guard !authority.hasAsked else { return }
      let answer: Transfer.Answer
      do throws(RegistryError) {
        answer = try askForChallenge(transfer)
      } catch {
        guard endpoint.fallsBack, [.unreachable, .untrusted, .broken].contains(error.kind) else { throw error }
        hasFallenBack.store(true, ordering: .relaxed)
        answer = try askForChallenge(transfer)
      }
      authority.hasAsked = true
      guard answer.status == 401 else { return }
      authority.challenge = AuthenticationChallenge.preferred(
        AuthenticationChallenge.all(in: answer.all("www-authenticate")))
    }
  }

  private func askForChallenge(_ transfer: Transfer) throws(RegistryError) -> Transfer.Answer {
    try retrying("an answer") { () throws(RegistryError) in
      var request = Transfer.Request(url: "\(url)/v2/")
      request.headers = ["User-Agent: stack"]
      request.trust = endpoint.trust
      let words = Collector(limit: 1 << 20)
      return try perform(request, over: transfer) { _, bytes in words.take(bytes) }
    }
  }

  /// What a request carries now: a token that ends soon is fetched anew.
  private func currentAuthorization(_ transfer: Transfer) throws(RegistryError) -> String? {
    try authority.withLock { (authority) throws(RegistryError) in
      guard let challenge = authority.challenge else { return nil }
      if authority.header == nil || authority.expires < Self.now + 10 {
        (authority.header, authority.expires) = try authorize(challenge, over: transfer)
      }
      return authority.header
    }
  }

  private func renew(_ challenge: AuthenticationChallenge, over transfer: Transfer) throws(RegistryError) {
    try authority.withLock { (authority) throws(RegistryError) in
      authority.challenge = challenge
      (authority.header, authority.expires) = try authorize(challenge, over: transfer)
    }
  }

  private func authorize(
    _ challenge: AuthenticationChallenge, over transfer: Transfer
  ) throws(RegistryError) -> (header: String?, expires: Double) {
    let found: Credentials?
    do {
      found = try credentials.credentials(for: reference.repository)
    } catch {
      throw RegistryError(.denied, "\(error)", remedy: "correct the file, or log in: stack login \(reference.domain)")
    }
    guard challenge.scheme == "bearer", let realm = challenge.parameters["realm"] else {
      return (found?.basic, .infinity)
    }
    try check(realm: realm)
    let scope = challenge.parameters["scope"] ?? (reference.path.isEmpty ? "" : "repository:\(reference.path):pull")
    let token = TokenRequest(
      realm: realm, service: challenge.parameters["service"], scopes: scope.split(separator: " ").map(String.init))
    var (answer, words) = (Transfer.Answer(), [UInt8]())
    if let refresh = found?.refreshToken {
      (answer, words) = try ask(token.exchange(refresh), over: transfer)
    }
    if answer.status != 200 {
      (answer, words) = try ask(token.plain(found), over: transfer)
    }
    guard answer.status == 200 else { throw refusal(answer, words, "a token for \(reference.repository)") }
    guard let reply = try? JSONDecoder().decode(TokenReply.self, from: Data(words)), let text = reply.text else {
      throw RegistryError(.bad, "\(WebOrigin(realm)?.host ?? realm) sent no token")
    }
    return ("Bearer \(text)", Self.now + Double(max(reply.expiresIn ?? 60, 60)))
  }

  private func ask(
    _ request: Transfer.Request, over transfer: Transfer
  ) throws(RegistryError) -> (Transfer.Answer, [UInt8]) {
    var request = request
    request.headers.append("User-Agent: stack")
    // The same certificates count as for the registry (CVE-2019-10214).
    request.trust = endpoint.trust
    return try retrying("a token") { () throws(RegistryError) in
      let words = Collector(limit: 1 << 20)
      let answer = try perform(request, over: transfer) { _, bytes in words.take(bytes) }
      if [408, 429, 500, 502, 503, 504].contains(answer.status) { throw refusal(answer, words.bytes, "a token") }
      return (answer, words.bytes)
    }
  }

  private func check(realm: String) throws(RegistryError) {
    guard let origin = WebOrigin(realm), origin.scheme == "https" || url.hasPrefix("http:") else {
      throw RegistryError(.bad, "\(endpoint.host) wants a token to be fetched without TLS: \(realm.prefix(300))")
    }
    let own = WebOrigin(url)?.host
    guard origin.host == own || !RegistryEndpoint.isPrivateAddress(Substring(origin.host)) else {
      throw RegistryError(
        .bad, "\(endpoint.host) wants a token to be fetched from a private address: \(origin.host)")
    }
  }

  private static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

/// Bytes of an answer, up to a limit.
final class Collector {
  private let limit: Int
  private(set) var bytes: [UInt8] = []
  private(set) var isOver = false

  init(limit: Int) { self.limit = limit }

  func take(_ piece: UnsafeRawBufferPointer) -> Bool {
    isOver = bytes.count + piece.count > limit
    if !isOver { bytes.append(contentsOf: piece) }
    return !isOver
  }
}

/// A registry's reasons for a refusal: `{"errors": [{"message": …}]}`, or a line of text.
struct RegistryWords {
  private struct Reply: Decodable {
    struct Entry: Decodable {
      var code: String?
      var message: String?
    }
    var errors: [Entry]?
    var details: String?
  }

  let text: String?

  init(_ bytes: [UInt8]) {
    let reply = try? JSONDecoder().decode(Reply.self, from: Data(bytes))
    let entry = reply?.errors?.first
    let words = entry?.message ?? entry?.code ?? reply?.details
    text = words.flatMap { $0.isEmpty ? nil : VisibleText.line(String($0.prefix(300))) }
  }
}
