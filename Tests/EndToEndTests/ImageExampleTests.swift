import Foundation
import Glibc
import Testing

private let hasPrograms = TestImages.hasTools && access("/usr/sbin/nginx", X_OK) == 0

/// stacks/images as a person runs it. The images are made here, of this host's own programs, and docker.io is a registry on loopback,
/// by a configuration of mirrors.
@Suite(.enabled(if: hasPrograms, "docker-registry, skopeo, umoci or nginx is not installed: tools/setup --tests"))
struct ImageExampleTests {
  private static let environment = ["CONTAINERS_REGISTRIES_CONF": "/run/registries.conf"]

  private static let mirror = """
    [[registry]]
    location = "docker.io"
    [[registry.mirror]]
    location = "127.0.0.1:5000"
    insecure = true
    """

  /// `made NAME` is an image in /run/made/oci with busybox, accounts and a distribution's own /etc/os-release and links.
  private static let tools = """
    set -e
    mkdir -p /run/made && cd /run/made && umoci init --layout oci
    made() {
      cd /run/made && umoci new --image "oci:$1" && umoci unpack --image "oci:$1" "$1" && cd "$1/rootfs"
      mkdir -p bin etc tmp run proc sys dev root var/log usr/sbin && chmod 1777 tmp
      cp "$(command -v busybox)" bin/busybox
      for n in sh cat mkdir echo ls id env sleep stat test chown chmod grep nc httpd; do ln -s busybox "bin/$n"; done
      printf 'root:x:0:0:root:/root:/bin/sh\\nwww-data:x:33:33::/var/www:/bin/sh\\npostgres:x:70:70::/var/lib/postgresql:/bin/sh\\nnobody:x:65534:65534::/:/bin/sh\\n' >etc/passwd
      printf 'root:x:0:\\nwww-data:x:33:\\nadm:x:4:\\npostgres:x:70:\\nnogroup:x:65534:\\n' >etc/group
      sed 's/^PRETTY_NAME=.*/PRETTY_NAME="An image"/' /etc/os-release >etc/os-release
      ln -s ../run/systemd/resolve/stub-resolv.conf etc/resolv.conf
    }
    program() {
      for f in "$@"; do
        f=$(readlink -f "$(command -v "$f")") && mkdir -p ".$(dirname "$f")" && cp -n "$f" ".$f"
        ldd "$f" | grep -o '/[^ ]*' | while read -r l; do mkdir -p ".$(dirname "$l")" && cp -nL "$l" ".$l"; done
      done
    }
    kept() { # NAME REFERENCE CONFIG…
      cd /run/made && umoci repack --image "oci:$1" "$1" && umoci config --image "oci:$1" "${@:3}"
      skopeo copy -q --dest-tls-verify=false "oci:oci:$1" "docker://127.0.0.1:5000/$2"
    }
    server() {
      program nginx && cp -rL /etc/nginx etc/ && rm -rf etc/nginx/modules-enabled && mkdir -p var/lib/nginx var/log/nginx
    }

    """

  private func withRegistry(_ images: String, _ body: (ThrowawayHost) throws -> Void) throws {
    try TestImages.withRegistry { host in
      try host.write(Self.mirror, to: "/run/registries.conf")
      try host.succeed("bash", "-c", Self.tools + images, limit: .seconds(120))
      try body(host)
    }
  }

  @Test func twoServersOfOneImageAnswer() throws {
    try withRegistry("made base; server; kept base library/ubuntu:24.04 --config.cmd sh") { host in
      let file = "\(Repository.root)/stacks/images/ubuntu.stack"
      try host.succeed("stack", "pull", "--file", file, environment: Self.environment, limit: .seconds(120))
      let before = try HostState(of: host)
      try host.succeed("stack", "up", file, environment: Self.environment, limit: .seconds(120))
      for (port, name) in [(8091, "web1"), (8092, "web2")] {
        #expect(try host.eventually { try host.get("localhost:\(port)")?.contains("This is \(name)") == true })
        #expect(try host.succeed("stack", "exec", name, "cat", "/etc/os-release").contains("An image"))
      }
      // One layer on disk for both.
      #expect(try host.succeed("ls", "/var/lib/stack/.images/layers") == "1")
      try host.succeed("stack", "down", "ubuntu")
      #expect(try host.succeed("ls", "-A", "/var/lib/stack") == ".images")
      try host.expectUnchanged(since: before)
    }
  }

  /// The application answers with its own name, the database writes where only its user may, and begins with what its image has.
  private static let shop = """
    made web; server; kept web library/nginx:alpine --config.cmd nginx --config.cmd -g --config.cmd 'daemon off;' \
      --config.exposedports 80/tcp --config.stopsignal SIGQUIT
    made app; mkdir www && echo 'Name: whoami' >www/index.html
    printf '#!/bin/sh\\nexec httpd -f -p "$2" -h /www\\n' >whoami && chmod 755 whoami
    kept app traefik/whoami:v1.10 --config.entrypoint /whoami --config.exposedports 80/tcp
    made db; mkdir -p var/lib/postgresql/data usr/local/bin && chown 70:70 var/lib/postgresql/data && chmod 1777 var/lib/postgresql/data
    printf '#!/bin/sh\\nnc -w 1 127.0.0.1 5432 </dev/null\\n' >bin/pg_isready
    cat >usr/local/bin/docker-entrypoint.sh <<'S'
    #!/bin/sh
    set -e
    cd "$PGDATA"
    [ -e PG_VERSION ] || { test -n "$POSTGRES_PASSWORD"; echo 16 >PG_VERSION; chown 70:70 PG_VERSION; }
    echo started >>log
    exec httpd -f -p 5432 -h .
    S
    chmod 755 bin/pg_isready usr/local/bin/docker-entrypoint.sh
    kept db library/postgres:16-alpine --config.entrypoint docker-entrypoint.sh --config.cmd postgres --config.env PGDATA=/var/lib/postgresql/data \
      --config.volume /var/lib/postgresql/data --config.stopsignal SIGINT --config.exposedports 5432/tcp \
      --config.env PATH=/usr/local/bin:/usr/sbin:/bin
    """

  @Test func webApplicationAndDatabaseComeUpAsUnderCompose() throws {
    try withRegistry(Self.shop) { host in
      let file = "\(Repository.root)/stacks/images/compose.yaml"
      try host.succeed("stack", "up", file, environment: Self.environment, limit: .seconds(120))
      #expect(try host.eventually { try host.get("localhost:8090")?.contains("Name: whoami") == true })
      #expect(try host.succeed("stack", "ps").contains(/running [0-9]+s, healthy/))
      #expect(
        try host.succeed("stack", "exec", "database", "stat", "-c", "%a %u", "/var/lib/postgresql/data") == "1777 70")
      // The volume outlives `down`, and the second `up` asks no registry.
      try host.succeed("stack", "down", "shop")
      try host.succeed("stack", "up", file, "--pull", "never", limit: .seconds(120))
      #expect(
        try host.succeed("stack", "exec", "database", "cat", "/var/lib/postgresql/data/log") == "started\nstarted")
      try host.succeed("stack", "down", "shop", "--volumes")
      #expect(try host.succeed("ls", "-A", "/var/lib/stack") == ".images")
    }
  }

  @Test func anApplicationIsBuiltFromItsFolder() throws {
    try withRegistry("made box; for n in sed wc httpd; do ln -sf busybox bin/$n; done; kept box library/busybox:stable")
    { host in
      let file = "\(Repository.root)/stacks/images/build/compose.yaml"
      let environment = Self.environment.merging(["TOKEN_FILE": "/run/token"]) { $1 }
      try host.write("swordfish", to: "/run/token")
      let outcome = try host.run("stack", "up", file, environment: environment, limit: .seconds(120))
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try host.eventually { try host.get("localhost:8094")?.contains("The secret has 9 bytes") == true })
      #expect(try host.get("localhost:8094")?.contains("Built by stack") == true)
      #expect(try host.run("grep", "-rqa", "swordfish", "/var/lib/stack").status != 0)
      let again = try host.run("stack", "up", "--build", file, environment: environment)
      #expect(again.status == 0 && !again.errors.contains("done in"), "\(again)")
      try host.succeed("stack", "down", "built")
    }
  }
}
