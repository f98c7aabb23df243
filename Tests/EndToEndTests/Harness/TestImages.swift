import Glibc

/// Images that tests make themselves, by umoci, and a registry for them.
enum TestImages {
  static let hasTools = ["docker-registry", "skopeo", "umoci"].allSatisfy { access("/usr/bin/\($0)", X_OK) == 0 }

  static let registry = "127.0.0.1:5000"

  /// A layout with two images: `web` of two layers, and `next`, which is `web` with another page.
  static let make = """
    set -e
    mkdir -p /run/images && cd /run/images
    umoci init --layout oci && umoci new --image oci:web && umoci unpack --image oci:web web
    cd web/rootfs && mkdir -p bin etc tmp www data old && chmod 1777 tmp && chown 1000:1000 data
    cp "$(command -v busybox)" bin/
    for name in sh ls cat id env httpd sleep stat echo readlink; do ln -s busybox bin/$name; done
    printf 'root:x:0:0:root:/root:/bin/sh\\napp:x:1000:1000::/home/app:/bin/sh\\n' >etc/passwd
    printf 'root:x:0:\\napp:x:1000:\\nextra:x:2000:app\\n' >etc/group
    echo 'PRETTY_NAME="Test image"' >etc/os-release
    echo seed >data/seed && touch old/gone old/stays && cd ../..
    umoci repack --refresh-bundle --image oci:web web
    rm web/rootfs/old/gone && echo 'Served from an image' >web/rootfs/www/index.html
    umoci repack --refresh-bundle --image oci:web web
    umoci config --image oci:web --clear=config.cmd --config.entrypoint busybox --config.cmd httpd --config.cmd -f \\
      --config.cmd -p --config.cmd 80 --config.cmd -h --config.cmd /www --config.env FROM_IMAGE=yes --config.env BOTH=image \\
      --config.workingdir /srv/app --config.volume /data --config.exposedports 80/tcp
    umoci tag --image oci:web next && umoci unpack --image oci:next next
    echo 'Served from the next image' >next/rootfs/www/index.html && umoci repack --image oci:next next
    """

  /// Runs a test on a host that has the images, and a registry with them.
  static func withRegistry(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.succeed("bash", "-c", Self.make)
      try host.write(
        """
        version: 0.1
        log: {level: error}
        storage: {filesystem: {rootdirectory: /run/registry}, delete: {enabled: true}}
        http: {addr: "\(Self.registry)"}
        """, to: "/run/registry.yml")
      let server = try host.start(["docker-registry", "serve", "/run/registry.yml"])
      guard host.eventually({ (try? host.run("curl", "-sf", "\(Self.registry)/v2/").status) == 0 }) else {
        throw HarnessError("docker-registry does not start: \(server.output)")
      }
      try push("web", to: "test/web:1", on: host)
      try body(host)
    }
  }

  static func push(_ image: String, to name: String, on host: ThrowawayHost) throws {
    try host.succeed(
      "skopeo", "copy", "-q", "--dest-tls-verify=false", "oci:/run/images/oci:\(image)",
      "docker://\(Self.registry)/\(name)")
  }
}
