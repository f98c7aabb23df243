import Foundation
import Glibc
import Testing

/// Services that run from images: what they have of them, and what they cannot do with it.
@Suite(.enabled(if: TestImages.hasTools, "docker-registry, skopeo or umoci is not installed: tools/setup --tests"))
struct ImageRunTests {
  private static let image = "oci:/run/images/oci:web"

  private func withImages(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.succeed("bash", "-c", TestImages.make)
      try body(host)
    }
  }

  /// An image of one layer above another, made by a shell script in its root.
  private func make(_ name: String, _ script: String, config: String = "", on host: ThrowawayHost) throws {
    try host.succeed(
      "bash", "-c",
      """
      set -e
      cd /run/images && rm -rf \(name) && umoci tag --image oci:web \(name) && umoci unpack --image oci:\(name) \(name)
      cd \(name)/rootfs && \(script)
      cd ../.. && umoci repack --image oci:\(name) \(name)
      \(config.isEmpty ? "true" : "umoci config --image oci:\(name) \(config)")
      """)
  }

  private static let idle = "entrypoint: [busybox, sleep, \"100000\"]"

  @Test func anonymousVolumesAreHandedOn() throws {
    try withImages { host in
      func up(_ value: String, _ extra: String = "") throws {
        try host.up(
          """
          services:
            web: {image: "\(Self.image)", \(Self.idle), environment: {A: "\(value)"}, volumes: [/other\(extra)]}
          """, named: "x")
      }
      try up("1")
      #expect(try host.succeed("stack", "exec", "web", "cat", "/data/seed") == "seed")
      #expect(try host.succeed("stack", "exec", "web", "stat", "-c", "%u", "/data") == "1000")
      try host.succeed(
        "stack", "exec", "web", "sh", "-c", "echo kept >/data/note; echo kept >/other/note; echo gone >/note")
      // Made anew, with a further volume in front of the others.
      try up("2", ", /a")
      #expect(try host.succeed("stack", "exec", "web", "cat", "/data/note", "/other/note") == "kept\nkept")
      #expect(try host.run("stack", "exec", "web", "cat", "/note").status != 0)
      try host.succeed("stack", "down", "x")
      #expect(try host.run("test", "-e", "/var/lib/stack/x").status == 1)
      try up("1")
      #expect(try host.run("stack", "exec", "web", "cat", "/data/note").status != 0)
    }
  }

  @Test func volumesTakeOverUnlessToldNotTo() throws {
    try withImages { host in
      try make(
        "many",
        """
        mkdir -p many/d && echo seed >many/seed && chown 1000:1000 many/seed && ln many/seed many/d/second
        chmod 2750 many/d && mkfifo many/fifo
        """, on: host)
      try host.up(
        """
        services:
          a: {image: "oci:/run/images/oci:many", \(Self.idle), volumes: ["one:/many"]}
          b: {image: "oci:/run/images/oci:many", \(Self.idle), volumes: ["two:/many:nocopy"]}
          c:
            image: "oci:/run/images/oci:many"
            \(Self.idle)
            volumes: [{type: volume, source: three, target: /many, volume: {nocopy: true}}]
        volumes: {one: {}, two: {}, three: {}}
        """, named: "x")
      #expect(
        try host.succeed("stack", "exec", "a", "stat", "-c", "%h %u", "/many/seed", "/many/d/second")
          == "2 1000\n2 1000")
      #expect(
        try host.succeed("stack", "exec", "a", "stat", "-c", "%a %F", "/many/d", "/many/fifo")
          == "2750 directory\n644 fifo")
      for service in ["b", "c"] { #expect(try host.succeed("stack", "exec", service, "ls", "/many").isEmpty) }
    }
  }

  @Test("An image without /etc/hosts and its like: they are made for it, and then the root is read-only")
  func aRootMayBeReadOnly() throws {
    try withImages { host in
      try host.up(
        """
        services:
          web: {image: "\(Self.image)", \(Self.idle), read_only: true, tmpfs: [/tmp], volumes: [/made/here]}
        """, named: "x")
      #expect(
        try host.succeed("stack", "exec", "web", "sh", "-c", "cat /etc/hosts; echo >/made/here/a").contains("web"))
      for place in ["/etc/hosts.new", "/made/b", "/x"] {
        let outcome = try host.run("stack", "exec", "web", "sh", "-c", "echo >\(place)")
        #expect(outcome.status == 1 && outcome.errors.contains("Read-only file system"), "\(place): \(outcome.errors)")
      }
    }
  }

  @Test("As with Compose, health matters to dependents and to --wait alone")
  func upDoesNotWaitForHealth() throws {
    func file(_ rest: String) -> String {
      """
      services:
        web:
          {image: "\(Self.image)", \(Self.idle), healthcheck: {test: "test -e /well", interval: 100ms, retries: 1000}}
        \(rest)
      """
    }
    try withImages { host in
      try host.write(file(""), to: "/run/x/compose.yaml")
      try host.write(
        file("next: {image: \"\(Self.image)\", \(Self.idle), depends_on: {web: {condition: service_healthy}}}"),
        to: "/run/x/next.yaml")
      let plain = try host.run("stack", "-f", "/run/x/compose.yaml", "up", "-d")
      #expect(
        plain.status == 0 && (plain.output + plain.errors).contains("x/web: started"), "\(plain.output)\(plain.errors)")
      // Nothing makes it healthy: that is waited for until Ctrl-C.
      #expect(try host.run("timeout", "-s", "INT", "1", "stack", "-f", "/run/x/next.yaml", "up").status != 0)
      try host.succeed("stack", "exec", "x/web", "busybox", "touch", "/well")
      #expect(try host.run("stack", "-f", "/run/x/next.yaml", "up").status == 0)
      try host.succeed("stack", "down", "x")
      let late = try host.run("stack", "-f", "/run/x/compose.yaml", "up", "--wait", "--wait-timeout", "1")
      #expect(late.status == 1 && late.errors.contains("x/web"), "\(late.output)\(late.errors)")
    }
  }

  @Test func aFillingThatWasBrokenOffIsBegunAnew() throws {
    try withImages { host in
      let volume = "/var/lib/stack/x/volumes/one"
      try host.succeed("mkdir", "-p", volume)
      try host.succeed("sh", "-c", "echo half >\(volume)/seed")
      try host.succeed("python3", "-c", "import os; os.setxattr('\(volume)', 'trusted.stack.filling', b'')")
      try host.up(
        "services: {a: {image: \"\(Self.image)\", \(Self.idle), volumes: [\"one:/data\"]}}\nvolumes: {one: {}}",
        named: "x")
      #expect(try host.succeed("stack", "exec", "a", "cat", "/data/seed") == "seed")
    }
  }

  @Test func privilegesOfProgramsTakeEffectUnlessForbidden() throws {
    try withImages { host in
      try host.up(
        """
        services:
          plain: {image: "\(Self.image)", \(Self.idle)}
          strict: {image: "\(Self.image)", \(Self.idle), security_opt: [no-new-privileges]}
        """, named: "x")
      for (service, value) in [("plain", "0"), ("strict", "1")] {
        let status = try host.succeed("stack", "exec", service, "cat", "/proc/1/status")
        #expect(status.contains("NoNewPrivs:\t\(value)"), "\(service)")
        // Its root is nobody outside.
        #expect(try host.succeed("stack", "exec", service, "cat", "/proc/self/uid_map").hasSuffix("65536"))
      }
    }
  }

  @Test func idsThatAServiceDoesNotHaveAreSaid() throws {
    try withImages { host in
      try make("high", "echo x >high && chown 70000:80000 high", on: host)
      try host.write("services: {a: {image: \"oci:/run/images/oci:high\", \(Self.idle)}}", to: "x.stack")
      let up = try host.run("stack", "up", "x.stack")
      #expect(up.status == 0)
      #expect(up.errors.contains("files of id 80000") && up.errors.contains("userns_mode: host"), "\(up)")
      #expect(try host.succeed("stack", "exec", "a", "stat", "-c", "%u", "/high") == "65534")
    }
  }

  @Test func dockersSocketIsSpokenOf() throws {
    try withImages { host in
      try host.write(
        "services: {a: {image: \"\(Self.image)\", \(Self.idle), volumes: [\"/run/docker.sock:/var/run/docker.sock\"]}}",
        to: "x.stack")
      let up = try host.run("stack", "up", "x.stack")
      #expect(up.status == 0)
      #expect(up.errors.split(separator: "\n").count { $0.contains("docker.sock") } == 1, "\(up)")
    }
  }

  @Test func aTerminalIsReadWithoutStackInit() throws {
    try withImages { host in
      try host.up(
        """
        services:
          a: {image: "\(Self.image)", tty: true, stdin_open: true, entrypoint: [sh]}
          b: {image: "\(Self.image)", tty: true, user: app, entrypoint: [sh, -c, "echo hello; exec sleep 100000"]}
        """, named: "x")
      #expect(try host.eventually { try host.succeed("stack", "logs", "b").contains("hello") })
      try host.succeed("sh", "-c", "{ echo 'echo $((20 + 22))'; sleep 0.2; } | timeout 10 stack attach a || true")
      #expect(try host.eventually { try host.succeed("stack", "logs", "a").contains("42") })
      #expect(try host.field("State", of: "a") == "running")
    }
  }

  @Test func aServiceBecomesAnImage() throws {
    try withImages { host in
      try host.up("services: {a: {image: \"\(Self.image)\", \(Self.idle)}}", named: "x")
      try host.succeed(
        "stack", "exec", "a", "sh", "-c",
        """
        echo new >/www/new; busybox rm /old/stays /www/index.html; busybox ln /www/new /www/again
        busybox chown 1000:1000 /www/new; busybox chmod 4755 /www/new; busybox ln -s new /www/link
        busybox rm -r /data; busybox mkdir /data; echo only >/data/only
        """)
      let id = try host.succeed("stack", "commit", "a", "patched:1", "--message", "two changes")
      #expect(id.hasPrefix("sha256:"))
      #expect(try host.succeed("stack", "images").contains("patched"))
      #expect(try host.succeed("stack", "image", "history", "patched:1").contains("two changes"))
      try host.up("services: {b: {image: \"patched:1\", \(Self.idle), pull_policy: never}}", named: "y")
      #expect(try host.succeed("stack", "exec", "y/b", "stat", "-c", "%a %u %h", "/www/new") == "4755 1000 2")
      #expect(try host.succeed("stack", "exec", "y/b", "readlink", "/www/link") == "new")
      for path in ["/old/stays", "/www/index.html"] {
        #expect(try host.run("stack", "exec", "y/b", "ls", path).status != 0)
      }
      // Of others as well.
      try host.succeed("stack", "save", "patched:1", "--output", "/run/patched.tar")
      try host.succeed(
        "bash", "-c",
        "cd /run && skopeo copy -q docker-archive:patched.tar oci:theirs:1 && umoci unpack --image theirs:1 theirs-root"
      )
      #expect(
        try host.succeed("ls", "/run/theirs-root/rootfs/www").split(separator: "\n").sorted() == [
          "again", "link", "new",
        ])
      // Services of folders have no image below them.
      try host.up("services: {c: {rootfs: host, command: [sleep, \"100000\"]}}", named: "z")
      let refusal = try host.run("stack", "commit", "c", "none:1")
      #expect(refusal.status == 1 && refusal.errors.contains("runs from no image"))
    }
  }

  // MARK: Nothing of an image is believed

  @Test(
    "CVE-2024-9676, CVE-2026-47262: users are read from no link out of the root, no FIFO and nothing endless",
    arguments: [
      ("link", "rm etc/passwd && ln -s /etc/shadow-of-the-host etc/passwd"),
      ("fifo", "rm etc/passwd && mkfifo etc/passwd"),
      ("endless", "head -c 3000000 /dev/zero | tr '\\0' x >etc/passwd"),
      ("device", "rm etc/passwd && mknod etc/passwd c 1 5"),
      // Nobody has a driver for it, so the kernel would say so to whoever opens it.
      ("driverless", "rm etc/passwd && mknod etc/passwd c 240 77"),
    ])
  func usersOfAnImage(_ name: String, _ script: String) throws {
    try withImages { host in
      try make(name, script, on: host)
      try host.write("services: {a: {image: \"oci:/run/images/oci:\(name)\", \(Self.idle), user: app}}", to: "x.stack")
      let up = try host.run("stack", "up", "x.stack", limit: .seconds(60))
      #expect(up.status == 1 && up.errors.contains("passwd"), "\(up)")
      // Opening a device is an order to it: a watchdog begins to count.
      if script.contains("mknod") { #expect(up.errors.contains("not a regular file"), "\(up)") }
    }
  }

  @Test(
    "CVE-2024-40635, CVE-2026-46680: a user beyond all ids", arguments: ["2147483648", "4294967295", "99999999999"])
  func usersBeyondAllIDs(_ user: String) throws {
    try withImages { host in
      try make("user", "true", config: "--config.user \(user)", on: host)
      try host.write("services: {a: {image: \"oci:/run/images/oci:user\", \(Self.idle)}}", to: "x.stack")
      let up = try host.run("stack", "up", "x.stack")
      #expect(up.status == 1 && up.errors.contains(user), "\(up)")
    }
  }

  @Test("CVE-2023-25173, CVE-2022-2989: with a group of its own a user has no further ones")
  func furtherGroups() throws {
    try withImages { host in
      try host.up(
        """
        services:
          a: {image: "\(Self.image)", \(Self.idle), user: app}
          b: {image: "\(Self.image)", \(Self.idle), user: "app:app"}
        """, named: "x")
      #expect(try host.succeed("stack", "exec", "a", "cat", "/proc/1/status").contains("Groups:\t2000"))
      #expect(try host.succeed("stack", "exec", "b", "cat", "/proc/1/status").contains("Groups:\t2000") == false)
    }
  }

  @Test func anExportHasTheNumbersOfAnImagesUser() throws {
    try withImages { host in
      try host.up("services: {a: {image: \"\(Self.image)\", \(Self.idle), user: app}}", named: "x")
      let (user, group) = try (
        host.succeed("stack", "exec", "a", "id", "-u"), host.succeed("stack", "exec", "a", "id", "-g")
      )
      let documents = try host.run("stack", "export", "kubernetes", "x.stack").output
      let lines = Set(documents.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
      #expect(user != "0" && lines.isSuperset(of: ["runAsUser: \(user)", "runAsGroup: \(group)"]), "\(documents)")
    }
  }

  @Test("CVE-2022-23648: a volume of the image's that climbs", arguments: ["/../../../etc", "/data/../../../etc"])
  func volumesThatClimb(_ path: String) throws {
    try withImages { host in
      try make("climb", "mkdir -p etc && echo image >etc/mine", config: "--config.volume \(path)", on: host)
      try host.up("services: {a: {image: \"oci:/run/images/oci:climb\", \(Self.idle)}}", named: "x")
      #expect(try host.succeed("stack", "exec", "a", "cat", "/etc/mine") == "image")
      #expect(try host.succeed("find", "/var/lib/stack/x/anonymous", "-name", "shadow").isEmpty)
    }
  }

  @Test(
    "CVE-2024-21626: a working folder leads to no descriptor", arguments: ["/proc/self/fd/7", "/proc/self/fd/3/.."])
  func workingFoldersOfDescriptors(_ path: String) throws {
    try withImages { host in
      try make("folder", "true", config: "--config.workingdir \(path)", on: host)
      try host.write("services: {a: {image: \"oci:/run/images/oci:folder\", \(Self.idle)}}", to: "x.stack")
      let up = try host.run("stack", "up", "x.stack")
      if up.status == 0 { #expect(try host.succeed("stack", "exec", "a", "sh", "-c", "cd ..; pwd").hasPrefix("/")) }
      #expect(try host.run("stack", "exec", "a", "ls", "\(path)/etc/hostname").status != 0)
    }
  }

  @Test("CVE-2021-41091, CVE-2021-41103, CVE-2024-25621: no user of the host comes near files of images")
  func theStoreIsClosed() throws {
    try withImages { host in
      try host.up("services: {a: {image: \"\(Self.image)\", \(Self.idle)}}", named: "x")
      for path in ["/var/lib/stack/.images", "/var/lib/stack/x"] {
        #expect(try host.succeed("stat", "-c", "%a", path) == "700")
        #expect(try host.run("setpriv", "--reuid", "1000", "--clear-groups", "ls", "\(path)/").status != 0)
      }
    }
  }

  @Test("CVE-2019-14271, CVE-2026-41567: nothing of an image is run or loaded on the host")
  func nothingRunsOnTheHost() throws {
    try withImages { host in
      let trap = "printf '#!/bin/sh\\ntouch /run/trapped\\n'"
      try make(
        "trap",
        "for n in gzip unpigz zstd tar xz; do \(trap) >bin/$n && chmod 755 bin/$n; done; mkdir -p lib && cp bin/gzip lib/libnss_files.so.2",
        config: "--config.env PATH=/bin --config.env LD_PRELOAD=/lib/libnss_files.so.2", on: host)
      try host.up(
        "services: {a: {image: \"oci:/run/images/oci:trap\", entrypoint: [/bin/busybox, sleep, \"9999\"]}}", named: "x")
      try host.succeed("stack", "cp", "a:/etc/passwd", "/run/copied")
      #expect(try host.run("test", "-e", "/run/trapped").status == 1)
    }
  }

  @Test("CVE-2026-53488: labels of an image are no orders")
  func labelsAreNoOrders() throws {
    try withImages { host in
      try make(
        "labels", "true",
        config:
          "--config.label com.docker.compose.oneoff=True --config.label privileged=true --config.label io.podman.annotations.privileged=TRUE",
        on: host)
      try host.up("services: {a: {image: \"oci:/run/images/oci:labels\", \(Self.idle)}}", named: "x")
      #expect(try host.succeed("stack", "exec", "a", "cat", "/proc/self/uid_map").hasSuffix("65536"))
    }
  }
}
