import Foundation
import Glibc
import Testing

private let hasTools = ["openssl"].allSatisfy { access("/usr/bin/\($0)", X_OK) == 0 }

/// Logins that a program keeps, by the protocol of docker-credential-helpers.
@Suite(.enabled(if: hasTools, "openssl is not installed: tools/setup --tests"))
struct CredentialHelperTests {
  private static let image = "127.0.0.1:5000/a:test"

  /// A helper that keeps each entry in a file of /run/secrets, and writes down what it was asked.
  private static let helper = """
    #!/usr/bin/python3
    import json, os, sys
    os.makedirs("/run/secrets", exist_ok=True)
    text = sys.stdin.read()
    open("/run/helper.log", "a").write(sys.argv[1] + " " + text.strip() + "\\n")
    place = lambda url: "/run/secrets/" + url.replace("/", "_").strip()
    if sys.argv[1] == "store":
        entry = json.loads(text)
        json.dump(entry, open(place(entry["ServerURL"]), "w"))
    elif not os.path.exists(place(text)):
        print("credentials not found in native keychain")
        sys.exit(1)
    elif sys.argv[1] == "get":
        print(open(place(text)).read())
    else:
        os.unlink(place(text))
    """

  private func withHelper(
    _ settings: [String: Any], config: String = #"{"credsStore":"test"}"#,
    _ body: (ThrowawayHost, TestRegistry, [String: String]) throws -> Void
  ) throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries(layers: [1000])
      let registry = try host.startRegistry(["listen": [["127.0.0.1", 5000]]].merging(settings) { $1 })
      try host.write(Self.helper, to: "/run/bin/docker-credential-test")
      try host.succeed("chmod", "755", "/run/bin/docker-credential-test")
      try host.write(config, to: "/run/home/.docker/config.json")
      let path = "\(Repository.binaryFolder):/run/bin:/usr/sbin:/usr/bin:/sbin:/bin"
      try body(host, registry, ["HOME": "/run/home", "PATH": path])
    }
  }

  private func logIn(_ host: ThrowawayHost, _ environment: [String: String]) throws -> Outcome {
    try host.run(
      "stack", "login", "127.0.0.1:5000", "-u", "ann", "--password-stdin", input: Data("secret\n".utf8),
      environment: environment)
  }

  @Test func aHelperKeepsGivesAndForgets() throws {
    try withHelper(["basic": "ann:secret"]) { host, _, environment in
      #expect(try host.run("stack", "pull", Self.image, environment: environment).errors.contains("stack login"))
      let login = try logIn(host, environment)
      #expect(login.status == 0 && login.output.contains("docker-credential-test"), "\(login)")
      let file = try host.succeed("cat", "/run/home/.docker/config.json")
      #expect(!file.contains("auth\"") && file.contains("credsStore"), "\(file)")
      try host.succeed("stack", "pull", Self.image, environment: environment)
      try host.succeed("stack", "logout", "127.0.0.1:5000", environment: environment)
      #expect(try host.succeed("ls", "/run/secrets").isEmpty)
      try host.succeed("stack", "image", "prune", "--all")
      #expect(try host.run("stack", "pull", Self.image, environment: environment).status == 1)
    }
  }

  /// The one for a registry goes before the one for all.
  @Test func aRegistryMayHaveAHelperOfItsOwn() throws {
    let config = #"{"credsStore":"broken","credHelpers":{"127.0.0.1:5000":"test"}}"#
    try withHelper(["basic": "ann:secret"], config: config) { host, _, environment in
      #expect(try logIn(host, environment).status == 0)
      try host.succeed("stack", "pull", Self.image, environment: environment)
      #expect(try host.succeed("cat", "/run/helper.log").contains("get 127.0.0.1:5000"))
    }
  }

  @Test func aBrokenHelperIsSaidAndNoOtherCredentialsAreUsed() throws {
    let entry = Data("ann:secret".utf8).base64EncodedString()
    let config = #"{"credsStore":"none","auths":{"127.0.0.1:5000":{"auth":"\#(entry)"}}}"#
    try withHelper(["basic": "ann:secret"], config: config) { host, registry, environment in
      let outcome = try host.run("stack", "pull", Self.image, environment: environment)
      #expect(outcome.status == 1 && outcome.errors.contains("docker-credential-none"), "\(outcome.errors)")
      #expect(try registry.requests().allSatisfy { $0.authorization == nil })
    }
  }

  /// A registry that gives a token at the login: the token is kept, and the password is not.
  @Test(arguments: [#"{"credsStore":"test"}"#, "{}"])
  func aTokenStandsForThePassword(_ config: String) throws {
    let bearer: [String: Any] = [
      "realm": "http://127.0.0.1:5000/token", "users": ["ann": "secret"], "refresh": ["identity": "ann"],
      "gives": "identity",
    ]
    try withHelper(["bearer": bearer], config: config) { host, registry, environment in
      let login = try logIn(host, environment)
      #expect(login.status == 0, "\(login)")
      let kept = try host.succeed("bash", "-c", "cat /run/home/.docker/config.json /run/secrets/* 2>/dev/null || true")
      #expect(kept.contains("identity") && !kept.contains("secret\"") && !kept.contains("YW5uOnNlY3JldA=="), "\(kept)")
      try host.succeed("stack", "pull", Self.image, environment: environment)
      #expect(try registry.requests().contains { $0.body.contains("refresh_token=identity") })
    }
  }
}
