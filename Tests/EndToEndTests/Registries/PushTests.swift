import Foundation
import Glibc
import Testing

private let hasTools = ["docker-registry", "skopeo", "openssl"].allSatisfy { access("/usr/bin/\($0)", X_OK) == 0 }

/// Pushes to Debian's docker-registry, read back by skopeo.
@Suite(.enabled(if: hasTools, "docker-registry, skopeo or openssl is not installed: tools/setup --tests"))
struct PushTests {
  private static let image = "registry.test:5000/team/web:1"

  private func withImage(
    registry settings: String = "", layers: [Int] = [3_000_000, 100_000, 50], _ body: (ThrowawayHost) throws -> Void
  ) throws {
    try ThrowawayHost.with { host in
      try host.prepareRegistries(layers: layers)
      let registry = try host.startDockerRegistry(settings)
      defer { withExtendedLifetime(registry) {} }
      try host.succeed("stack", "pull", "oci:/run/layout:test")
      try host.succeed("stack", "tag", "oci:/run/layout:test", Self.image)
      try body(host)
    }
  }

  private static func digest(of image: String, on host: ThrowawayHost) throws -> String {
    try host.succeed("skopeo", "inspect", "--format", "{{.Digest}}", "docker://\(image)")
  }

  @Test func whatIsPushedIsWhatWasThere() throws {
    try withImage { host in
      let outcome = try host.run("stack", "push", Self.image)
      #expect(outcome.status == 0 && outcome.errors.contains("sent, 3MB"), "\(outcome)")
      let digest = try Self.digest(of: Self.image, on: host)
      #expect(outcome.output.contains(digest))
      // The same bytes, by another program.
      try host.succeed("skopeo", "copy", "-q", "docker://\(Self.image)", "oci:/run/back:test")
      try host.succeed(
        "bash", "-c",
        "diff <(cd /run/layout/blobs && find . -type f | sort) <(cd /run/back/blobs && find . -type f | sort)")
      let again = try host.run("stack", "push", Self.image)
      #expect(
        again.status == 0 && !again.errors.contains("sent,") && again.errors.contains("already there"), "\(again)")
      try host.succeed("stack", "image", "prune", "--all")
      try host.succeed("stack", "pull", Self.image)
    }
  }

  @Test func blobsOfAnotherRepositoryAreTakenOver() throws {
    try withImage { host in
      try host.succeed("stack", "push", Self.image)
      try host.succeed("stack", "tag", Self.image, "registry.test:5000/other/place:2")
      let outcome = try host.run("stack", "push", "registry.test:5000/other/place:2")
      #expect(outcome.status == 0 && outcome.errors.contains("taken over"), "\(outcome)")
      #expect(!outcome.errors.contains("sent,"))
      let (first, second) = (
        try Self.digest(of: Self.image, on: host), try Self.digest(of: "registry.test:5000/other/place:2", on: host)
      )
      #expect(first == second)
    }
  }

  @Test func theRightToPushIsAskedFor() throws {
    let auth = """
      auth:
        token: {realm: "https://auth.test:5001/token", service: test, issuer: test, rootcertbundle: /run/tls/ca.crt}
      """
    try withImage(registry: auth) { host in
      let bearer: [String: Any] = ["realm": "", "users": ["ann": "secret"], "jwt": ThrowawayHost.tls]
      let tokens = try host.startRegistry([
        "listen": [["127.0.0.2", 5001]], "tls": ThrowawayHost.tls, "bearer": bearer,
      ])
      let denied = try host.run("stack", "push", Self.image)
      #expect(denied.status == 1 && denied.errors.contains("stack login registry.test:5000"), "\(denied)")
      let login = #"{"auths":{"registry.test:5000":{"username":"ann","password":"secret"}}}"#
      try host.succeed("stack", "push", Self.image, environment: ["DOCKER_AUTH_CONFIG": login])
      #expect(try tokens.requests().contains { $0.path.contains("team%2Fweb%3Apull%2Cpush") })
    }
  }

  /// A connection that is cut in the middle: the session says how far it came.
  @Test func anUploadThatBreaksOffGoesOn() throws {
    try withImage(layers: [3_000_000]) { host in
      let script = "\(Repository.root)/Tests/EndToEndTests/Scripts/cutting-proxy.py"
      let proxy = try host.start(["python3", script, "127.0.0.2:5009", "127.0.0.2:5000", "1000000", "1"])
      defer { withExtendedLifetime(proxy) {} }
      let connect = ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.2/5009"]
      guard host.eventually({ (try? host.start(connect).wait(limit: .seconds(30)).status) == 0 }) else {
        throw HarnessError("the proxy does not start")
      }
      let name = "registry.test:5009/team/web:1"
      try host.succeed("stack", "tag", Self.image, name)
      let outcome = try host.run("stack", "push", name)
      #expect(outcome.status == 0 && outcome.errors.contains("trying again"), "\(outcome)")
      #expect(try Self.digest(of: Self.image, on: host) == Self.digest(of: name, on: host))
    }
  }

  @Test func aNameThatIsNotHereIsSaid() throws {
    try withImage { host in
      let outcome = try host.run("stack", "push", "registry.test:5000/none:1")
      #expect(outcome.status == 1 && outcome.errors.contains("there is no image"), "\(outcome)")
      let refused = try host.run("stack", "tag", Self.image, "127.0.0.1:5999/a:1")
      #expect(refused.status == 0)
      let unreachable = try host.run("stack", "push", "127.0.0.1:5999/a:1")
      #expect(unreachable.status == 1 && unreachable.errors.contains("cannot reach 127.0.0.1:5999"), "\(unreachable)")
    }
  }
}
