import Foundation
import Glibc
import Testing

private let hasTools = ["openssl", "skopeo", "umoci"].allSatisfy { access("/usr/bin/\($0)", X_OK) == 0 }

/// A file's lock: `up` runs what it holds, whatever the tag means by now.
@Suite(.enabled(if: hasTools, "openssl, skopeo or umoci is not installed: tools/setup --tests"))
struct ImageLockTests {
  private static let file = """
    services:
      web: {image: "127.0.0.1:5000/web:test", command: [/busybox, sleep, "1000"]}
    """

  /// A host whose registry has an image with busybox; `move` gives its tag another one.
  private func withRegistry(_ body: (ThrowawayHost, TestRegistry, () throws -> Void) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.succeed(
        "bash", "-c",
        """
        set -e
        umoci init --layout /run/layout && umoci new --image /run/layout:test && umoci unpack --image /run/layout:test /run/web
        cp "$(command -v busybox)" /run/web/rootfs/busybox && echo one >/run/web/rootfs/version
        umoci repack --refresh-bundle --image /run/layout:test /run/web
        """)
      let registry = try host.startRegistry(["listen": [["127.0.0.1", 5000]]])
      try host.write(Self.file, to: "shop.stack")
      try body(host, registry) {
        try host.succeed(
          "bash", "-c",
          "echo two >/run/web/rootfs/version && umoci repack --refresh-bundle --image /run/layout:test /run/web")
      }
    }
  }

  @Test func upHoldsToTheLock() throws {
    try withRegistry { host, _, move in
      try host.succeed("stack", "pull", "-f", "shop.stack", "--lock")
      let lock = try host.succeed("cat", "shop.lock")
      #expect(lock.contains(#""127.0.0.1:5000/web:test" : "sha256:"#), "\(lock)")
      try move()
      // Fetched anew, by the digest.
      try host.succeed("stack", "image", "prune", "--all")
      try host.succeed("stack", "up", "shop.stack")
      #expect(try host.succeed("stack", "exec", "web", "/busybox", "cat", "/version") == "one")
      #expect(try host.succeed("stack", "up", "shop.stack", "--pull", "always").contains("web"))
      #expect(try host.succeed("stack", "exec", "web", "/busybox", "cat", "/version") == "one")

      let pulled = try host.run("stack", "pull", "-f", "shop.stack")
      #expect(pulled.status == 0 && pulled.errors.contains("has moved: shop.lock holds"), "\(pulled)")
      let up = try host.run("stack", "up", "shop.stack")
      #expect(up.status == 0 && up.errors.contains("which is used"), "\(up)")
      #expect(try host.succeed("stack", "exec", "web", "/busybox", "cat", "/version") == "one")

      let locked = try host.run("stack", "pull", "-f", "shop.stack", "--lock")
      #expect(locked.status == 0 && locked.errors.contains("and now holds"), "\(locked)")
      try host.succeed("stack", "up", "shop.stack")
      #expect(try host.succeed("stack", "exec", "web", "/busybox", "cat", "/version") == "two")
    }
  }

  @Test func aDamagedLockIsSaid() throws {
    try withRegistry { host, _, _ in
      try host.write("{", to: "shop.lock")
      let outcome = try host.run("stack", "up", "shop.stack")
      #expect(outcome.status == 1 && outcome.errors.contains("shop.lock cannot be read"), "\(outcome.errors)")
      try host.write(#"{"version": 1, "images": {}}"#, to: "shop.lock")
      let up = try host.run("stack", "up", "shop.stack")
      #expect(up.status == 0 && up.errors.contains("is not in shop.lock"), "\(up.errors)")
      #expect(try host.run("stack", "pull", "--lock", "127.0.0.1:5000/web:test").status == 2)
    }
  }

  @Test func aFileIsPrintedWithDigests() throws {
    try withRegistry { host, registry, _ in
      let text = try host.succeed("stack", "config", "shop.stack", "--resolve-image-digests")
      #expect(text.contains("127.0.0.1:5000/web:test@sha256:"), "\(text)")
      #expect(try registry.requests().allSatisfy { $0.method == "HEAD" || $0.path == "/v2/" })
    }
  }
}
