import Foundation
import Glibc
import Testing

/// Dockerfiles, contexts and images that mean harm, each named for the report about another builder that it repeats.
@Suite(.enabled(if: TestBuilds.hasTools, "busybox is not installed: tools/setup --tests"))
struct BuildAttackTests {
  /// Two steps share a cache. One swaps a folder of it for a link to the host, while the other mounts it by `source=`.
  @Test func cve202423651CacheMountRacesToALink() throws {
    try TestBuilds.with { host in
      try host.write("host's own", to: "/run/victim/secret")
      let outcome = try host.build(
        """
        FROM base AS racer
        RUN --mount=type=cache,id=c,target=/c mkdir -p /c/d; i=0; while [ $i -lt 300 ]; do \
          mv /c/d /c/e; ln -s /run/victim /c/d; rm /c/d; mv /c/e /c/d; i=$((i+1)); done; touch /raced
        FROM base
        RUN --mount=type=cache,id=c,target=/c mkdir -p /c/d
        RUN --mount=type=cache,id=c,source=d,target=/m cat /m/secret 2>/dev/null && echo READ; true
        COPY --from=racer /raced /
        """)
      #expect(!outcome.errors.contains("host's own") && !outcome.errors.contains("  READ"), "\(outcome)")
      // A link that is there for good is refused.
      try host.built("FROM base\nRUN --mount=type=cache,id=l,target=/c ln -s / /c/link")
      let link = try host.build("FROM base\nRUN --mount=type=cache,id=l,source=link,target=/m ls /m")
      #expect(link.status == 1 && !link.errors.contains("victim"), "\(link)")
    }
  }

  /// The clean-up of mount points follows no link out of the image.
  @Test func cve202423652CleanUpRemovesNothingOfTheHost() throws {
    try TestBuilds.with { host in
      try host.succeed("mkdir", "-p", "/run/victim/empty")
      try host.succeed("touch", "/run/victim/file")
      try host.succeed("mkdir", "-p", "x/etc")
      try host.succeed("ln", "-s", "/run/victim/file", "x/etc/hosts")
      try host.built(
        """
        FROM base
        COPY etc/ /etc/
        RUN ln -s /run/victim /v
        RUN --mount=type=tmpfs,target=/v/empty true
        RUN --mount=type=bind,source=Dockerfile,target=/v/file true
        """)
      #expect(try host.succeed("ls", "/run/victim") == "empty\nfile")
    }
  }

  @Test func cve202423653PrivilegesAreNotGivenByAFlag() throws {
    try TestBuilds.with { host in
      let outcome = try host.build("FROM base\nRUN --security=insecure mount -t tmpfs none /mnt")
      #expect(outcome.status != 0 && outcome.errors.contains("security"), "\(outcome)")
      let mount = try host.build("FROM base\nRUN mount -t tmpfs none /tmp && echo MOUNTED")
      #expect(mount.status == 1 && !mount.errors.contains("  MOUNTED"), "\(mount)")
    }
  }

  /// A source of a bind mount that is a link leads no further than its own root.
  @Test(arguments: ["/", "/run/victim", "../../../run/victim"])
  func cve20241753And9407BindSourceIsALink(_ target: String) throws {
    try TestBuilds.with { host in
      try host.write("host's own", to: "/run/victim/secret")
      try host.succeed("mkdir", "-p", "x")
      try host.succeed("ln", "-sfn", target, "x/link")
      for from in ["", "from=evil,"] {
        let outcome = try host.build(
          """
          FROM base AS evil
          RUN ln -s \(target) /link
          FROM base
          RUN --mount=type=bind,\(from)source=link,target=/m find /m -name secret | grep . && echo FOUND; true
          """)
        #expect(!outcome.errors.contains("  FOUND"), "\(outcome)")
      }
    }
  }

  @Test func cve20249675CacheIdIsNoPath() throws {
    try TestBuilds.with { host in
      try host.succeed("mkdir", "-p", "/var/lib/stack/victim")
      try host.built("FROM base\nRUN --mount=type=cache,id=../../../victim,target=/c touch /c/inside")
      #expect(try host.succeed("ls", "-A", "/var/lib/stack/victim") == "")
      #expect(try host.succeed("find", "/var/lib/stack", "-name", "inside").contains("/builds/caches/"))
    }
  }

  /// Stages side by side write to one cache, and one of them puts links where the other mounts.
  @Test func cve202411218StagesSideBySideStayInTheirRoots() throws {
    try TestBuilds.with { host in
      let outcome = try host.build(
        """
        FROM base AS one
        RUN --mount=type=cache,id=c,target=/c for i in $(seq 200); do ln -sfn /run /c/x; rm -f /c/x; done; touch /1
        FROM base AS two
        RUN --mount=type=cache,id=c,target=/c for i in $(seq 200); do touch /c/x/escaped 2>/dev/null; done; touch /2
        FROM base
        COPY --from=one /1 /
        COPY --from=two /2 /
        """)
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try host.run("test", "-e", "/run/escaped").status == 1)
    }
  }

  @Test func cve202633747And33748NoForeignFrontendAndNoGit() throws {
    try TestBuilds.with { host in
      let frontend = try host.build("# syntax=example.org/evil/frontend:1\nFROM base\nRUN true")
      #expect(frontend.status != 0 && frontend.errors.contains("example.org/evil/frontend"), "\(frontend)")
      let git = try host.build("FROM base\nADD https://example.org/a.git#main:../../etc /")
      #expect(git.status != 0 && git.errors.contains("git"), "\(git)")
    }
  }

  /// A step that ran on nothing is never taken for one that ran on another image.
  @Test func cve202424557CacheOfScratchIsNotPoisoned() throws {
    try TestBuilds.with { host in
      try host.succeed("cp", "base/busybox", "x-busybox")
      try host.succeed("sh", "-c", "mkdir -p x && mv x-busybox x/busybox")
      try host.built("FROM scratch\nCOPY busybox /bin/sh\nHEALTHCHECK NONE\nLABEL a=evil", "evil")
      try host.built("FROM base\nCOPY busybox /bin/sh2\nHEALTHCHECK CMD true", "good")
      let config = try host.succeed("stack", "image", "inspect", "good")
      #expect(config.contains("CMD-SHELL") && !config.contains("evil"))
    }
  }

  /// buildah issue 6861
  @Test func dockerfileThatIsALinkOutOfTheContext() throws {
    try TestBuilds.with { host in
      try host.write("FROM base\nRUN echo HOST-FILE", to: "/run/elsewhere/Dockerfile")
      try host.succeed("mkdir", "-p", "x")
      try host.succeed("ln", "-sf", "/run/elsewhere/Dockerfile", "x/Dockerfile")
      let outcome = try host.run("stack", "build", "-t", "x", "x")
      #expect(outcome.status == 1 && !outcome.errors.contains("HOST-FILE"), "\(outcome)")
    }
  }

  /// podup issue 721
  @Test func linksOfTheContextReadNothingOfTheHost() throws {
    try TestBuilds.with { host in
      try host.write("host's own", to: "/run/victim/secret")
      try host.succeed("mkdir", "-p", "x/d")
      for (name, target) in [("file", "/run/victim/secret"), ("d/up", "../../../../run/victim"), ("root", "/")] {
        try host.succeed("ln", "-sfn", target, "x/\(name)")
      }
      for source in ["file", "d/up", "d/up/secret", "root/run/victim", "../../run/victim", "root/*/victim"] {
        let outcome = try host.build("FROM base\nCOPY \(source) /t/\nRUN grep -r 'own' /t && echo READ; true")
        #expect(!outcome.errors.contains("  READ"), "\(source): \(outcome)")
      }
    }
  }

  @Test func theContextIsReadAsItIsWithSocketsDevicesAndOddNames() throws {
    try TestBuilds.with { host in
      try host.succeed(
        "bash", "-c",
        """
        mkdir -p x/odd && cd x/odd && mkfifo fifo && mknod null c 1 3 && touch $'b\\xffad' $'new\\nline' 'a b'
        python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('socket')"
        """)
      let said = try host.built(
        "FROM base\nCOPY odd /odd\nRUN set -- /odd/*; echo $# names; test -p /odd/fifo && test ! -e /odd/null")
      #expect(said.contains("  4 names\n"), "\(said)")
    }
  }

  /// The host's loopback and its abstract sockets (CVE-2020-15257) are in its network namespace.
  @Test func theHostsNetworkIsNotGivenByAFlag() throws {
    try TestBuilds.with { host in
      let text = "FROM base\nRUN --network=host grep -c uplink /proc/net/dev"
      let outcome = try host.build(text)
      #expect(outcome.status == 1 && outcome.errors.contains("x/Dockerfile:2"), "\(outcome)")
      #expect(outcome.errors.contains("--network host"), "\(outcome)")
      #expect(try host.built(text, options: ["--network", "host"]).contains("  1\n"))
    }
  }

  /// Clouds give credentials to machines at 169.254.169.254.
  @Test func stepsReachNoLinkLocalAddress() throws {
    try TestBuilds.with { host in
      let text = "FROM base\nRUN ip route get 203.0.113.7 && ip route get 169.254.169.254 && echo REACHED; true"
      let own = try host.built(text)
      #expect(own.contains("203.0.113.7 via") && !own.contains("  REACHED"), "\(own)")
      #expect(try host.built(text, options: ["--network", "host", "--no-cache"]).contains("  REACHED\n"))
    }
  }

  /// ADD fetches from the host's own network, and a web server may lead it anywhere.
  @Test func addReachesNeitherLoopbackNorLinkLocalAddresses() throws {
    try TestBuilds.with { host in
      let server = """
        import http.server, socketserver, sys
        class Answers(http.server.BaseHTTPRequestHandler):
          def do_GET(self):
            near = self.path.startswith("/lead")
            self.send_response(302 if near else 200)
            if near: self.send_header("Location", "http://127.0.0.1:8099/file")
            self.send_header("Content-Length", "5" if not near else "0")
            self.end_headers()
            if not near: self.wfile.write(b"bytes")
          def log_message(self, *_): pass
        socketserver.TCPServer.allow_reuse_address = True
        socketserver.TCPServer((sys.argv[1], 8099), Answers).serve_forever()
        """
      let servers = try [
        host.start(["python3", "-c", server, "127.0.0.1"]),
        host.start(["nsenter", "--net=/run/throwaway/outside", "python3", "-c", server, "203.0.113.7"]),
      ]
      defer { withExtendedLifetime(servers) {} }
      for address in ["127.0.0.1", "203.0.113.7"] {
        #expect(
          try host.eventually {
            try host.run("curl", "-s", "-o", "/dev/null", "http://\(address):8099/file").status == 0
          })
      }
      try host.built("FROM base\nADD http://203.0.113.7:8099/file /\nRUN grep -q bytes /file")
      let addresses = [
        "127.0.0.1:8099/file", "0.0.0.0:8099/file", "[::ffff:127.0.0.1]:8099/file", "203.0.113.7:8099/lead",
      ]
      for address in addresses {
        let outcome = try host.build("FROM base\nADD http://\(address) /file")
        #expect(outcome.status == 1 && outcome.errors.contains("this host's alone"), "\(address): \(outcome)")
        try host.built(
          "FROM base\nADD http://\(address) /file\nRUN grep -q bytes /file", options: ["--network", "host"])
      }
    }
  }

  /// /dev/null is a device that the step's control group permits. Its root refuses it.
  @Test func devicesOfALayerAreNotOpened() throws {
    try TestBuilds.with { host in
      try host.succeed(
        "bash", "-c",
        """
        set -e
        mkdir -p made && cd made && stack save base -o base.tar && tar -xf base.tar && mkdir -p root/nodes
        mknod -m 666 root/nodes/null c 1 3 && tar -C root -cf layer.tar nodes
        digest=$(sha256sum layer.tar | cut -d' ' -f1)
        config=$(jq -r '.[0].Config' manifest.json)
        jq --arg d "sha256:$digest" '.rootfs.diff_ids += [$d]' "$config" >config.json
        jq '.[0].Config = "config.json" | .[0].RepoTags = ["nodes:latest"] | .[0].Layers += ["layer.tar"]' \
          manifest.json >new.json && mv new.json manifest.json
        tar -cf ../nodes.tar manifest.json config.json layer.tar $(jq -r '.[0].Layers[]' manifest.json | grep -v '^layer')
        """)
      try host.succeed("stack", "load", "--input", "nodes.tar")
      let said = try host.built("FROM nodes\nRUN test -c /nodes/null && cat /nodes/null && echo OPENED; true")
      #expect(said.contains("'/nodes/null': Permission denied") && !said.contains("  OPENED"), "\(said)")
      try host.up("services: {a: {image: nodes, command: [sleep, \"1000\"]}}", named: "x")
      #expect(try host.run("stack", "exec", "-T", "a", "cat", "/nodes/null").status == 0)
    }
  }
}
