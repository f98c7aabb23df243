import FoundationEssentials
import Glibc
import ImageReference
import Synchronization

extension RegistryClient {
  /// Asks the registry once what it wants to know: some say so only here.
  func findChallenge(_ transfer: Transfer, _ watch: RequestWatch) throws(RegistryError) {
    try authority.withLock { (authority) throws(RegistryError) in
      guard !authority.hasAsked else { return }
      let answer: Transfer.Answer
      do throws(RegistryError) {
        answer = try askForChallenge(transfer, watch)
      } catch {
        guard endpoint.fallsBack, [.unreachable, .untrusted, .broken].contains(error.kind) else { throw error }
        hasFallenBack.store(true, ordering: .relaxed)
        answer = try askForChallenge(transfer, watch)
      }
      authority.hasAsked = true
      guard answer.status == 401 else { return }
      authority.challenge = AuthenticationChallenge.preferred(
        AuthenticationChallenge.all(in: answer.all("www-authenticate")))
    }
  }

  private func askForChallenge(_ transfer: Transfer, _ watch: RequestWatch) throws(RegistryError) -> Transfer.Answer {
    var request = Transfer.Request(url: "\(url)/v2/")
    request.headers = ["User-Agent: stack"]
    request.trust = endpoint.trust
    let words = Collector(limit: 1 << 20)
    let answer = try perform(request, over: transfer, watch) { _, bytes in words.take(bytes) }
    if [408, 429, 500, 502, 503, 504].contains(answer.status) { throw refusal(answer, words.bytes, "an answer") }
    return answer
  }

  /// The credentials of a request now. A token that ends soon is fetched anew.
  func currentAuthorization(_ transfer: Transfer, _ watch: RequestWatch) throws(RegistryError) -> String? {
    try authority.withLock { (authority) throws(RegistryError) in
      guard let challenge = authority.challenge else { return nil }
      if authority.header == nil || authority.expires < Self.now + 10 {
        try authorize(&authority, challenge, over: transfer, watch)
      }
      return authority.header
    }
  }

  func renew(
    _ challenge: AuthenticationChallenge, over transfer: Transfer, _ watch: RequestWatch
  ) throws(RegistryError) {
    try authority.withLock { (authority) throws(RegistryError) in
      authority.challenge = challenge
      try authorize(&authority, challenge, over: transfer, watch)
    }
  }

  private func authorize(
    _ authority: inout Authority, _ challenge: AuthenticationChallenge, over transfer: Transfer, _ watch: RequestWatch
  ) throws(RegistryError) {
    if let failure = login.failure {
      throw RegistryError(.denied, failure, remedy: "correct that, or log in: stack login \(reference.domain)")
    }
    let found = login.credentials
    guard challenge.scheme == "bearer", let realm = challenge.parameters["realm"] else {
      (authority.header, authority.expires) = (found?.basic, .infinity)
      return
    }
    try check(realm: realm)
    let token = TokenRequest(
      realm: realm, service: challenge.parameters["service"], scopes: scopes(wantedBy: challenge))
    var (answer, words) = (Transfer.Answer(), [UInt8]())
    if let refresh = found?.refreshToken {
      (answer, words) = try ask(token.exchange(refresh), over: transfer, watch)
    }
    // Some know no POST (containerd's list: Azure, Artifactory), and then the password counts.
    if answer.status != 200 {
      (answer, words) = try ask(token.plain(found, isLogin: reference.path.isEmpty), over: transfer, watch)
    }
    guard answer.status == 200 else {
      throw refusal(answer, words, reference.path.isEmpty ? "the login" : "a token for \(reference.repository)")
    }
    guard let reply = try? JSONDecoder().decode(TokenReply.self, from: Data(words)), let text = reply.text else {
      throw RegistryError(.bad, "\(WebOrigin(realm)?.host ?? realm) sent no token")
    }
    (authority.header, authority.expires) = ("Bearer \(text)", Self.now + reply.seconds)
    authority.identityToken = reply.refreshToken
  }

  /// The scopes that this client needs, and those that the registry names.
  private func scopes(wantedBy challenge: AuthenticationChallenge) -> [String] {
    let wanted = (challenge.parameters["scope"] ?? "").split(separator: " ").map(String.init)
    let further = wanted.filter { scope in
      // A registry names only the right that one request takes.
      guard let colon = scope.lastIndex(of: ":") else { return true }
      return !scopes.contains { $0.hasPrefix(scope[...colon]) }
    }
    return scopes + further
  }

  private func ask(
    _ request: Transfer.Request, over transfer: Transfer, _ watch: RequestWatch
  ) throws(RegistryError) -> (Transfer.Answer, [UInt8]) {
    var request = request
    request.headers.append("User-Agent: stack")
    // The same certificates count as for the registry (CVE-2019-10214).
    request.trust = endpoint.trust
    let words = Collector(limit: 1 << 20)
    let answer = try perform(request, over: transfer, watch) { _, bytes in words.take(bytes) }
    if [408, 429, 500, 502, 503, 504].contains(answer.status) { throw refusal(answer, words.bytes, "a token") }
    return (answer, words.bytes)
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
