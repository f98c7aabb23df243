import CImages
import Foundation
import Glibc
import Testing

@testable import Layer

/// Layers as they were used against other tools, and as other tools got them wrong. Each test is named for its report.
@Suite(.enabled(if: geteuid() == 0, "owners and attributes take root"))
struct LayerReportTests {
  private func status(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
  }

  private func text(_ path: String) -> String? { try? String(contentsOfFile: path, encoding: .utf8) }

  private func outside(_ shop: LayerTests.Workshop) throws -> String {
    let path = "\(shop.path)/outside"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try "host".write(toFile: "\(path)/file", atomically: false, encoding: .utf8)
    return path
  }

  @Test("CVE-2014-6407: links of both kinds that name paths of the host")
  func linksToTheHost() throws {
    let shop = try LayerTests.Workshop()
    let outside = try outside(shop)
    let folder = try shop.apply("a") { tar in
      tar.link("s", to: "\(outside)/file")
      tar.file("s", "new")
    }
    #expect(text("\(outside)/file") == "host" && text("\(folder)/s") == "new")
    // A hard link counts from the layer's root, where there is no such file.
    #expect(throws: LayerError.self) { try shop.apply("b") { $0.hardLink("h", to: "\(outside)/file") } }
  }

  @Test("CVE-2014-9356, CVE-2026-17106: names below a link that leads out")
  func namesBelowLinks() throws {
    let shop = try LayerTests.Workshop()
    let outside = try outside(shop)
    _ = try shop.apply("a") { tar in
      tar.link("l", to: "../outside")
      tar.file("l/file", "evil")
      tar.link("m", to: "l/../../outside")
      tar.file("m/other", "evil")
    }
    #expect(text("\(outside)/file") == "host")
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["file"])
  }

  @Test("CVE-2021-32760: a mode is not set through a link")
  func modesThroughLinks() throws {
    let shop = try LayerTests.Workshop()
    let outside = try outside(shop)
    let before = status("\(outside)/file")?.st_mode
    _ = try shop.apply("a") { tar in
      tar.file("f", "x", mode: 0o600)
      tar.link("l", to: "\(outside)/file")
      tar.hardLink("h", to: "l")
      var entry = TarBuilder.Entry("h", "1")
      (entry.link, entry.mode, entry.owner) = (Array("l".utf8), 0o4777, (7, 7))
      tar.add(entry)
    }
    #expect(status("\(outside)/file")?.st_mode == before)
  }

  @Test("CVE-2018-15664: a folder that becomes a link while it is filled")
  func foldersThatBecomeLinks() throws {
    let shop = try LayerTests.Workshop()
    let outside = try outside(shop)
    let folder = try shop.apply("a") { tar in
      tar.file("d/one", "1")
      tar.link("d", to: outside)
      tar.file("d/two", "2")
      tar.folder("d")
      tar.file("d/three", "3")
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: outside) == ["file"])
    #expect(text("\(folder)/d/three") == "3")
  }

  @Test("CVE-2026-50163: a hard link is resolved in the layer's root, also through its links")
  func hardLinksThroughLinks() throws {
    let shop = try LayerTests.Workshop()
    let outside = try outside(shop)
    #expect(throws: LayerError.self) {
      try shop.apply("a") { tar in
        tar.link("l", to: outside)
        tar.hardLink("h", to: "l/file")
      }
    }
    #expect(status("\(outside)/file")?.st_nlink == 1)
  }

  @Test("CVE-2025-58183: a map of a sparse file has no more entries than memory holds", arguments: [200_000])
  func sparseMaps(_ count: Int) throws {
    let shop = try LayerTests.Workshop()
    var entry = TarBuilder.Entry("GNUSparseFile.0/f")
    let map = Array(("\(count)\n" + String(repeating: "0\n0\n", count: count)).utf8)
    entry.data = map + [UInt8](repeating: 0, count: (512 - map.count % 512) % 512)
    entry.records = [
      ("GNU.sparse.major", Array("1".utf8)), ("GNU.sparse.minor", Array("0".utf8)),
      ("GNU.sparse.name", Array("f".utf8)),
      ("GNU.sparse.realsize", Array("10".utf8)),
    ]
    // Either is right: that there is an end to it is what counts.
    do {
      let folder = try shop.apply("a") { $0.add(entry) }
      #expect(status("\(folder)/f")?.st_size == 10)
    } catch is LayerError {}
  }

  @Test("CVE-2017-14992, CVE-2023-25153: headers that say they are endless", arguments: ["L", "K", "x", "g"])
  func endlessHeaders(_ kind: Character) throws {
    let shop = try LayerTests.Workshop()
    var tar = TarBuilder()
    var entry = TarBuilder.Entry("long", kind)
    entry.data = Array("x".utf8)
    tar.add(entry)
    var bytes = tar.archive
    // 8 GiB less one byte.
    for (place, byte) in "77777777777".utf8.enumerated() { bytes[124 + place] = byte }
    let damaged = TarBuilder.withSums(bytes)
    #expect(throws: LayerError.self) { try shop.apply("a", bytes: damaged) }
  }

  @Test("moby #41723: a capability of version 3 becomes one of version 2")
  func capabilitiesOfVersion3() throws {
    let shop = try LayerTests.Workshop()
    var entry = TarBuilder.Entry("ping")
    let version3: [UInt8] = [1, 0, 0, 3, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xE8, 3, 0, 0]
    entry.records = [("SCHILY.xattr.security.capability", version3)]
    let folder = try shop.apply("a") { $0.add(entry) }
    let file = open("\(folder)/ping", O_RDONLY)
    defer { close(file) }
    var value = [UInt8](repeating: 0, count: 64)
    let count = images_attribute(file, "security.capability", &value, value.count)
    #expect(count == 20 && value[3] == 2 && value[5] == 0x20)
  }

  @Test("moby #47962: attributes that a file system does not have are said and passed")
  func attributesOfOtherSystems() throws {
    let shop = try LayerTests.Workshop()
    var entry = TarBuilder.Entry("l", "2")
    entry.link = Array("x".utf8)
    entry.records = [("SCHILY.xattr.user.note", Array("v".utf8)), ("SCHILY.xattr.system.nfs4_acl", Array("v".utf8))]
    var file = TarBuilder.Entry("f")
    file.records = entry.records
    _ = try shop.apply("a") { tar in
      tar.add(entry)
      tar.add(file)
    }
  }

  @Test("go-containerregistry #977: the target of a hard link is removed by a later layer")
  func targetsThatGo() throws {
    let shop = try LayerTests.Workshop()
    let lower = try shop.apply("lower") { tar in
      tar.file("a", "text")
      tar.hardLink("b", to: "a")
    }
    let folder = try shop.apply("upper", on: [lower]) { $0.file(".wh.a") }
    #expect(status("\(folder)/a")?.isWhiteout == true && status("\(folder)/b") == nil)
    #expect(text("\(lower)/b") == "text")
  }

  @Test("kaniko #1151, charliecloud #1280: entries for the root itself", arguments: ["/", "./", ".", "//"])
  func entriesForTheRoot(_ name: String) throws {
    let shop = try LayerTests.Workshop()
    let folder = try shop.apply("a") { tar in
      tar.folder(name, mode: 0o700, owner: 5)
      tar.file("f")
    }
    #expect(status(folder)?.st_mode == S_IFDIR | 0o755 && status(folder)?.st_uid == 0)
    #expect(status("\(folder)/f") != nil)
  }

  @Test("containerd #13030: no whiteout is lost among many layers")
  func whiteoutsOfManyLayers() throws {
    let shop = try LayerTests.Workshop()
    let bottom = try shop.apply("0") { tar in for number in 1...20 { tar.file("d/\(number)") } }
    var lower = [bottom]
    for number in 1...20 {
      lower.insert(try shop.apply("\(number)", on: lower) { $0.file("d/.wh.\(number)") }, at: 0)
    }
    for (place, folder) in lower.dropLast().enumerated() {
      #expect(status("\(folder)/d/\(20 - place)")?.isWhiteout == true)
    }
  }

  @Test func aFurtherNameSaysWhatTheFileIs() throws {
    let shop = try LayerTests.Workshop()
    let folder = try shop.apply("a") { tar in
      tar.file("f", "x", mode: 0o600, owner: 1)
      var entry = TarBuilder.Entry("g", "1")
      (entry.link, entry.mode, entry.owner) = (Array("f".utf8), 0o4755, (9, 9))
      tar.add(entry)
    }
    let file = status("\(folder)/f")
    #expect(file?.st_mode == S_IFREG | 0o4755 && file?.st_uid == 9 && file?.st_nlink == 2)
  }

  /// A writable layer becomes a layer of an image, and that becomes files again.
  @Test func whatIsWrittenIsWhatWasThere() throws {
    let shop = try LayerTests.Workshop()
    let lower = try shop.apply("lower") { tar in
      tar.file("gone")
      tar.file("d/old")
    }
    let long = String(repeating: "n", count: 120)
    let upper = try shop.apply("upper", on: [lower]) { tar in
      tar.file(".wh.gone")
      tar.folder("d", mode: 0o1777, owner: 70000)
      tar.file("d/.wh..wh..opq")
      tar.file("d/\(long)", "text", mode: 0o4755, owner: 3)
      tar.hardLink("d/second", to: "d/\(long)")
      tar.link("l", to: "/\(long)")
      tar.add(TarBuilder.Entry("fifo", "6"))
      var null = TarBuilder.Entry("null", "3")
      null.device = (1, 3)
      tar.add(null)
      var marked = TarBuilder.Entry("marked")
      marked.records = [("SCHILY.xattr.user.note", [0, 1, 0xFF])]
      tar.add(marked)
      var odd = TarBuilder.Entry("")
      odd.name = [0xFF, 0xFE]
      tar.add(odd)
    }
    let file = open("\(shop.path)/written.tar", O_RDWR | O_CREAT, 0o600)
    var writer = LayerWriter(.init(rawValue: file), firstID: nil)
    try writer.write(upper)
    close(file)
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(shop.path)/written.tar")))
    let again = try shop.apply("again", bytes: bytes, on: [lower])
    #expect(listing(again) == listing(upper))
    #expect(status("\(again)/gone")?.isWhiteout == true)
  }

  /// Users and groups are those inside, and what belongs to none of them is nobody's.
  @Test(arguments: [nil, 100_000] as [UInt32?])
  func ownersAreThoseInside(_ firstID: UInt32?) throws {
    let shop = try LayerTests.Workshop()
    let folder = "\(shop.path)/owned"
    let (base, file) = (firstID ?? 0, "\(shop.path)/owned.tar")
    try #require(mkdir(folder, 0o755) == 0 && lchown(folder, base, base) == 0)
    for (name, user, group) in [("a", base + 7, base + 8), ("b", base + 65533, base), ("c", base + 65536, base + 9)] {
      try Data(name.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
      try #require(lchown("\(folder)/\(name)", user, group) == 0)
    }
    let descriptor = open(file, O_RDWR | O_CREAT, 0o600)
    var writer = LayerWriter(.init(rawValue: descriptor), firstID: firstID)
    try writer.write(folder)
    close(descriptor)
    let owners = shell("tar --numeric-owner -tvf '\(file)' | awk '{print $2, $6}'").split(separator: "\n")
    #expect(owners == ["7/8 a", "65533/0 b", firstID == nil ? "65536/9 c" : "65534/9 c"])
    #expect(writer.contents.largestID == (firstID == nil ? 65536 : 65534))
  }

  /// Whatever there is to know about a tree.
  private func listing(_ folder: String) -> String {
    shell(
      """
      cd "$1" && find . -mindepth 1 -type c -printf '%p %y %m\\n' -o -mindepth 1 -printf '%p %y %m %U %G %n %T@ %l\\n' | sort && find . -type f -exec sha256sum {} + | sort
      getfattr -Rhm - -d . 2>/dev/null || true
      """, folder)
  }

  private func shell(_ script: String, _ arguments: String...) -> String {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", script, "sh"] + arguments
    process.standardOutput = output
    try? process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: text, as: UTF8.self)
  }
}
