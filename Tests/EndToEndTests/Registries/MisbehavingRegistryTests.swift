import Foundation
import Glibc
import Testing

private let hasTools = ["openssl"].allSatisfy { access("/usr/bin/\($0)", X_OK) == 0 }

/// Pulls from a registry that does what a test says: each way in which one fails, and what must then be said and left.
@Suite(.enabled(if: hasTools, "openssl is not installed: tools/setup --tests"))
struct MisbehavingRegistryTests {
  private static let image = "127.0.0.1:5000/team/web:test"

  private func withRegistry(
    _ settings: [String: Any], layers: [Int] = [3_000_000, 100_000, 50],
    _ body: (ThrowawayHost, TestRegistry) throws -> Void
  ) throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries(layers: layers)
      let registry = try host.startRegistry(["listen": [["127.0.0.1", 5000]]].merging(settings) { $1 })
      try body(host, registry)
    }
  }

  // MARK: What ends a pull

  struct Failure: CustomTestStringConvertible {
    var name: String
    var fault: [String: any Sendable]
    /// All of them are in the error.
    var words: [String]
    var testDescription: String { name }
  }

  private static let schema1 = #"{"schemaVersion":1,"name":"a","fsLayers":[],"history":[]}"#
  private static let both = #"{"schemaVersion":2,"manifests":[],"config":{},"layers":[]}"#
  private static let artifact =
    #"{"schemaVersion":2,"artifactType":"application/vnd.example","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}"#

  private static let failures = [
    Failure(name: "401", fault: ["path": "/manifests/", "status": 401], words: ["denies", "stack login"]),
    Failure(
      name: "403", fault: ["path": "/blobs/", "status": 403, "body": #"{"errors":[{"message":"not for you"}]}"#],
      words: ["denies", "not for you"]),
    Failure(name: "404 of a manifest", fault: ["path": "/manifests/", "status": 404], words: ["no such image"]),
    Failure(name: "404 of a layer", fault: ["path": "{layer}", "status": 404], words: ["layer ", "has no"]),
    Failure(name: "418", fault: ["path": "/manifests/", "status": 418], words: ["answers 418"]),
    Failure(
      name: "503", fault: ["path": "/manifests/", "status": 503, "headers": ["Retry-After": "0"]],
      words: ["answers 503", "try again later"]),
    Failure(
      name: "429",
      fault: [
        "path": "/manifests/", "status": 429, "headers": ["Retry-After": "0"], "body": "toomanyrequests: slow down",
      ],
      words: ["stack login", "slow down"]),
    Failure(name: "schema 1", fault: ["path": "/manifests/", "body": schema1, "anonymous": true], words: ["schema 1"]),
    Failure(
      name: "two things at once", fault: ["path": "/manifests/", "body": both, "anonymous": true], words: ["at once"]),
    Failure(
      name: "an artifact",
      fault: ["path": "/manifests/", "body": artifact, "anonymous": true], words: ["not of an image", "vnd.example"]),
    Failure(
      name: "another type",
      fault: ["path": "/manifests/", "type": "application/vnd.docker.distribution.manifest.v2+json"],
      words: ["the registry says"]),
    Failure(name: "no JSON", fault: ["path": "/manifests/", "body": "<html>", "anonymous": true], words: ["no JSON"]),
    Failure(name: "a damaged manifest", fault: ["path": "/manifests/", "damage": 60], words: ["digest"]),
    Failure(name: "an endless manifest", fault: ["path": "/manifests/", "endless": true], words: ["more than"]),
    Failure(name: "a damaged configuration", fault: ["path": "{config}", "damage": 60], words: ["other bytes"]),
    Failure(name: "an endless configuration", fault: ["path": "{config}", "endless": true], words: ["sent"]),
    Failure(name: "a damaged layer", fault: ["path": "{layer}", "damage": 60_000], words: ["layer "]),
    Failure(name: "an endless layer", fault: ["path": "{layer}", "endless": true], words: ["layer ", "more than"]),
    Failure(
      name: "a redirection in a circle", fault: ["path": "/blobs/", "redirect": "http://127.0.0.1:5000{path}"],
      words: ["more than 10 times"]),
    Failure(
      name: "a redirection to a file", fault: ["path": "/blobs/", "redirect": "file:///etc/passwd"],
      words: ["leads to a place"]),
  ]

  @Test(arguments: failures)
  func aFailureIsSaidAndLeavesNothing(_ failure: Failure) throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries(layers: [200_000, 100_000])
      let config = try host.succeed(
        "python3", "-c",
        """
        import json
        read = lambda digest: json.load(open("/run/layout/blobs/" + digest.replace(":", "/")))
        manifest = read(json.load(open("/run/layout/index.json"))["manifests"][0]["digest"])
        print(manifest["config"]["digest"], manifest["layers"][0]["digest"])
        """
      ).split(separator: " ")
      var fault: [String: Any] = failure.fault
      fault["path"] = (fault["path"] as? String)?.replacingOccurrences(of: "{config}", with: "\(config[0])")
        .replacingOccurrences(of: "{layer}", with: "\(config[1])")
      let registry = try host.startRegistry(["listen": [["127.0.0.1", 5000]], "faults": [fault]])
      defer { withExtendedLifetime(registry) {} }
      try host.succeed("stack", "pull", "oci:/run/layout:test")
      let before = try host.storedImages()
      try host.succeed("stack", "image", "prune", "--all")
      let outcome = try host.run("stack", "pull", Self.image)
      #expect(outcome.status == 1 && outcome.output.isEmpty, "\(outcome)")
      for word in failure.words + [Self.image, "127.0.0.1:5000"] {
        #expect(outcome.errors.contains(word), "no \"\(word)\" in \(outcome.errors)")
      }
      #expect(try host.storedImages().isEmpty)
      #expect(try host.succeed("find", "/var/lib/stack/.images", "-name", "*.tmp").isEmpty)
      // Images that were whole before stay whole.
      try host.succeed("stack", "pull", "oci:/run/layout:test")
      #expect(try host.storedImages() == before)
    }
  }

  // MARK: What a pull survives

  struct Trouble: CustomTestStringConvertible {
    var name: String
    var faults: [[String: any Sendable]]
    var testDescription: String { name }
  }

  private static let troubles = [
    Trouble(name: "a layer that breaks off", faults: [["path": "/blobs/", "cut": 90_000, "times": 4]]),
    Trouble(
      name: "a layer that breaks off, where no part can be had",
      faults: [["path": "/blobs/", "cut": 90_000, "times": 4], ["path": "/blobs/", "ranges": "none"]]),
    Trouble(name: "resets", faults: [["path": "/blobs/", "reset": true, "times": 2]]),
    Trouble(
      name: "500, 502 and 504",
      faults: [
        ["path": "/manifests/", "status": 500, "times": 1, "headers": ["Retry-After": "0"]],
        ["path": "/blobs/", "status": 502, "times": 1, "headers": ["Retry-After": "0"]],
        ["path": "/v2/$", "status": 504, "times": 1, "headers": ["Retry-After": "0"]],
      ]),
    Trouble(
      name: "429 with a time",
      faults: [
        ["path": "/blobs/", "status": 429, "times": 3, "headers": ["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"]]
      ]),
    Trouble(name: "a layer that pauses", faults: [["path": "/blobs/", "pause": 2, "times": 3]]),
  ]

  @Test(arguments: troubles)
  func aPullGoesOn(_ trouble: Trouble) throws {
    try withRegistry(["faults": trouble.faults]) { host, registry in
      try host.succeed("stack", "pull", Self.image)
      try host.succeed("stack", "pull", "oci:/run/layout:test")
      #expect(try host.succeed("stack", "images", "-q").split(separator: "\n").count == 1)
      let ranges = try registry.requests().compactMap(\.range)
      // From where it broke off: a reset may take the last bytes with it.
      let resumed = ranges.contains { range in range.hasPrefix("bytes=") && range != "bytes=0-" }
      #expect(resumed || !trouble.faults.contains { $0["cut"] != nil }, "\(ranges)")
    }
  }

  @Test func aWaitThatTheRegistryAsksForIsKept() throws {
    try withRegistry([
      "faults": [["path": "/manifests/", "status": 429, "times": 1, "headers": ["Retry-After": "3"]]]
    ]) { host, registry in
      try host.succeed("stack", "pull", Self.image)
      let times = try registry.requests().filter { $0.path.contains("/manifests/") }.map(\.time)
      #expect(times.count >= 2 && times[1] - times[0] >= 3, "\(times)")
    }
  }

  /// A server that answers with another part than it was asked for.
  @Test func aWrongPartIsNotTaken() throws {
    try withRegistry([
      "faults": [["path": "/blobs/", "cut": 90_000, "times": 4], ["path": "/blobs/", "ranges": "wrong"]]
    ]) { host, _ in
      let outcome = try host.run("stack", "pull", Self.image)
      #expect(outcome.status == 1 && outcome.errors.contains("another part"), "\(outcome.errors)")
    }
  }

  /// Bytes of an earlier pull may be the damaged ones, so the layer is fetched once more, whole.
  @Test func damagedLeftoversAreFetchedAnew() throws {
    try withRegistry(["faults": [["path": "/blobs/", "status": 403, "after": 4]]], layers: [3_000_000]) { host, _ in
      let digest = try host.succeed(
        "python3", "-c",
        """
        import json
        read = lambda digest: json.load(open("/run/layout/blobs/" + digest.replace(":", "/")))
        manifest = read(json.load(open("/run/layout/index.json"))["manifests"][0]["digest"])
        print(manifest["layers"][0]["digest"][7:])
        """)
      try host.succeed("mkdir", "-p", "-m", "700", "/var/lib/stack/.images/ingest")
      try host.write(String(repeating: "x", count: 100_000), to: "/var/lib/stack/.images/ingest/\(digest).part")
      try host.succeed("stack", "pull", Self.image)
    }
  }

  // MARK: What a person sees

  @Test(arguments: ["127.0.0.1:5999/a:1", "registry.test:5999/a:1", "nowhere.invalid/a:1"])
  func aRegistryThatCannotBeReachedIsSaidAtOnce(_ name: String) throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries(layers: [])
      let outcome = try host.run("stack", "pull", name)
      #expect(outcome.status == 1 && outcome.errors.contains("cannot reach"), "\(outcome)")
      // Without waiting, however slow the machine is.
      #expect(!outcome.errors.contains("trying again") && outcome.duration < .seconds(15), "\(outcome)")
    }
  }

  @Test func aWaitIsSaid() throws {
    try withRegistry(["faults": [["path": "/manifests/", "status": 503, "times": 1]]]) { host, _ in
      let outcome = try host.run("stack", "pull", Self.image)
      #expect(
        outcome.status == 0 && outcome.errors.contains("answers 503 for this image; trying again in"), "\(outcome)")
      #expect(outcome.output.split(separator: "\n").count == 1)
    }
  }

  @Test func anInterruptedPullIsGoneOnWith() throws {
    try withRegistry(["faults": [["path": "/blobs/", "pause": 20, "after": 1, "times": 3]]]) { host, registry in
      let pull = try host.start(["stack", "pull", Self.image])
      let isUnderWay = host.eventually {
        (try? host.run("find", "/var/lib/stack/.images/ingest", "-name", "*.part", "-size", "+1000k").output.isEmpty)
          == false
      }
      #expect(isUnderWay)
      try host.signal(SIGINT, to: pull)
      let outcome = try pull.wait(limit: .seconds(15))
      #expect(outcome.status == 130 && outcome.errors.contains("interrupted"), "\(outcome)")
      #expect(try host.storedImages().isEmpty)
      try host.succeed("stack", "pull", Self.image)
      #expect(try registry.requests().contains { $0.range?.hasPrefix("bytes=1") == true })
    }
  }

  @Test func aTerminalShowsEachLayer() throws {
    try withRegistry(["faults": [["path": "/blobs/", "pause": 1]]]) { host, _ in
      let text = try host.succeed("script", "-qec", "stack pull \(Self.image)", "/dev/null")
      #expect(text.contains(" of 3MB") && text.contains("done, 3MB") && text.contains("pulled (sha256:"), "\(text)")
    }
  }

  /// The process that reads what the registry sends is nobody, without capabilities, and filtered.
  @Test func whatTalksToARegistryIsShutIn() throws {
    try withRegistry(["faults": [["path": "/blobs/", "pause": 20]]]) { host, _ in
      let pull = try host.start(["stack", "pull", Self.image])
      defer { try? host.signal(SIGINT, to: pull) }
      let script = """
        for folder in /proc/[0-9]*; do
          [ "$(tr '\\0' ' ' <$folder/cmdline)" = "stack registry " ] && cat $folder/status
        done 2>/dev/null; true
        """
      let isFound = try host.eventually {
        let fields = try host.succeed("bash", "-c", script).split(separator: "\n").map {
          $0.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        return [
          "Uid: 65534 65534 65534 65534", "CapEff: 0000000000000000", "CapBnd: 0000000000000000", "NoNewPrivs: 1",
          "Seccomp: 2",
        ]
        .allSatisfy(fields.contains)
      }
      #expect(isFound)
    }
  }

  @Test func failuresOfPullsCanBePassed() throws {
    try withRegistry([:]) { host, registry in
      try host.write(
        """
        services:
          a: {image: "127.0.0.1:5999/none:1"}
          b: {image: "\(Self.image)", depends_on: [c]}
          c: {image: "127.0.0.1:5000/c:test"}
        """, to: "shop.stack")
      #expect(try host.run("stack", "pull", "-f", "shop.stack").status == 1)
      let passed = try host.run("stack", "pull", "-f", "shop.stack", "--ignore-pull-failures", "--quiet")
      #expect(passed.status == 0 && passed.output == "\(Self.image)\n127.0.0.1:5000/c:test", "\(passed)")
      try host.succeed("stack", "image", "prune", "--all")
      #expect(try host.succeed("stack", "pull", "-q", "-f", "shop.stack", "b") == Self.image)
      let before = try registry.requests().count
      #expect(try host.succeed("stack", "pull", "-q", "-f", "shop.stack", "b", "--policy", "missing").isEmpty)
      #expect(try registry.requests().count == before)
      let both = try host.succeed("stack", "pull", "-q", "-f", "shop.stack", "b", "--include-deps")
      #expect(both.contains("/c:test"))
    }
  }

  // MARK: Where credentials go

  @Test func noCredentialsFollowARedirection() throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries()
      let store = try host.startRegistry(["listen": [["127.0.0.2", 5002]], "tls": ThrowawayHost.tls])
      let registry = try host.startRegistry([
        "listen": [["127.0.0.2", 5000]], "tls": ThrowawayHost.tls, "basic": "ann:secret",
        "faults": [["path": "/blobs/", "redirect": "https://other.test:5002{path}"]],
      ])
      let login = #"{"auths":{"registry.test:5000":{"username":"ann","password":"secret"}}}"#
      try host.succeed("stack", "pull", "registry.test:5000/a:test", environment: ["DOCKER_AUTH_CONFIG": login])
      #expect(try store.requests().count >= 4)
      #expect(try store.requests().allSatisfy { $0.authorization == nil })
      #expect(try registry.requests().contains { $0.authorization != nil })
    }
  }

  /// A part is asked for where the layer was, and not at the signed address, which has expired (moby #50065 and its like).
  @Test func aRedirectedLayerGoesOnFromTheRegistry() throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries(layers: [3_000_000])
      let store = try host.startRegistry([
        "listen": [["127.0.0.2", 5002]], "tls": ThrowawayHost.tls,
        "faults": [["path": "/blobs/", "cut": 90_000, "after": 1, "times": 1]],
      ])
      let registry = try host.startRegistry([
        "listen": [["127.0.0.2", 5000]], "tls": ThrowawayHost.tls,
        "faults": [["path": "/blobs/", "redirect": "https://other.test:5002{path}?signature=1"]],
      ])
      try host.succeed("stack", "pull", "registry.test:5000/a:test")
      #expect(try store.requests().contains { $0.range == "bytes=90000-" })
      #expect(try registry.requests().contains { $0.range == "bytes=90000-" })
    }
  }

  // MARK: Tokens

  private func tokens(_ more: [String: Any]) -> [String: Any] {
    ["bearer": ["realm": "http://127.0.0.1:5000/token"].merging(more) { $1 }]
  }

  /// Layers that wait in line begin with a token that has expired meanwhile (containerd #6377).
  @Test func aTokenThatExpiresInTheMiddleIsFetchedAnew() throws {
    try withRegistry(
      tokens(["lifetime": 1, "says": 600]).merging(["faults": [["path": "/blobs/", "pause": 1.5]]]) { $1 },
      layers: [50_000, 60_000, 70_000, 80_000, 90_000]
    ) { host, registry in
      try host.succeed("stack", "pull", Self.image)
      #expect(try registry.requests().count { $0.path.hasPrefix("/token") } >= 2)
    }
  }

  /// One token serves all layers of an image, under each of the names that it may have.
  @Test(arguments: ["token", "access_token"])
  func aTokenIsFetchedOnce(_ key: String) throws {
    try withRegistry(tokens(["key": key])) { host, registry in
      try host.succeed("stack", "pull", Self.image)
      #expect(try registry.requests().count { $0.path.hasPrefix("/token") } == 1)
    }
  }

  /// By POST, and by GET where the server does not know that (as Azure's and Artifactory's).
  @Test(arguments: [200, 404, 405])
  func anIdentityTokenIsExchanged(_ status: Int) throws {
    var settings: [String: Any] = ["refresh": ["identity": "ann"], "post": status]
    if status == 200 { settings["users"] = ["ann": "secret"] }
    try withRegistry(tokens(settings)) { host, registry in
      let login = #"{"auths":{"127.0.0.1:5000":{"identitytoken":"identity"}}}"#
      try host.succeed("stack", "pull", Self.image, environment: ["DOCKER_AUTH_CONFIG": login])
      let posted = try registry.requests().filter { $0.method == "POST" }
      #expect(posted.contains { $0.body.contains("grant_type=refresh_token&service=test&client_id=stack") })
    }
  }

  @Test(arguments: [
    ("https://10.0.0.1/token", "private address"), ("file:///etc/passwd", "without TLS"),
    ("http://auth.test:5001/token", "without TLS"),
  ])
  func aTokenIsNotFetchedFromEverywhere(_ realm: String, words: String) throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries()
      let registry = try host.startRegistry([
        "listen": [["127.0.0.2", 5000]], "tls": ThrowawayHost.tls, "bearer": ["realm": realm],
      ])
      defer { withExtendedLifetime(registry) {} }
      let outcome = try host.run("stack", "pull", "registry.test:5000/a:test")
      #expect(outcome.status == 1 && outcome.errors.contains(words), "\(outcome.errors)")
    }
  }
}
