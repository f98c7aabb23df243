import Testing
@testable import StackFiles
@testable import Vocabulary

@Suite struct MountTests {
  typealias Mount = StackFile.Mount

  private func stack(_ key: String, _ entry: String) -> String {
    "services: {web: {command: nginx, \(key): [\(entry)]}}\nvolumes: {data: {}}"
  }

  private func mounts(_ key: String, _ entry: String) -> [Mount] {
    services(stack(key, entry)).flatMap(\.mounts)
  }

  @Test(arguments: [
    ("\"./pages:/www\"", Mount.Source.bind(path: "/lab/pages", creates: true), "/www", false),
    ("\"../pages:/www:ro\"", .bind(path: "/pages", creates: true), "/www", true),
    ("\".:/www:rw\"", .bind(path: "/lab", creates: true), "/www", false),
    ("\"/srv//a/./b/../c/:/www/:ro,z\"", .bind(path: "/srv/a/c", creates: true), "/www", true),
    ("\"~/pages:/www:Z\"", .bind(path: "/home/ada/pages", creates: true), "/www", false),
    ("\"data:/var/lib/data\"", .volume("data"), "/var/lib/data", false),
    ("\"data:/var/lib/data:ro\"", .volume("data"), "/var/lib/data", true),
    ("/cache", .anonymous, "/cache", false),
    (
      "{type: bind, source: ./pages, target: /www, read_only: true}", .bind(path: "/lab/pages", creates: true), "/www",
      true
    ),
    (
      "{type: bind, source: /srv, target: /www, bind: {create_host_path: false, selinux: z, propagation: rprivate}}",
      .bind(path: "/srv", creates: false), "/www", false
    ),
    ("{type: volume, source: data, target: /d, volume: {nocopy: true}}", .volume("data"), "/d", false),
    ("{type: volume, target: /d}", .anonymous, "/d", false),
    ("{type: tmpfs, target: /run}", .tmpfs(.init()), "/run", false),
    (
      "{type: tmpfs, target: /run, tmpfs: {size: 64m, mode: 01777}}", .tmpfs(.init(size: 64 << 20, mode: 0o1777)),
      "/run", false
    ),
    (
      "{type: tmpfs, target: /run, tmpfs: {size: 1024, mode: 0o755}}", .tmpfs(.init(size: 1024, mode: 0o755)), "/run",
      false
    ),
  ])
  func areRead(_ entry: String, _ source: Mount.Source, _ target: String, _ isReadOnly: Bool) {
    let mounts = mounts("volumes", entry)
    #expect(mounts.map(\.source) == [source])
    #expect(mounts.map(\.target.value) == [target])
    #expect(mounts.map(\.isReadOnly) == [isReadOnly])
  }

  @Test(arguments: [
    ("\"./a:b\"", DiagnosticCode.badPath), ("\"a\"", .badPath), ("\"./a:/\"", .badPath), ("\"./a:/b/..\"", .badPath),
    ("\"a/b:/c\"", .badPath), ("\"./a:/b:ro:x\"", .badPath), ("\"./a:/b:rw,nope\"", .badOption),
    ("\":/b\"", .emptyText), ("\"./a:\"", .badPath), ("\"nope:/b\"", .undefinedVolume),
    ("\"~bob/a:/b\"", .badPath), ("\"-x:/b\"", .badName),
    ("{type: bind, target: /b}", .missingKey), ("{source: ./a, target: /b}", .missingKey),
    ("{type: bind, source: ./a}", .missingKey), ("{type: npipe, source: ./a, target: /b}", .badChoice),
    ("{type: tmpfs, source: ./a, target: /b}", .conflictingKeys),
    ("{type: tmpfs, target: /b, tmpfs: {size: -1}}", .badSize),
    ("{type: tmpfs, target: /b, tmpfs: {mode: 99999}}", .numberOutOfRange),
    ("{type: volume, source: data, target: /b, volume: {subpath: ../x}}", .badPath),
    ("{type: bind, source: ./a, target: /b, bind: {propagation: sharde}}", .badChoice),
    ("{type: bind, source: ./a, target: /b, bind: {propagation: shared}}", .ignoredKey),
    ("\"./a:/b:shared\"", .ignoredKey), ("\"./a:/b:U\"", .ignoredKey),
    ("[]", .wrongShape),
  ])
  func areRefused(_ entry: String, _ code: DiagnosticCode) {
    #expect(load(stack("volumes", entry)).diagnostics.map(\.code) == [code])
  }

  @Test(arguments: [
    ("/run", StackFile.Tmpfs(), false),
    ("\"/run:size=64m,mode=755,exec\"", .init(size: 64 << 20, mode: 0o755, isExecutable: true), false),
    ("\"/run:\"", .init(), false),
    ("\"/run:size=50%,nr_inodes=10k\"", .init(options: ["size=50%", "nr_inodes=10k"]), false),
    ("\"/run:noatime\"", .init(keepsAccessTimes: true), false),
    ("\"/run:ro,noexec,nosuid,nodev,uid=1000,gid=50\"", .init(user: 1000, group: 50), true),
  ])
  func memoryFolders(_ entry: String, _ tmpfs: StackFile.Tmpfs, _ isReadOnly: Bool) {
    #expect(mounts("tmpfs", entry).map(\.source) == [.tmpfs(tmpfs)])
    #expect(mounts("tmpfs", entry).map(\.isReadOnly) == [isReadOnly])
  }

  @Test(arguments: [
    ("\"/run:size=\"", DiagnosticCode.badSize), ("\"/run:size=1x\"", .badSize), ("\"/run:mode=9\"", .badOption),
    ("\"/run:uid=-1\"", .badOption), ("\"/run:uid=4294967295\"", .badOption),
    ("\"/run:sise=1m\"", .badOption), ("\"run\"", .badPath),
  ])
  func memoryFoldersAreRefused(_ entry: String, _ code: DiagnosticCode) {
    #expect(load(stack("tmpfs", entry)).diagnostics.map(\.code) == [code])
  }

  @Test func oneTextIsAListOfOne() {
    #expect(
      services("services: {web: {command: nginx, tmpfs: /run}}").flatMap(\.mounts).map(\.target.value) == ["/run"])
  }

  @Test func homeMustBeKnown() {
    let outcome = load("services: {web: {command: nginx, volumes: [\"~/a:/b\"]}}", environment: ["HOME": ""])
    #expect(outcome.diagnostics.map(\.code) == [.badPath])
  }

  @Test(
    arguments: [
      ("0", 0), ("65536", 65536), ("64k", 65536), ("64K", 65536), ("64kb", 65536), ("64KiB", 65536), ("1 m", 1 << 20),
      ("1.5m", 1_572_864),
      ("2g", 2 << 30), ("1t", 1 << 40), ("10b", 10), ("9223372036854775807", UInt64(Int64.max)),
    ] as [(String, UInt64)])
  func sizes(_ text: String, _ bytes: UInt64) {
    #expect(ByteSize.parse(text) == bytes)
  }

  @Test(arguments: ["", "-1", "+1", "1x", "k", "1.", ".5m", "1..5", "18446744073709551616", "8388608t", "1  m", "1ib"])
  func noSizes(_ text: String) {
    #expect(ByteSize.parse(text) == nil)
  }
}
