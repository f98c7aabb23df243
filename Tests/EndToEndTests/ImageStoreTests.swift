import Foundation
import Fuzzing
import Glibc
import Testing

/// The store of images under what befalls it: kills, full disks, cuts of power, several commands at once.
@Suite(.enabled(if: TestImages.hasTools, "docker-registry, skopeo or umoci is not installed: tools/setup --tests"))
struct ImageStoreTests {
  private static let store = "/var/lib/stack/.images"
  private static let image = "oci:/run/images/oci:web"

  private func withImages(_ body: (ThrowawayHost) throws -> Void) throws {
    try ThrowawayHost.with { host in
      try host.succeed("bash", "-c", TestImages.make)
      try body(host)
    }
  }

  /// Whatever has a name runs; whatever is not is fetched, and then it runs.
  private func expectWhole(_ host: ThrowawayHost, _ point: String) throws {
    // One that is there without a name is not there for a file.
    let isThere = try host.run("stack", "image", "inspect", Self.image).status == 0
    let policy = isThere ? "never" : "missing"
    try host.write(
      "services: {web: {image: \"\(Self.image)\", command: [httpd, -f, -p, \"80\", -h, /www]}}", to: "x.stack")
    let up = try host.run("stack", "up", "x.stack", "--pull", policy)
    #expect(up.status == 0, "\(point): \(up)")
    #expect(
      try host.run("stack", "exec", "web", "cat", "/www/index.html", "/old/stays").output
        .contains("Served from an image"), "\(point)")
    try host.succeed("stack", "down", "x")
    let pull = try host.run("stack", "pull", "--quiet", Self.image)
    #expect(pull.status == 0, "\(point): \(pull)")
    #expect(
      try host.succeed("find", "\(Self.store)/ingest", "\(Self.store)/trash", "-mindepth", "1").isEmpty, "\(point)")
    try host.succeed("stack", "image", "prune", "--all")
    #expect(try host.succeed("find", Self.store, "-mindepth", "2", "-type", "f").isEmpty, "\(point)")
  }

  /// podman #14003, #16362
  @Test(
    arguments: ["rename", "fsync", "syncfs", "symlink"]
      + (TestExtent.isWhole ? ["renameat2", "mkdirat", "mkdir", "unlink", "openat2", "pwrite64", "flock"] : []))
  func pullsKilledAtEachCallLeaveWholeImages(_ call: String) throws {
    try withImages { host in
      var (count, next) = (1, 2)
      while count < TestExtent.size(400, sample: 9) {
        let tracer = ["strace", "-D", "-f", "-o", "/dev/null", "-e", "trace=\(call)"]
        let outcome = try host.start(
          tracer + ["-e", "inject=\(call):signal=KILL:when=\(count)", "stack", "pull", "--quiet", Self.image]
        ).wait(limit: .seconds(120))
        #expect([0, 1, 137].contains(outcome.status), "\(outcome)")
        #expect(try host.eventually { try host.run("pgrep", "-x", "strace|stack").status != 0 })
        try expectWhole(host, "\(call) number \(count)")
        if outcome.status == 0 { break }
        (count, next) = (next, TestExtent.isWhole ? next + 1 : count + next)
      }
    }
  }

  /// podman #8005: what a cut of power leaves is what was written to disk before it.
  @Test func everythingIsOnDiskBeforeItsName() throws {
    try withImages { host in
      try host.succeed(
        "strace", "-f", "-y", "-o", "/run/trace", "-e", "trace=rename,renameat2,symlink,fsync,fdatasync,syncfs",
        "stack",
        "pull", "--quiet", Self.image)
      let calls = try host.succeed("cat", "/run/trace").split(separator: "\n").map(String.init)
      func last(_ words: String...) -> Int? { calls.lastIndex { call in words.allSatisfy { call.contains($0) } } }
      func first(_ words: String...) -> Int? { calls.firstIndex { call in words.allSatisfy { call.contains($0) } } }
      let sync = try #require(first("syncfs("))
      for place in ["blobs/sha256", "layers/"] {
        let named = calls.indices.filter {
          calls[$0].contains(".part\"") && calls[$0].contains(place)
            || calls[$0].contains(".tmp\"") && calls[$0].contains(place)
        }
        #expect(named.allSatisfy { $0 > sync }, "\(place)")
      }
      let image = try #require(last("rename", "\(Self.store)/images/"))
      for folder in ["layers", "chains", "blobs/sha256"] {
        let synced = try #require(last("fsync(", "\(Self.store)/\(folder)>"), "\(folder)")
        #expect(synced > (last("rename", "\(Self.store)/\(folder)/") ?? 0) && synced < image, "\(folder)")
      }
      let imagesSynced = try #require(last("fsync(", "\(Self.store)/images>"))
      let name = try #require(last("rename", "\(Self.store)/names/"))
      #expect(image < imagesSynced && imagesSynced < name)
      #expect(try #require(last("fsync(", "\(Self.store)/names>")) > name)
    }
  }

  @Test func aFullDiskLeavesTheStoreAsItWas() throws {
    try withImages { host in
      let sizes = TestExtent.isWhole ? Array(stride(from: 100, through: 6000, by: 150)) : [100, 900, 1500, 2600]
      try host.succeed("mkdir", "-p", Self.store)
      for size in sizes {
        try host.succeed("mount", "-t", "tmpfs", "-o", "mode=700,size=\(size)k", "images", Self.store)
        let pull = try host.run("stack", "pull", "--quiet", Self.image)
        if pull.status != 0 {
          #expect(
            pull.status == 1 && pull.errors.contains("No space left") && pull.errors.contains("make room"), "\(pull)")
          #expect(try host.succeed("stack", "images", "--quiet").isEmpty)
          let rest = try host.succeed(
            "find", Self.store, "-name", "*.tmp", "-o", "-name", "*.part", "-o", "-path", "*/layers/*", "-o", "-path",
            "*/names/*")
          #expect(rest.isEmpty, "\(rest)")
          try host.succeed("mount", "-o", "remount,size=64m", Self.store)
        }
        try expectWhole(host, "\(size) KiB")
        try host.succeed("umount", Self.store)
      }
    }
  }

  @Test func pruneAndPullsDoNotHurtEachOther() throws {
    try withImages { host in
      let rounds = TestExtent.size(40, sample: 6)
      let pulls = try host.start([
        "bash", "-c", "for i in {1..\(rounds)}; do stack pull --quiet \(Self.image) >/dev/null || exit; done",
      ])
      let prunes = try host.start([
        "bash", "-c", "for i in {1..\(rounds)}; do stack image prune --all >/dev/null || exit; done",
      ])
      for command in [pulls, prunes] {
        let outcome = try command.wait(limit: .seconds(300))
        #expect(outcome.status == 0, "\(outcome)")
      }
      try expectWhole(host, "after prunes and pulls at once")
    }
  }

  @Test func oldPartsGoWithTheNextPull() throws {
    try withImages { host in
      let (old, young) = (
        "\(Self.store)/ingest/\(String(repeating: "a", count: 64)).part",
        "\(Self.store)/ingest/\(String(repeating: "b", count: 64)).part"
      )
      try host.succeed("mkdir", "-p", "\(Self.store)/ingest")
      try host.succeed("touch", "-d", "8 days ago", old)
      try host.succeed("touch", "-d", "6 days ago", young)
      try host.succeed("stack", "pull", "--quiet", Self.image)
      #expect(try host.run("test", "-e", old).status == 1)
      #expect(try host.run("test", "-e", young).status == 0)
    }
  }

  @Test func aStackCanBeCalledImages() throws {
    try withImages { host in
      try host.write(
        """
        services:
          web: {image: "\(Self.image)", command: [httpd, -f, -p, "80", -h, /www], volumes: ["kept:/kept"]}
        volumes: {kept: {}}
        """, to: "images.stack")
      try host.succeed("stack", "up", "images.stack")
      try host.succeed("stack", "exec", "web", "sh", "-c", "echo mine >/kept/note")
      try host.succeed("stack", "down", "images", "--volumes")
      #expect(try host.succeed("stack", "images", "--quiet").isEmpty == false)
      try host.succeed("stack", "up", "images.stack", "--pull", "never")
    }
  }

  /// An earlier build kept images where a stack of that name has its volumes.
  @Test func theStoreOfAnEarlierBuildIsTakenOver() throws {
    try withImages { host in
      try host.succeed("stack", "pull", "--quiet", Self.image)
      let former = "/var/lib/stack/images"
      try host.succeed("mv", Self.store, former)
      try host.succeed("mkdir", "-p", "\(former)/volumes/kept")
      #expect(try host.succeed("stack", "images", "--quiet").isEmpty == false)
      #expect(try host.succeed("ls", former) == "volumes")
      try host.succeed("rmdir", "\(former)/volumes/kept", "\(former)/volumes")
      // Broken off in the middle: it goes on.
      try host.succeed("mv", "\(Self.store)/names", former)
      #expect(try host.succeed("stack", "images", "--quiet").isEmpty == false)
      #expect(try host.run("test", "-e", former).status == 1)
      try expectWhole(host, "after the move")
    }
  }

  /// buildkit #4810
  @Test func anImageHasManyLayers() throws {
    try ThrowawayHost.with { host in
      for (count, isLast) in [(TestExtent.size(500, sample: 130), false), (501, true)] {
        let outcome = try host.run(
          "bash", "-c",
          """
          set -e
          rm -rf /run/many && python3 \(Repository.root)/Tests/EndToEndTests/Scripts/many-layers.py \(count) /run/many
          stack pull --quiet oci:/run/many
          """, limit: .seconds(300))
        guard !isLast else {
          #expect(outcome.status == 1 && outcome.errors.contains("501 layers"), "\(outcome)")
          return
        }
        #expect(outcome.status == 0, "\(outcome)")
        try host.up(
          "services: {many: {image: \"oci:/run/many\", command: [/bin/busybox, sleep, \"100000\"]}}", named: "many")
        #expect(
          try host.succeed("stack", "exec", "many", "/bin/busybox", "ls", "/files").split(separator: "\n").count
            == count)
        #expect(try host.succeed("stack", "exec", "many", "/bin/busybox", "cat", "/last") == "\(count - 1)")
        try host.succeed("stack", "down", "-s", "many")
        try host.succeed("stack", "image", "prune", "--all")
      }
    }
  }
}
