import Foundation
import Glibc
import Testing

/// Folders with Dockerfiles on a host that has an image `base`: busybox, accounts and the usual folders.
enum TestBuilds {
  static let hasTools = access("/usr/bin/busybox", X_OK) == 0

  private static let base = """
    FROM scratch
    COPY busybox /bin/busybox
    RUN ["/bin/busybox", "--install", "-s", "/bin"]
    RUN mkdir -p /etc /tmp /root /var /run /usr/bin && chmod 1777 /tmp && \
      printf 'root:x:0:0:root:/root:/bin/sh\\nweb:x:1000:1000::/home/web:/bin/sh\\n' >/etc/passwd && \
      printf 'root:x:0:\\nweb:x:1000:\\n' >/etc/group
    CMD ["sh"]
    """

  static func with(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.write(base, to: "base/Dockerfile")
      try host.succeed("cp", "/usr/bin/busybox", "base/busybox")
      try host.succeed("stack", "build", "-q", "-t", "base", "base")
      try body(host)
    }
  }
}

extension ThrowawayHost {
  /// Writes a Dockerfile and builds its folder.
  @discardableResult
  func build(
    _ dockerfile: String, _ name: String = "x", options: [String] = [], in folder: String = "x",
    environment: [String: String] = [:], limit: Duration = .seconds(60)
  ) throws -> Outcome {
    try write(dockerfile, to: "\(folder)/Dockerfile")
    return try start(
      ["stack", "build", "--progress", "plain", "-t", name] + options + [folder], environment: environment
    )
    .wait(limit: limit)
  }

  /// Builds what has to succeed, and gives what was said meanwhile.
  @discardableResult
  func built(
    _ dockerfile: String, _ name: String = "x", options: [String] = [], in folder: String = "x",
    environment: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> String {
    let outcome = try build(dockerfile, name, options: options, in: folder, environment: environment)
    #expect(outcome.status == 0, "\(outcome)", sourceLocation: sourceLocation)
    return outcome.errors
  }

  /// The names in the archives of an image's layers, as tar lists them: those of the layers of `base` are left out.
  func layers(of image: String) throws -> [String] {
    try succeed(
      "bash", "-c",
      """
      set -e
      rm -rf /run/saved && mkdir -p /run/saved/base && cd /run/saved
      stack save \(image) -o image.tar && tar -xf image.tar
      stack save base -o base.tar && tar -C base -xf base.tar
      for layer in $(jq -r '.[0].Layers[]' manifest.json); do
        jq -e --arg l "$layer" '.[0].Layers | index($l)' base/manifest.json >/dev/null || tar -tf "$layer"
      done
      """
    ).split(separator: "\n").map(String.init)
  }

  /// What builds keep beside images while none runs, and what must not be left of one.
  func leftovers() throws -> String {
    try succeed(
      "bash", "-c",
      """
      ls -A /run/stack 2>/dev/null
      ls -A /var/lib/stack/.images/ingest
      ls -A /var/lib/stack/.images/layers | grep -v '^[0-9]*$'
      ip netns
      pgrep -af '^(sleep|stack-init|stack-watch)'
      find /sys/fs/cgroup -type d -name 'stack-build-*'
      true
      """)
  }
}
