import ImageReference
import Testing

@testable import Registry

struct RegistryTests {
  @Test(arguments: [
    (
      [#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#],
      "bearer",
      ["realm": "https://auth.docker.io/token", "service": "registry.docker.io", "scope": "repository:a/b:pull,push"]
    ),
    ([#"bEaReR Realm = "https://x/a,b\"c" , service=y"#], "bearer", ["realm": #"https://x/a,b"c"#, "service": "y"]),
    ([#"Basic realm="r", Bearer realm="https://t""#], "bearer", ["realm": "https://t"]),
    (["Basic", #"Bearer realm="https://t""#], "bearer", ["realm": "https://t"]),
    ([#"Basic realm="only""#], "basic", ["realm": "only"]),
    ([#"Negotiate, Basic realm="x""#], "basic", ["realm": "x"]),
  ])
  func challengesAreRead(_ headers: [String], scheme: String, parameters: [String: String]) {
    let challenge = AuthenticationChallenge.preferred(AuthenticationChallenge.all(in: headers))
    #expect(challenge == AuthenticationChallenge(scheme: scheme, parameters: parameters))
  }

  @Test(arguments: ["", ",,,", "=", "\"", "Bearer realm=\"", "Bearer realm=\\", "Digest a=b"])
  func damagedChallengesEnd(_ header: String) {
    _ = AuthenticationChallenge.all(in: [header])
  }

  private func find(_ repository: String, _ json: String, environment: [String: String] = [:]) throws -> Credentials? {
    let files = CredentialFiles(environment: environment.merging(["HOME": "/h"]) { a, _ in a }) { path in
      path == "/h/.docker/config.json" ? Array(json.utf8) : nil
    }
    return try files.credentials(for: repository)
  }

  @Test func theLongestPathDecides() throws {
    // user:host, user:path
    let json = #"{"auths":{"https://r.example/v2/":{"auth":"dXNlcjpob3N0"},"r.example/a":{"auth":"dXNlcjpwYXRo"}}}"#
    #expect(try find("r.example/a/b", json)?.password == "path")
    #expect(try find("r.example/ab", json)?.password == "host")
    #expect(try find("other.example/a", json) == nil)
  }

  @Test func dockersOwnRegistryHasAKeyOfItsOwn() throws {
    let json = #"{"auths":{"https://index.docker.io/v1/":{"auth":"bWU6cGFzczp3b3Jk"}}}"#
    #expect(try find("docker.io/library/nginx", json) == Credentials(user: "me", password: "pass:word"))
  }

  @Test func identityTokensStandForPasswords() throws {
    let json = #"{"auths":{"r.example":{"auth":"MDA6","identitytoken":"secret"}}}"#
    #expect(try find("r.example/a", json)?.refreshToken == "secret")
  }

  @Test func theEnvironmentGoesFirst() throws {
    let environment = ["DOCKER_AUTH_CONFIG": #"{"auths":{"r.example":{"username":"e","password":"p"}}}"#]
    let json = #"{"auths":{"r.example":{"auth":"dXNlcjpob3N0"}}}"#
    #expect(try find("r.example/a", json, environment: environment)?.user == "e")
  }

  @Test func aHelperThatIsNotThereIsAnErrorAndNobodyElsesCredentials() {
    let entry = #""auths":{"r.example":{"auth":"dXNlcjpob3N0"}}"#
    #expect(throws: CredentialError.self) {
      try find("r.example/a", #"{"credHelpers":{"r.example":"none"},\#(entry)}"#)
    }
    #expect(throws: CredentialError.self) { try find("r.example/a", #"{"credsStore":"none",\#(entry)}"#) }
    #expect(throws: CredentialError.self) { try find("r.example/a", #"{"credsStore":"../sh",\#(entry)}"#) }
  }

  @Test func damagedCredentialsAreAnError() {
    #expect(throws: CredentialError.self) { try find("r.example/a", "{") }
    #expect(throws: CredentialError.self) { try find("r.example/a", #"{"auths":{"r.example":{"auth":"!"}}}"#) }
    #expect(throws: CredentialError.self) { try find("r.example/a", #"{"auths":{"r.example":{"auth":"dXNlcg=="}}}"#) }
  }

  @Test(arguments: [
    ("127.0.0.1:5000", true), ("127.9.9.9", true), ("localhost:1", true), ("localhost", true), ("[::1]:5000", true),
    ("[::2]:5000", false), ("128.0.0.1", false), ("127.0.0.1.example", false), ("localhost.example", false),
  ])
  func onlyTheLoopbackIsPlain(_ domain: String, isPlain: Bool) throws {
    let endpoint = try RegistryEndpoint(try ImageReference("\(domain)/a"), folders: [])
    #expect(endpoint.isPlain == isPlain)
  }

  @Test(arguments: [
    ("10.1.2.3", true), ("172.16.0.1", true), ("172.32.0.1", false), ("192.168.9.9", true), ("169.254.169.254", true),
    ("8.8.8.8", false), ("::1", true), ("fd00::1", true), ("fe80::1", true), ("2001:db8::1", false),
    ("auth.example", false),
    ("::ffff:10.0.0.1", true),
  ])
  func privateAddressesAreKnown(_ host: String, isPrivate: Bool) {
    #expect(RegistryEndpoint.isPrivateAddress(Substring(host)) == isPrivate)
  }

  @Test(arguments: [
    ("https://a.example/v2/x?q=1", "/y", "https://a.example/y"),
    ("https://a.example/v2/x", "y?z", "https://a.example/v2/y?z"),
    ("https://a.example", "y", "https://a.example/y"), ("https://a.example/x", "//b.example/y", "https://b.example/y"),
    ("http://a:5000/x", "https://b/y", "https://b/y"),
  ])
  func redirectionsMayBeRelative(_ from: String, location: String, to: String) {
    #expect(WebOrigin.resolve(location, from: from) == to)
  }

  @Test func anOriginIsSchemeHostAndPort() {
    #expect(WebOrigin("https://A.example/x") == WebOrigin("https://a.example:443/y"))
    #expect(WebOrigin("https://a.example") != WebOrigin("http://a.example"))
    #expect(WebOrigin("https://a.example") != WebOrigin("https://a.example.evil"))
    #expect(WebOrigin("https://a.example@evil/x")?.host == "evil")
    #expect(WebOrigin("ftp://a.example") == nil)
    #expect(WebOrigin("https://a.example:99999") == nil)
  }

  @Test func delaysGrowAndEnd() {
    let delays = RetryDelays()
    #expect(delays.delay(1, retryAfter: nil, jitter: 0.5, now: 0) == 2)
    #expect(delays.delay(3, retryAfter: nil, jitter: 0.5, now: 0) == 8)
    #expect(delays.delay(20, retryAfter: nil, jitter: 0.5, now: 0) == 60)
    #expect(delays.delay(1, retryAfter: "7", jitter: 0, now: 0) == 7)
    #expect(delays.delay(1, retryAfter: "Sun, 06 Nov 1994 08:49:37 GMT", jitter: 0, now: 784_111_760) == 17)
    #expect(delays.delay(1, retryAfter: "99999", jitter: 0, now: 0) == 60)
    // A text that is no time counts as none.
    for text in ["nan", "inf", "-1", "Sun, 06 Nov -2147483648 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT"] {
      #expect(delays.delay(1, retryAfter: text, jitter: 0.5, now: 0) == 2)
    }
  }

  private static func text(of body: Transfer.Body?) -> String {
    if case .bytes(let bytes)? = body { String(decoding: bytes, as: UTF8.self) } else { "" }
  }

  @Test func tokensAreAskedForAsTheSpecificationSays() {
    let request = TokenRequest(realm: "https://auth.example/token", service: "a b", scopes: ["repository:a/b:pull"])
    #expect(request.plain(nil).url == "https://auth.example/token?service=a%20b&scope=repository%3Aa%2Fb%3Apull")
    #expect(request.plain(Credentials(user: "u", password: "p")).headers == ["Authorization: Basic dTpw"])
    #expect(Self.text(of: request.exchange("r").body).contains("grant_type=refresh_token"))
  }
}
