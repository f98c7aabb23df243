import Foundation
import Glibc
import TestSupport
import Testing
@testable import StackFiles

@Suite struct HostileInputTests {
  /// The diagnostics for bytes that are not valid UTF-8.
  private func diagnose(bytes: [UInt8]) -> String {
    struct Files: FileReading {
      var bytes: [UInt8]
      func read(_ path: String, limit: Int) throws(FileReadingError) -> [UInt8] {
        guard path == "/lab/web.stack" else { throw .missing }
        return bytes
      }
    }
    let loader = StackFileLoader(files: Files(bytes: bytes), environment: [:], workingFolder: "/lab")
    return DiagnosticRenderer().render(loader.load(["web.stack"]).diagnostics)
  }

  private let good = "services: {web: {command: nginx}}\n"

  @Test func invalidUTF8IsPointedAt() {
    #expect(
      diagnose(bytes: Array("services:\n  wéb".utf8) + [0xC3, 0x28] + Array(": {}\n".utf8)) == """
        web.stack:2:6: error[E0004]: the file is not UTF-8 text
          2 │   wéb\u{FFFD}(: {}
            │      ^ the byte 0xC3 is not UTF-8 here

        """)
  }

  /// Overlong, surrogate, too large, cut short.
  @Test(arguments: [[0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x82], [0x80]] as [[UInt8]])
  func everyKindOfInvalidUTF8IsRefused(_ bytes: [UInt8]) {
    #expect(diagnose(bytes: Array(good.utf8) + bytes).contains("error[E0004]"))
  }

  @Test func otherEncodingsAreNamed() {
    #expect(
      diagnose(bytes: [0xFF, 0xFE, 0x61, 0x00]).hasPrefix("web.stack: error[E0004]: the file is UTF-16, not UTF-8\n"))
  }

  @Test func nulIsPointedAt() {
    #expect(
      diagnose(bytes: Array("services: \0".utf8)).hasPrefix(
        "web.stack:1:11: error[E0005]: the file holds a NUL character, which YAML does not allow\n"))
    #expect(diagnose(bytes: Array("services: {web: {command: [\"a\\0b\"]}}".utf8)).contains("error[E0005]"))
  }

  @Test func marksAndLineEndsAreNoMatter() throws {
    let text = "\u{FEFF}services:\r\n  web:\r\n    command: nginx\r\n    comand: x\r\n"
    let diagnostic = try #require(load(text).diagnostics.first)
    #expect("\(try #require(diagnostic.primary).span)" == "web.stack:4:5")
    #expect(DiagnosticRenderer().render(diagnostic).contains("  4 │     comand: x\n"))
    #expect(load("\u{FEFF}" + good.replacingOccurrences(of: "\n", with: "\r\n")).stack != nil)
    #expect(load("services:\r  web:\r    command: nginx\r").stack != nil)
  }

  @Test(arguments: ["", "\n\n", "# nothing\n", "---\n", "~", "\u{FEFF}"])
  func nothingIsNoStack(_ text: String) {
    #expect(load(text).diagnostics.map(\.code) == [.emptyFile])
  }

  @Test func anAliasBombIsRefused() {
    var text = "x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n"
    for level in 1...40 {
      text += "x\(level): &x\(level) [" + Array(repeating: "*x\(level - 1)", count: 10).joined(separator: ", ") + "]\n"
    }
    let diagnostics = load(text + good).diagnostics
    #expect(diagnostics.map(\.code) == [.tooManyNodes])
    #expect(diagnostics.first?.primary?.span.start.line == 6)
  }

  @Test func manyMergesAreRefused() {
    let keys = (0..<1000).map { "k\($0): v" }.joined(separator: ", ")
    let merges = (0..<1000).map { "m\($0): {<<: *a}" }.joined(separator: "\n")
    #expect(load("a: &a {\(keys)}\n\(merges)").diagnostics.map(\.code) == [.tooManyNodes])
  }

  @Test(arguments: ["[", "{a: ", "- ", "? "])
  func deepNestingIsRefused(_ opening: String) {
    let diagnostics = load(
      "x: " + (opening == "- " || opening == "? " ? "\n" : "") + String(repeating: opening, count: 100_000)
    ).diagnostics
    #expect(diagnostics.map(\.code) == [.nestedTooDeep])
  }

  @Test func aliasesAddToTheDepth() {
    let half = String(repeating: "[", count: 60) + String(repeating: "]", count: 60)
    #expect(
      load("a: &a \(half)\nb: " + half.replacingOccurrences(of: "[]", with: "[*a]") + "\n" + good).diagnostics.map(
        \.code) == [.nestedTooDeep])
  }

  /// 2^40 files, by forty.
  @Test func filesThatIncludeEachOtherTwiceAreRefused() {
    func text(_ next: Int) -> String { "include: [\(next).yaml, \(next).yaml]\n" }
    var files = ["/lab/40.yaml": good]
    for number in 0..<40 { files["/lab/\(number).yaml"] = text(number + 1) }
    let codes = load(text(0), others: files).diagnostics.map(\.code)
    #expect(codes.count { $0 == .tooManyNodes } == 1)
  }

  @Test func variablesThatMultiplyAreRefused() {
    let items = Array(repeating: "$BIG", count: 2000).joined(separator: ", ")
    let outcome = load("x: [\(items)]\n\(good)", environment: ["BIG": String(repeating: "x", count: 100_000)])
    #expect(outcome.diagnostics.contains { $0.code == .tooManyNodes })
  }

  @Test func reportsAreBounded() {
    let text =
      "services:\n"
      + (0..<3000).map { "  s\($0): {command: a, unknown: 1, depends_on: [nobody]}" }.joined(separator: "\n")
    let outcome = load(text)
    #expect(outcome.stack == nil)
    #expect(outcome.diagnostics.count == DiagnosticList.limit)
  }

  @Test func largeStacksAreReadInProportion() {
    let text =
      "services:\n"
      + (0..<2000).map { "  s\($0): {command: a, ports: [\"\($0 + 1):80\"], depends_on: [s\(max(0, $0 - 1))]}" }
      .joined(separator: "\n").replacingOccurrences(of: "depends_on: [s0]}\n  s1:", with: "depends_on: []}\n  s1:")
    let clock = ContinuousClock()
    let start = clock.now
    let outcome = load(text)
    #expect(outcome.stack?.services.count == 2000)
    #expect(clock.now - start < .seconds(10))
  }

  // MARK: - Files of the host

  private func diagnose(path: String) -> String {
    let outcome = StackFileLoader(files: HostFiles(), environment: [:], workingFolder: "/").load([path])
    return DiagnosticRenderer().render(outcome.diagnostics)
  }

  @Test func readsFilesOfTheHost() throws {
    let folder = try TemporaryFolder()
    try folder.write("web.stack", good)
    #expect(diagnose(path: "\(folder.path)/web.stack") == "")
    let missing = "\(folder.path)/wbe.stack"
    #expect(diagnose(path: missing) == "\(missing): error[E0001]: there is no file \"\(missing)\"\n")
  }

  @Test func foldersFIFOsAndDevicesAreRefusedAtOnce() throws {
    let folder = try TemporaryFolder()
    let (path, fifo) = (folder.path, "\(folder.path)/fifo")
    try #require(mkfifo(fifo, 0o600) == 0)
    #expect(diagnose(path: fifo) == "\(fifo): error[E0002]: \"\(fifo)\" is a FIFO, not a file\n")
    #expect(diagnose(path: path).hasPrefix("\(path): error[E0002]: \"\(path)\" is a folder, not a file\n"))
    #expect(diagnose(path: "/dev/zero").hasPrefix("/dev/zero: error[E0002]: \"/dev/zero\" is a device, not a file\n"))
  }

  @Test func aFileOfAHundredMegabytesIsNotRead() throws {
    let folder = try TemporaryFolder()
    let path = "\(folder.path)/big.stack"
    try folder.write("big.stack", "")
    try #require(truncate(path, 100 << 20) == 0)
    #expect(diagnose(path: path) == "\(path): error[E0003]: \"\(path)\" is larger than 4 MiB\n")
  }

  @Test func whatGrowsOrHidesItsSizeIsBounded() {
    #expect(throws: FileReadingError.tooLarge(limit: 10)) { try HostFiles().read("/proc/self/maps", limit: 10) }
    #expect(throws: FileReadingError.self) { try HostFiles().read("/etc/passwd\0.stack", limit: 10) }
  }
}
