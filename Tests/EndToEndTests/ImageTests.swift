import Foundation
import Glibc
import Testing

/// Services from images, from a real registry on the host's loopback (Debian's docker-registry), with images that umoci makes.
@Suite(.enabled(if: TestImages.hasTools, "docker-registry, skopeo or umoci is not installed: tools/setup --tests"))
struct ImageTests {
  private static let web = """
    services:
      web1: {image: "127.0.0.1:5000/test/web:1", ports: ["8081:80"], environment: {BOTH: file}}
      web2: {image: "127.0.0.1:5000/test/web:1", ports: ["8082:80"]}
    """

  @Test func anImageIsPulledAndServes() throws {
    try TestImages.withRegistry { host in
      try host.up(Self.web, named: "shop")
      for port in [8081, 8082] { #expect(try host.get("localhost:\(port)")?.contains("Served from an image") == true) }
      #expect(try host.succeed("stack", "exec", "web1", "cat", "/etc/os-release").contains("Test image"))
      let variables = try host.succeed("stack", "exec", "web1", "env")
      #expect(variables.contains("FROM_IMAGE=yes") && variables.contains("BOTH=file"))
      #expect(try host.succeed("stack", "exec", "web1", "sh", "-c", "pwd") == "/srv/app")
      #expect(try host.succeed("stack", "exec", "web1", "ls", "/old") == "stays")
      #expect(try host.succeed("stack", "exec", "web1", "stat", "-c", "%a %u", "/tmp").hasPrefix("1777 0"))
      #expect(try host.succeed("stack", "exec", "web1", "cat", "/proc/1/comm") == "busybox")
      try host.succeed("stack", "down", "shop")
      #expect(try host.succeed("findmnt", "-rn", "-o", "TARGET").contains("/run/stack") == false)
      #expect(try host.run("ls", "/var/lib/stack/shop").status != 0)
      #expect(try host.succeed("stack", "images").contains("127.0.0.1:5000/test/web"))
    }
  }

  @Test func aSecondUpAsksNoRegistry() throws {
    try TestImages.withRegistry { host in
      try host.succeed("stack", "pull", "127.0.0.1:5000/test/web:1")
      try host.succeed("rm", "-r", "/run/registry")
      try host.up(Self.web, named: "shop")
      #expect(try host.get("localhost:8081")?.contains("Served from an image") == true)
      #expect(try host.run("stack", "up", "shop.stack", "--pull", "never").status == 0)
    }
  }

  @Test func whatAServiceWroteSurvivesARestartAndNotDown() throws {
    try TestImages.withRegistry { host in
      try host.up(Self.web, named: "shop")
      try host.succeed("stack", "exec", "web1", "sh", "-c", "echo kept >/www/note; echo kept >/data/note")
      try host.succeed("stack", "restart", "web1")
      #expect(try host.succeed("stack", "exec", "web1", "cat", "/www/note", "/data/note") == "kept\nkept")
      // On disk, and not in memory.
      #expect(try host.succeed("find", "/var/lib/stack/shop", "-name", "note").split(separator: "\n").count == 2)
      try host.succeed("stack", "down", "shop")
      try host.succeed("stack", "up", "shop.stack")
      #expect(try host.run("stack", "exec", "web1", "cat", "/www/note").status != 0)
    }
  }

  @Test func anotherImageUnderTheSameNameMakesTheServiceAnew() throws {
    try TestImages.withRegistry { host in
      try host.up(Self.web, named: "shop")
      try TestImages.push("next", to: "test/web:1", on: host)
      try host.succeed("stack", "up", "shop.stack")
      #expect(try host.get("localhost:8081")?.contains("Served from an image") == true)
      try host.succeed("stack", "up", "shop.stack", "--pull", "always")
      #expect(try host.get("localhost:8081")?.contains("Served from the next image") == true)
      #expect(try host.succeed("stack", "images", "--quiet").split(separator: "\n").count == 2)
      try host.succeed("stack", "image", "prune")
      #expect(try host.succeed("stack", "images", "--quiet").split(separator: "\n").count == 1)
      #expect(try host.get("localhost:8082")?.contains("Served from the next image") == true)
      try host.succeed("stack", "down", "shop")
      try host.succeed("stack", "image", "prune", "--all")
      #expect(try host.succeed("find", "/var/lib/stack/.images/layers", "-mindepth", "1").isEmpty)
      #expect(try host.succeed("find", "/var/lib/stack/.images/blobs", "-type", "f").isEmpty)
    }
  }

  @Test func anImageInUseIsNotRemoved() throws {
    try TestImages.withRegistry { host in
      try host.up(Self.web, named: "shop")
      let refusal = try host.run("stack", "image", "rm", "127.0.0.1:5000/test/web:1")
      #expect(refusal.status == 1 && refusal.errors.contains("in use by stack shop"))
      try host.succeed("stack", "image", "prune", "--all")
      #expect(try host.get("localhost:8081")?.contains("Served from an image") == true)
    }
  }

  @Test func layoutsAndArchivesAreSources() throws {
    try TestImages.withRegistry { host in
      try host.succeed(
        "skopeo", "copy", "-q", "oci:/run/images/oci:web", "docker-archive:/run/images/web.tar:saved/web:2")
      try host.up(
        """
        services:
          one: {image: "oci:/run/images/oci:next", ports: ["8081:80"]}
          two: {image: "docker-archive:/run/images/web.tar", ports: ["8082:80"]}
        """, named: "local")
      #expect(try host.get("localhost:8081")?.contains("Served from the next image") == true)
      #expect(try host.get("localhost:8082")?.contains("Served from an image") == true)
      #expect(try host.succeed("stack", "load", "--input", "/run/images/web.tar").contains("saved/web:2"))
      #expect(try host.succeed("stack", "images").contains("saved/web"))
    }
  }

  // MARK: What goes wrong

  @Test(arguments: [
    ("127.0.0.1:5000/test/none:1", "no such image"), ("127.0.0.1:5000/test/web:none", "no such image"),
    ("127.0.0.1:5999/test/web:1", "cannot reach 127.0.0.1:5999"),
  ])
  func aNameThatIsNoneIsSaid(_ name: String, words: String) throws {
    try TestImages.withRegistry { host in
      let outcome = try host.run("stack", "pull", name)
      #expect(
        outcome.status == 1 && outcome.errors.contains(words) && outcome.errors.contains(name), "\(outcome.errors)")
      #expect(try host.succeed("stack", "images", "--quiet").isEmpty)
    }
  }

  @Test func aDamagedLayerIsRefusedAndLeavesNothing() throws {
    try TestImages.withRegistry { host in
      try host.succeed(
        "bash", "-c",
        "file=$(find /run/registry -name data -size +100k | head -n 1) && printf X | dd of=$file bs=1 seek=5000 conv=notrunc"
      )
      let outcome = try host.run("stack", "pull", "127.0.0.1:5000/test/web:1")
      #expect(outcome.status == 1 && outcome.errors.contains("layer "), "\(outcome.errors)")
      #expect(try host.succeed("stack", "images", "--quiet").isEmpty)
      #expect(
        try host.succeed("find", "/var/lib/stack/.images", "-name", "*.tmp", "-o", "-path", "*/layers/*")
          .isEmpty)
    }
  }

  @Test func killedPullsLeaveWhatAnotherGoesOnWith() throws {
    try TestImages.withRegistry { host in
      for delay in stride(from: 0, to: 200, by: 20) {
        let pull = try host.start(["stack", "pull", "127.0.0.1:5000/test/web:1"])
        usleep(UInt32(delay) * 1000)
        try? host.signal(SIGKILL, to: pull)
        _ = try pull.wait(limit: .seconds(30))
        try host.succeed("stack", "pull", "127.0.0.1:5000/test/web:1")
        #expect(try host.succeed("find", "/var/lib/stack/.images/layers", "-name", "busybox").isEmpty == false)
        #expect(try host.succeed("find", "/var/lib/stack/.images/ingest", "-mindepth", "1").isEmpty)
        try host.succeed("stack", "image", "prune", "--all")
      }
    }
  }

  @Test func threePullsAtOnceUnpackOnce() throws {
    try TestImages.withRegistry { host in
      let pulls = try (1...3).map { _ in try host.start(["stack", "pull", "127.0.0.1:5000/test/web:1"]) }
      for pull in pulls {
        let outcome = try pull.wait(limit: .seconds(240))
        #expect(outcome.status == 0, "\(outcome)")
      }
      #expect(try host.succeed("ls", "/var/lib/stack/.images/layers") == "1\n2")
    }
  }

  // MARK: Layers

  /// Random layers, unpacked by this program and by umoci: equal owners, modes, times, contents and hard links, and no name that is
  /// broken.
  @Test(arguments: [0, 1, 2, 3])
  func layersAreWhatUmociMakesOfThem(_ group: Int) throws {
    try ThrowawayHost.with { host in
      for seed in (group * 10 + 1)...(group * 10 + 10) {
        try host.succeed(
          "bash", "-c",
          """
          set -e
          cd /run && rm -rf image other && mkdir -p merged empty
          python3 \(Repository.root)/Tests/EndToEndTests/Scripts/random-image.py \(seed) image
          umoci unpack --image image:test other
          stack image prune --all >/dev/null
          stack pull --quiet oci:/run/image >/dev/null
          cd /var/lib/stack/.images
          layers=$(python3 -c 'import glob, json, os
          image = json.load(open(glob.glob("images/*.json")[0]))
          print(":".join("layers/%s/fs" % os.readlink("chains/" + l["chain"][7:]) for l in reversed(image["layers"])))')
          mount -t overlay -o "ro,lowerdir=$layers:/run/empty" overlay /run/merged
          trap 'umount /run/merged' EXIT
          python3 \(Repository.root)/Tests/EndToEndTests/Scripts/compare-trees.py /run/merged /run/other/rootfs
          """)
      }
    }
  }
}
