import CImages
import Foundation
import Glibc
import Testing

import Kernel
@testable import Layer

/// Layers applied to folders. Owners, devices and `trusted.` attributes take root.
@Suite(.enabled(if: geteuid() == 0, "owners and attributes take root"))
struct LayerTests {
  /// A folder for a test's layers, on a file system that has `trusted.` attributes.
  final class Workshop {
    let path: String

    init() throws {
      path = "/tmp/layers.\(getpid()).\(UInt32.random(in: 0 ... .max))"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Applies a layer on others, the topmost first, and answers its folder.
    @discardableResult
    func apply(_ name: String, on lower: [String] = [], _ build: (inout TarBuilder) -> Void) throws -> String {
      var tar = TarBuilder()
      build(&tar)
      return try apply(name, bytes: tar.archive, on: lower)
    }

    @discardableResult
    func apply(_ name: String, bytes: [UInt8], on lower: [String] = []) throws -> String {
      let (folder, file) = ("\(path)/\(name)", "\(path)/\(name).tar")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      try Data(bytes).write(to: URL(fileURLWithPath: file))
      let input = open(file, O_RDONLY)
      defer { close(input) }
      var unpacker = try LayerUnpacker(folder)
      _ = try unpacker.unpack(input)
      try unpacker.settle(on: try LowerLayers(lower))
      return folder
    }
  }

  private func status(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
  }

  private func isWhiteout(_ path: String) -> Bool {
    guard let status = status(path) else { return false }
    return status.st_mode & S_IFMT == S_IFCHR && status.st_rdev == 0
  }

  private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  private func isOpaque(_ path: String) -> Bool {
    let file = open(path, O_RDONLY | O_NOFOLLOW)
    defer { close(file) }
    var value: UInt8 = 0
    return images_attribute(file, "trusted.overlay.opaque", &value, 1) == 1 && value == UInt8(ascii: "y")
  }

  // MARK: What a layer has

  @Test func ownersModesAndTimesAreKept() throws {
    let shop = try Workshop()
    let folder = try shop.apply("a") { tar in
      tar.folder("d", mode: 0o1777, owner: 7)
      tar.file("d/set", "x", mode: 0o4755, owner: 1000)
      tar.link("d/l", to: "/nowhere")
    }
    let (top, file, link) = (status("\(folder)/d"), status("\(folder)/d/set"), status("\(folder)/d/l"))
    #expect(top?.st_mode == S_IFDIR | 0o1777 && top?.st_uid == 7 && top?.st_mtim.tv_sec == 1_700_000_000)
    #expect(file?.st_mode == S_IFREG | 0o4755 && file?.st_uid == 1000 && file?.st_mtim.tv_sec == 1_700_000_000)
    #expect(link?.st_mtim.tv_sec == 1_700_000_000)
    #expect(status(folder)?.st_mode == S_IFDIR | 0o755)
  }

  @Test func namesAreBytes() throws {
    let shop = try Workshop()
    var long = TarBuilder.Entry("x")
    long.records = [("path", Array("ü/\u{1F40B}".utf8))]
    var odd = TarBuilder.Entry("")
    odd.name = [0xFF, 0xFE, 0x2F, 0x80]
    let folder = try shop.apply("a") { tar in
      tar.add(long)
      tar.add(odd)
    }
    #expect(text("\(folder)/ü/\u{1F40B}") == "")
    var status = stat()
    let path =
      Array("\(folder)/".utf8CString.dropLast()) + [
        CChar(bitPattern: 0xFF), CChar(bitPattern: 0xFE), 0x2F, CChar(bitPattern: 0x80), 0,
      ]
    #expect(lstat(path, &status) == 0)
  }

  @Test func theLastOfTwoEntriesWins() throws {
    let shop = try Workshop()
    let folder = try shop.apply("a") { tar in
      tar.file("f", "1")
      tar.file("f", "2")
      tar.folder("g")
      tar.file("g/x")
      tar.file("g", "file")
      tar.link("h", to: "f")
      tar.folder("h", mode: 0o700)
      tar.folder("h", mode: 0o711)
    }
    #expect(text("\(folder)/f") == "2" && text("\(folder)/g") == "file")
    #expect(status("\(folder)/h")?.st_mode == S_IFDIR | 0o711)
  }

  /// moby/go-archive #99
  @Test(arguments: ["a/b", "/a/b", "./a/b", "//a//b"])
  func hardLinksAreRelativeToTheRoot(_ target: String) throws {
    let shop = try Workshop()
    let folder = try shop.apply("a") { tar in
      tar.file("a/b", "text")
      tar.hardLink("c/d/e", to: target)
    }
    #expect(status("\(folder)/c/d/e")?.st_ino == status("\(folder)/a/b")?.st_ino)
  }

  @Test func whatLeadsOutIsRefused() throws {
    for name in ["../x", "a/../../x", "a/..", "/../x"] {
      let shop = try Workshop()
      #expect(throws: LayerError.self, "\(name)") { try shop.apply("a") { $0.file(name, "x") } }
      #expect(throws: LayerError.self, "\(name)") { try shop.apply("b") { $0.hardLink("l", to: name) } }
    }
  }

  /// CVE-2021-29136, CVE-2025-47290
  @Test func linksLeadNowhereButIntoTheLayer() throws {
    let shop = try Workshop()
    let outside = "\(shop.path)/outside"
    try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
    let folder = try shop.apply("a") { tar in
      tar.link("out", to: outside)
      tar.file("out/evil", "x")
      tar.link("up", to: "../../../../../..")
      tar.file("up/evil", "y")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
    #expect(text("\(folder)\(outside)/evil") == "x")
    #expect(text("\(folder)/evil") == "y")
  }

  @Test func circlesOfLinksEnd() throws {
    let shop = try Workshop()
    #expect(throws: LayerError.self) {
      try shop.apply("a") { tar in
        tar.link("a", to: "b")
        tar.link("b", to: "a")
        tar.file("a/x")
      }
    }
  }

  @Test func devicesAreThoseThatThereCanBe() throws {
    let shop = try Workshop()
    var null = TarBuilder.Entry("null", "3")
    null.device = (1, 3)
    let folder = try shop.apply("a") { $0.add(null) }
    #expect(status("\(folder)/null")?.st_rdev == 0x103)
    #expect(throws: LayerError.self) { try shop.apply("b") { $0.add(TarBuilder.Entry("x", "3")) } }
    var large = TarBuilder.Entry("x", "4")
    large.device = (4096, 0)
    #expect(throws: LayerError.self) { try shop.apply("c") { $0.add(large) } }
  }

  @Test func attributesOfOverlaysAndModulesAreDropped() throws {
    let shop = try Workshop()
    var entry = TarBuilder.Entry("f")
    entry.records = [
      ("SCHILY.xattr.trusted.overlay.opaque", Array("y".utf8)), ("SCHILY.xattr.user.overlay.opaque", Array("y".utf8)),
      ("SCHILY.xattr.security.selinux", Array("label".utf8)),
    ]
    let folder = try shop.apply("a") { $0.add(entry) }
    #expect(!isOpaque("\(folder)/f"))
  }

  @Test(arguments: [1, 511, 512, 513, 1536])
  func whatIsCutOffIsRefused(_ length: Int) throws {
    let shop = try Workshop()
    var tar = TarBuilder()
    tar.file("f", String(repeating: "x", count: 2000))
    let cut = Array(tar.archive.prefix(length))
    #expect(throws: LayerError.self) { try shop.apply("a", bytes: cut) }
  }

  // MARK: What it says of those below

  @Test func namesOfLowerLayersAreRemoved() throws {
    let shop = try Workshop()
    let lower = try shop.apply("lower") { tar in
      tar.file("d/gone")
      tar.file("d/stays")
      tar.file("e/x")
    }
    let folder = try shop.apply("a", on: [lower]) { tar in
      tar.file("d/.wh.gone")
      tar.file("d/.wh.never")
      tar.file(".wh.nothing")
      tar.file("e/.wh..wh..opq")
      tar.file("e/.wh.x")
    }
    #expect(isWhiteout("\(folder)/d/gone"))
    for name in ["d/never", "nothing", "e/x"] { #expect(status("\(folder)/\(name)") == nil, "\(name)") }
    #expect(isOpaque("\(folder)/e"))
  }

  /// By the topmost layer that has the name; nothing of what is hidden, and no links.
  @Test func filesAreReadAsTheyWouldBeMounted() throws {
    let shop = try Workshop()
    let lower = try shop.apply("lower") { tar in
      tar.file("etc/passwd", "lower")
      tar.file("etc/group", "lower")
      tar.file("run/x", "lower")
      tar.link("etc/shadow", to: "passwd")
    }
    let upper = try shop.apply("upper", on: [lower]) { tar in
      tar.file("etc/passwd", "upper")
      tar.file("run/.wh..wh..opq")
    }
    let top = try shop.apply("top", on: [upper, lower]) { tar in tar.file("etc/.wh.group") }
    let layers = try LowerLayers([top, upper, lower])
    func text(_ path: String) throws -> String? {
      try layers.read(path, limit: 100).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(try text("etc/passwd") == "upper")
    for path in ["etc/group", "run/x", "etc/shadow", "etc", "../etc/passwd", "none/x"] {
      #expect(try text(path) == nil, "\(path)")
    }
    #expect(try LowerLayers([upper, lower]).read("etc/group", limit: 100) == Array("lower".utf8))
    #expect(throws: KernelError.self) { try LowerLayers([lower]).read("etc/group", limit: 3) }
  }

  @Test(arguments: [true, false])
  func whatALayerHasStaysWhateverTheOrder(_ whiteoutFirst: Bool) throws {
    let shop = try Workshop()
    let lower = try shop.apply("lower") { tar in
      tar.file("f", "old")
      tar.file("d/old")
    }
    let folder = try shop.apply("a", on: [lower]) { tar in
      if whiteoutFirst {
        tar.file(".wh.f")
        tar.file(".wh.d")
      }
      tar.file("f", "new")
      tar.folder("d")
      tar.file("d/new")
      if !whiteoutFirst {
        tar.file(".wh.f")
        tar.file(".wh.d")
      }
    }
    #expect(text("\(folder)/f") == "new")
    #expect(isOpaque("\(folder)/d") && text("\(folder)/d/new") == "")
  }

  @Test(arguments: [".wh.", "d/.wh..", "d/.wh..."])
  func whiteoutsOfNoNameAreRefused(_ name: String) throws {
    let shop = try Workshop()
    #expect(throws: LayerError.self) { try shop.apply("a") { $0.file(name) } }
  }

  @Test func rubbishOfAUFSIsPassed() throws {
    let shop = try Workshop()
    let folder = try shop.apply("a") { tar in
      tar.folder(".wh..wh.plnk")
      tar.file(".wh..wh.plnk/1.2", "x")
      tar.file(".wh..wh.aufs")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  /// image-spec #737, apple/container #1797
  @Test func parentsWithoutAnEntryTakeAfterLowerOnes() throws {
    let shop = try Workshop()
    let lower = try shop.apply("lower") { tar in
      tar.folder("tmp", mode: 0o1777)
      tar.folder("home", mode: 0o750, owner: 9)
    }
    let folder = try shop.apply("a", on: [lower]) { tar in
      tar.file("tmp/x")
      tar.link("home/l", to: "/x")
      tar.file("new/deep/y")
    }
    #expect(status("\(folder)/tmp")?.st_mode == S_IFDIR | 0o1777)
    #expect(status("\(folder)/home")?.st_mode == S_IFDIR | 0o750 && status("\(folder)/home")?.st_uid == 9)
    #expect(status("\(folder)/new/deep")?.st_mode == S_IFDIR | 0o755)
  }

  @Test func linksOfLowerLayersAreNotFollowed() throws {
    let shop = try Workshop()
    let lower = try shop.apply("lower") { tar in
      tar.folder("usr/lib")
      tar.link("lib", to: "usr/lib")
    }
    let folder = try shop.apply("a", on: [lower]) { $0.file("lib/x") }
    #expect(status("\(folder)/lib")?.st_mode == S_IFDIR | 0o755)
    #expect(status("\(folder)/usr") == nil)
  }

  @Test func hardLinksToLowerFilesCopyThem() throws {
    let shop = try Workshop()
    let lower = try shop.apply("lower") { $0.file("bin/tool", "program", mode: 0o4755, owner: 5) }
    var entry = TarBuilder.Entry("bin/other", "1")
    (entry.link, entry.mode, entry.owner) = (Array("bin/tool".utf8), 0o4755, (5, 5))
    let folder = try shop.apply("a", on: [lower]) { $0.add(entry) }
    let (one, other) = (status("\(folder)/bin/tool"), status("\(folder)/bin/other"))
    #expect(one?.st_ino == other?.st_ino && one?.st_nlink == 2)
    #expect(one?.st_mode == S_IFREG | 0o4755 && one?.st_uid == 5)
    #expect(text("\(folder)/bin/other") == "program")
    #expect(throws: LayerError.self) { try shop.apply("b", on: [lower]) { $0.hardLink("x", to: "bin/none") } }
  }

  @Test func severalMembersAreOneArchive() throws {
    let shop = try Workshop()
    var tar = TarBuilder()
    tar.file("f", String(repeating: "text", count: 1000))
    let bytes = tar.archive
    try Data(bytes[..<700]).write(to: URL(fileURLWithPath: "\(shop.path)/1"))
    try Data(bytes[700...]).write(to: URL(fileURLWithPath: "\(shop.path)/2"))
    for (name, command) in [("gzip", "gzip -c"), ("zstd", "zstd -qc")] {
      let file = "\(shop.path)/\(name).tar"
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", "(\(command) \(shop.path)/1; \(command) \(shop.path)/2) >\(file)"]
      try process.run()
      process.waitUntilExit()
      let packed = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
      let folder = try shop.apply(name, bytes: packed)
      #expect(text("\(folder)/f")?.utf8.count == 4000)
      for cut in [packed.count - 1, packed.count / 2] {
        #expect(throws: LayerError.self) { try shop.apply("\(name)\(cut)", bytes: Array(packed.prefix(cut))) }
      }
    }
  }
}
