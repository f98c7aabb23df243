import Foundation
import Glibc
import Testing

private let hasTools = ["docker-registry", "skopeo", "openssl"].allSatisfy { access("/usr/bin/\($0)", X_OK) == 0 }

/// Pulls from Debian's docker-registry with TLS, with each kind of login, and by the administrator's settings for registries.
@Suite(.enabled(if: hasTools, "docker-registry, skopeo or openssl is not installed: tools/setup --tests"))
struct RegistryFlowTests {
  private static let image = "registry.test:5000/team/web:1"

  /// Pushes the image with a program that is not ours.
  private func push(on host: ThrowawayHost, _ options: String..., to image: String = RegistryFlowTests.image) throws {
    let command = ["skopeo", "copy", "-q"] + options + ["oci:/run/layout:test", "docker://\(image)"]
    let outcome = try host.start(command).wait(limit: .seconds(60))
    guard outcome.status == 0 else { throw HarnessError("\(outcome)") }
  }

  // MARK: Login

  private static let tokenAuth = """
    auth:
      token: {realm: "https://auth.test:5001/token", service: test, issuer: test, rootcertbundle: /run/tls/ca.crt}
    """

  private func startTokenServer(_ host: ThrowawayHost, _ more: [String: Any] = [:]) throws -> TestRegistry {
    let bearer: [String: Any] = ["realm": "", "users": ["ann": "secret"], "jwt": ThrowawayHost.tls]
    return try host.startRegistry([
      "listen": [["127.0.0.2", 5001]], "tls": ThrowawayHost.tls, "bearer": bearer.merging(more) { $1 },
    ])
  }

  @Test func aTokenIsFetchedWithThePasswordOfALogin() throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries()
      let registry = try host.startDockerRegistry(Self.tokenAuth)
      let tokens = try startTokenServer(host)
      try push(on: host, "--dest-creds", "ann:secret")

      let denied = try host.run("stack", "pull", Self.image)
      #expect(denied.status == 1 && denied.errors.contains("registry.test:5000 denies"), "\(denied.errors)")
      #expect(denied.errors.contains("stack login registry.test:5000") && denied.errors.contains(".docker/config.json"))
      let wrong = try host.run(
        "stack", "login", "registry.test:5000", "-u", "ann", "--password-stdin", input: Data("wrong\n".utf8))
      #expect(wrong.status == 1 && wrong.errors.contains("incorrect username or password"), "\(wrong.errors)")

      let home = ["HOME": "/run/home"]
      _ = try host.run(
        "stack", "login", "registry.test:5000", "-u", "ann", "--password-stdin", input: Data("secret\n".utf8),
        environment: home)
      #expect(try host.succeed("stat", "-c", "%a", "/run/home/.docker/config.json") == "600")
      try host.succeed("stack", "pull", Self.image, environment: home)
      let scopes = try tokens.requests().filter { $0.authorization != nil && $0.path.contains("team") }.map(\.path)
      #expect(scopes.contains { $0.contains("scope=repository%3Ateam%2Fweb%3Apull") })
      // A password goes to the token server alone.
      #expect(!registry.output.contains("secret"))
      try host.succeed("stack", "logout", "registry.test:5000", environment: home)
      try host.succeed("stack", "image", "prune", "--all")
      #expect(try host.run("stack", "pull", Self.image, environment: home).status == 1)
    }
  }

  @Test func basicCredentialsOfDockerAndPodmanAreUsed() throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries()
      try host.succeed(
        "/usr/bin/python3", "-W", "ignore", "-c",
        "import crypt; print('ann:' + crypt.crypt('secret', crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=32)), file=open('/run/users', 'w'))"
      )
      let registry = try host.startDockerRegistry("auth: {htpasswd: {realm: test, path: /run/users}}")
      defer { withExtendedLifetime(registry) {} }
      try push(on: host, "--dest-creds", "ann:secret")
      #expect(try host.run("stack", "pull", Self.image).status == 1)
      try host.succeed(
        "skopeo", "login", "--authfile", "/run/auth.json", "-u", "ann", "-p", "secret", "registry.test:5000")
      try host.succeed("stack", "pull", Self.image, environment: ["REGISTRY_AUTH_FILE": "/run/auth.json"])
      try host.succeed("stack", "image", "prune", "--all")
      let entry = #"{"auths":{"registry.test:5000/team":{"auth":"\#(Data("ann:secret".utf8).base64EncodedString())"}}}"#
      try host.succeed("stack", "pull", Self.image, environment: ["DOCKER_AUTH_CONFIG": entry])
    }
  }

  // MARK: Certificates

  @Test func anAuthorityOfItsOwnIsTrustedForItsRegistry() throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries()
      // No longer one of the system's.
      try host.succeed("cp", "/run/etc/upper/hosts", "/run/hosts")
      let registry = try host.startDockerRegistry("")
      defer { withExtendedLifetime(registry) {} }
      try push(on: host)
      try host.succeed("bash", "-c", "sed -i '/BEGIN/,$d' /etc/ssl/certs/ca-certificates.crt")
      let refused = try host.run("stack", "pull", Self.image)
      #expect(refused.status == 1 && refused.errors.contains("cannot trust registry.test:5000"), "\(refused.errors)")
      #expect(refused.errors.contains("/etc/containers/certs.d/registry.test:5000/ca.crt"))
      try host.succeed(
        "install", "-D", "/run/tls/ca.crt", "/etc/docker/certs.d/registry.test:5000/ca.crt")
      try host.succeed("stack", "pull", Self.image)
    }
  }

  @Test func aClientsCertificateIsShown() throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries()
      var settings = ThrowawayHost.tls
      settings["clients"] = "/run/tls/ca.crt"
      let registry = try host.startRegistry(["listen": [["127.0.0.2", 5000]], "tls": settings])
      defer { withExtendedLifetime(registry) {} }
      #expect(try host.run("stack", "pull", "registry.test:5000/a:test").status == 1)
      try host.succeed(
        "bash", "-c",
        """
        set -e
        folder=/etc/containers/certs.d/registry.test:5000; mkdir -p $folder; cd /run/tls
        openssl req -newkey rsa:2048 -nodes -keyout $folder/us.key -out us.csr -subj /CN=us 2>/dev/null
        openssl x509 -req -in us.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out $folder/us.cert -days 2 2>/dev/null
        chmod 600 $folder/us.key
        """)
      try host.succeed("stack", "pull", "registry.test:5000/a:test")
    }
  }

  // MARK: Settings for registries

  private static let settings = ["CONTAINERS_REGISTRIES_CONF": "/run/registries.conf"]

  @Test func aMirrorOfDockersRegistryIsAskedFirst() throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries()
      let mirror = try host.startDockerRegistry("")
      let hub = try host.startRegistry(["listen": [["127.0.0.2", 443]], "tls": ThrowawayHost.tls])
      defer { withExtendedLifetime(mirror) {} }
      try push(on: host, to: "registry.test:5000/hub/library/web:1")
      try host.write(
        """
        [[registry]]
        prefix = "docker.io"
        location = "docker.io"
        [[registry.mirror]]
        location = "127.0.0.2:5999"   # nobody listens there
        [[registry.mirror]]
        location = "registry.test:5000/hub"
        """, to: "/run/registries.conf")
      let secret = #"{"auths":{"https://index.docker.io/v1/":{"username":"me","password":"pass"}}}"#
      let environment = Self.settings.merging(["DOCKER_AUTH_CONFIG": secret]) { $1 }
      let pulled = try host.run("stack", "pull", "web:1", environment: environment)
      #expect(pulled.status == 0 && pulled.duration < .seconds(20), "\(pulled)")
      #expect(try hub.requests().isEmpty)
      #expect(try host.succeed("stack", "images").contains("web"))
      // The mirror has no such image: the registry itself has.
      try host.succeed("stack", "pull", "busybox:test", environment: Self.settings)
      #expect(try hub.requests().contains { $0.path == "/v2/library/busybox/manifests/test" })
      #expect(try hub.requests().allSatisfy { $0.authorization == nil })
    }
  }

  @Test func dockersOwnMirrorsCountForItsRegistry() throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries()
      let mirror = try host.startRegistry(["listen": [["127.0.0.2", 5003]]])
      try host.write(#"{"registry-mirrors": ["http://registry.test:5003"]}"#, to: "/etc/docker/daemon.json")
      try host.succeed("stack", "pull", "web:test", environment: ["CONTAINERS_REGISTRIES_CONF": "/dev/null"])
      #expect(try mirror.requests().contains { $0.path == "/v2/library/web/manifests/test" })
    }
  }

  @Test func blockedAndInsecureRegistriesAreKnown() throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries()
      let plain = try host.startRegistry(["listen": [["127.0.0.2", 5003]]])
      let unknown = try host.startRegistry(
        [
          "listen": [["127.0.0.2", 5004]],
          "tls": ["certificate": "/run/tls/other.crt", "key": "/run/tls/server.key"],
        ].merging(try selfSigned(on: host)) { $1 })
      defer { withExtendedLifetime((plain, unknown)) {} }
      try host.write(
        """
        [[registry]]
        location = "registry.test:5003"
        insecure = true
        [[registry]]
        location = "registry.test:5004"
        insecure = true
        [[registry]]
        prefix = "registry.test:5003/bad"
        location = "registry.test:5003/bad"
        blocked = true
        """, to: "/run/registries.conf")
      for port in [5003, 5004] {
        #expect(try host.run("stack", "pull", "registry.test:\(port)/a:test").status == 1)
        try host.succeed("stack", "pull", "registry.test:\(port)/a:test", environment: Self.settings)
        try host.succeed("stack", "image", "prune", "--all")
      }
      let blocked = try host.run("stack", "pull", "registry.test:5003/bad/a:test", environment: Self.settings)
      #expect(blocked.status == 1 && blocked.errors.contains("registry.test:5003/bad is blocked"), "\(blocked.errors)")
    }
  }

  /// Settings of a registry with a certificate that nobody vouches for.
  private func selfSigned(on host: ThrowawayHost) throws -> [String: Any] {
    try host.succeed(
      "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/run/tls/self.key", "-out",
      "/run/tls/self.crt", "-days", "2", "-subj", "/CN=somebody")
    return ["tls": ["certificate": "/run/tls/self.crt", "key": "/run/tls/self.key"]]
  }

  // MARK: Proxies, another machine

  @Test func aProxyIsUsedUnlessTheRegistryIsExempt() throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries()
      let registry = try host.startRegistry(
        ["listen": [["198.51.100.1", 5000]], "tls": ThrowawayHost.tls], from: .outside)
      let script = "\(Repository.root)/Tests/EndToEndTests/Scripts/test-proxy.py"
      let proxy = try host.start(["python3", script, "127.0.0.2", "3128", "/run/proxy.log"])
      defer { withExtendedLifetime((registry, proxy)) {} }
      guard host.eventually({ (try? host.run("bash", "-c", "exec 3<>/dev/tcp/127.0.0.2/3128").status) == 0 }) else {
        throw HarnessError("the proxy does not start")
      }
      let image = "198.51.100.1:5000/a:test"
      try host.succeed("stack", "pull", image, environment: ["HTTPS_PROXY": "http://127.0.0.2:3128"])
      #expect(try host.succeed("cat", "/run/proxy.log").contains("CONNECT 198.51.100.1:5000"))
      try host.succeed("stack", "image", "prune", "--all")
      try host.succeed("rm", "/run/proxy.log")
      try host.succeed(
        "stack", "pull", image,
        environment: ["https_proxy": "http://127.0.0.2:3999", "NO_PROXY": "198.51.100.1,example.org"])
      let dead = try host.run(
        "stack", "pull", image, environment: ["https_proxy": "http://127.0.0.2:3999"])
      #expect(dead.status == 1 && dead.errors.contains("127.0.0.2"), "\(dead.errors)")
    }
  }
}
