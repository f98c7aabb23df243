import Foundation
import Fuzzing
import Glibc
import Testing

@testable import Layer

/// Damaged and hostile archives: each is unpacked or refused, and nothing beside the layer's folder changes.
@Suite(.enabled(if: geteuid() == 0, "owners and attributes take root"))
struct LayerFuzzTests {
  private static let names = [
    "a", "a/b", "a/b/c", "/a", "./d", "d/../e", "l", "l/x", "x/y", ".wh.a", "a/.wh..wh..opq", ".wh..wh.plnk/1",
    "a/.wh.b",
    String(repeating: "n", count: 99), "../out",
  ]

  private func archive(_ input: inout FuzzCase) -> [UInt8] {
    var tar = TarBuilder()
    for _ in 0..<Int.random(in: 1...12, using: &input.random) {
      let kind = input.pick(Array("0001222355671xgLK")) ?? "0"
      var entry = TarBuilder.Entry(input.pick(Self.names) ?? "a", kind)
      entry.mode = Int.random(in: 0...0o7777, using: &input.random)
      entry.owner = (Int.random(in: 0...70000, using: &input.random), 0)
      entry.link = Array((input.pick(Self.names + ["/", "..", "/etc", "../../outside", "l"]) ?? "").utf8)
      if "0xgLK".contains(kind) {
        entry.data = Array(
          repeating: UInt8.random(in: 0...255, using: &input.random), count: input.happens(50) ? 700 : 3)
      }
      if input.happens(20) {
        entry.records = [
          (
            input.pick([
              "path", "linkpath", "size", "mtime", "uid", "SCHILY.xattr.security.capability", "SCHILY.xattr.user.a",
              "SCHILY.xattr.trusted.overlay.opaque", "GNU.sparse.map", "GNU.sparse.major", "GNU.sparse.realsize",
            ]) ?? "path",
            Array((input.pick(["a/b", "../x", "1", "-1", "99999999999999999999", "0,1,5,9", ""]) ?? "").utf8)
          )
        ]
      }
      entry.device = (Int.random(in: 0...5000, using: &input.random), Int.random(in: 0...9, using: &input.random))
      tar.add(entry)
    }
    let whole = tar.archive
    guard input.happens(60) else { return whole }
    let damaged = input.mutant(of: [whole], words: [Array("ustar".utf8), Array(".wh.".utf8), [0x1F, 0x8B, 8]])
    return input.happens(70) ? TarBuilder.withSums(damaged) : damaged
  }

  @Test func whateverComesStaysInItsFolder() throws {
    let shop = "/tmp/layer-fuzz.\(getpid()).\(UInt32.random(in: 0 ... .max))"
    let files = FileManager.default
    try files.createDirectory(atPath: "\(shop)/outside", withIntermediateDirectories: true)
    try "canary".write(toFile: "\(shop)/outside/canary", atomically: false, encoding: .utf8)
    defer { try? files.removeItem(atPath: shop) }
    try files.createDirectory(atPath: "\(shop)/lower/a", withIntermediateDirectories: true)
    try Fuzz.run(.layer) { input in
      let (bytes, folder, file) = (archive(&input), "\(shop)/layer", "\(shop)/layer.tar")
      try Data(bytes).write(to: URL(fileURLWithPath: file))
      try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
      let number = open(file, O_RDONLY)
      defer {
        close(number)
        try? files.removeItem(atPath: folder)
      }
      do {
        var unpacker = try LayerUnpacker(folder)
        _ = try unpacker.unpack(number)
        try unpacker.settle(on: try LowerLayers(["\(shop)/lower"]))
      } catch is LayerError {}
      let there = try files.contentsOfDirectory(atPath: shop).sorted()
      try #require(there == ["layer", "layer.tar", "lower", "outside"])
      try #require(try files.contentsOfDirectory(atPath: "\(shop)/outside") == ["canary"])
      try #require(try files.contentsOfDirectory(atPath: "\(shop)/lower/a").isEmpty)
    }
  }
}
