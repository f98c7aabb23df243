import Glibc
import SystemPackage
import TestSupport
import Testing
@testable import Host
@testable import Intent
@testable import Kernel

@Suite struct FilesTests {
  private let folder: TemporaryFolder
  private var file: String { "\(folder.path)/file" }

  init() throws {
    folder = try TemporaryFolder()
  }

  // MARK: Reading and writing

  @Test func whatIsNotThereIsNil() throws {
    #expect(try Files.read(file) == nil)
    #expect(Files.list("\(folder.path)/none").isEmpty)
    #expect(!Files.exists(file))
  }

  @Test func readingStopsAtItsLimit() throws {
    try folder.write("file", "12345")
    #expect(try Files.read(file, limit: 5)?.count == 5)
    let failure = #expect(throws: KernelError.self) { try Files.read(file, limit: 4) }
    #expect(failure?.errno == .fileTooLarge && failure?.description.contains(file) == true)
  }

  @Test func aFolderIsNoFile() {
    let failure = #expect(throws: KernelError.self) { try Files.read(folder.path) }
    #expect(failure?.errno == .isDirectory)
  }

  @Test func replacingLeavesTheOldFileToItsReaders() throws {
    try Files.replace(file, with: Array("old and long".utf8))
    let reader = try FileDescriptor.open(file, .readOnly)
    defer { try? reader.close() }
    try Files.replace(file, with: Array("new".utf8), isDurable: true)
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
    #expect(String(decoding: buffer[..<count], as: UTF8.self) == "old and long")
    #expect(folder.text("file") == "new")
    #expect(Files.list(folder.path) == ["file"])
  }

  @Test func whatACrashLeftIsNoHindrance() throws {
    try folder.write("file.new", String(repeating: "cut short", count: 100))
    try Files.replace(file, with: Array("new".utf8))
    #expect(folder.text("file") == "new")
    #expect(Files.list(folder.path) == ["file"])
  }

  @Test func overwritingKeepsTheFileThatIsThere() throws {
    try Files.overwrite(file, with: Array("a longer text".utf8), mode: [.ownerReadWrite])
    var before = stat()
    lstat(file, &before)
    try Files.overwrite(file, with: Array("short".utf8), mode: [.ownerReadWrite])
    var after = stat()
    lstat(file, &after)
    #expect(folder.text("file") == "short" && before.st_ino == after.st_ino)
  }

  @Test func linksAreNotFollowed() throws {
    try folder.write("target", "untouched")
    #expect(symlink("\(folder.path)/target", file) == 0)
    let failure = #expect(throws: KernelError.self) {
      try Files.overwrite(file, with: [1], mode: [.ownerReadWrite])
    }
    #expect(failure?.errno == .tooManySymbolicLinkLevels)
    // A rename takes the link's place.
    try Files.replace(file, with: Array("new".utf8))
    #expect(folder.text("file") == "new" && folder.text("target") == "untouched")
    // A link in the place of the temporary file costs one attempt, and writes nowhere.
    #expect(symlink("\(folder.path)/target", "\(file).new") == 0)
    #expect(throws: KernelError.self) { try Files.replace(file, with: [1]) }
    try Files.replace(file, with: Array("newer".utf8))
    #expect(folder.text("file") == "newer" && folder.text("target") == "untouched")
  }

  @Test func modesAreExactWhateverTheUmask() throws {
    let path = folder.path
    // A thread with mounts of its own has a umask of its own too (unshare(2)).
    let outcome = inOwnNamespaces { () -> String in
      umask(0o077)
      do {
        try Files.overwrite("\(path)/file", with: [], mode: [.ownerReadWrite, .groupRead, .otherRead])
        try Files.replace("\(path)/state", with: [])
        try Files.makeFolder("\(path)/a/b", mode: 0o755)
        try Files.makeFolder("\(path)/private")
        return "done"
      } catch {
        return "\(error)"
      }
    }
    guard geteuid() == 0 else { return }
    #expect(outcome == "done")
    #expect(folder.mode("file") == 0o644)
    #expect(folder.mode("state") == 0o600)
    #expect(folder.mode("a") == 0o755 && folder.mode("a/b") == 0o755)
    #expect(folder.mode("private") == 0o700)
  }

  @Test func foldersAreMadeWithThoseAboveThem() throws {
    try Files.makeFolder("\(folder.path)/a/b/c", mode: 0o711)
    try Files.makeFolder("\(folder.path)/a/b/c", mode: 0o755)
    #expect(folder.mode("a/b/c") == 0o711)
    try folder.write("plain", "")
    let failure = #expect(throws: KernelError.self) { try Files.makeFolder("\(folder.path)/plain/x") }
    #expect(failure?.errno == .notDirectory)
  }

  @Test func aFullDiskLosesNothingThatWasThere() throws {
    let path = folder.path
    let outcome = inOwnNamespaces { () -> [String] in
      guard mount("tmpfs", path, "tmpfs", 0, "size=64k") == 0 else { return ["no tmpfs"] }
      defer { umount(path) }
      let file = StateFile<[String]>(path: "\(path)/state")
      do {
        try file.write(["small"])
        let failure = failure { () throws(KernelError) in try file.write([String(repeating: "x", count: 100_000)]) }
        return [
          failure?.errno == .noSpace ? "full" : "\(String(describing: failure))", try file.read()?.joined() ?? "lost",
        ]
          + Files.list(path)
      } catch {
        return ["\(error)"]
      }
    }
    if geteuid() == 0 { #expect(outcome == ["full", "small", "state"]) }
  }

  // MARK: Removing

  @Test func aTreeIsRemovedWithAllThatServicesMayHaveLeftInIt() throws {
    let tree = "\(folder.path)/tree"
    try Files.makeFolder("\(tree)/a/b/c")
    try folder.write("outside", "untouched")
    #expect(symlink(folder.path, "\(tree)/a/link") == 0)
    try Files.makeFIFO("\(tree)/a/fifo")
    try Files.makeFIFO("\(tree)/a/fifo")
    // Names are bytes, not text.
    for name: [CChar] in [[-1, -2, 0], [-61, 40, 0], [10, 0]] {
      var path = Array("\(tree)/a/b/".utf8CString.dropLast()) + name
      #expect(mkdir(&path, 0) == 0)
    }
    try Files.remove(tree)
    #expect(Files.list(folder.path) == ["outside"])
    try Files.remove(tree)
    try Files.remove("\(folder.path)/outside")
    #expect(Files.list(folder.path).isEmpty)
  }

  /// As deep as a service makes them: deeper than a stack, a table of descriptors and a path go. Each step holds more than the
  /// way down, also names like those that what is moved up gets.
  @Test func aTreeOfAnyDepthIsRemoved() throws {
    // In memory: a disk that is busy would take minutes for so many folders.
    let folder = try TemporaryFolder(in: "/dev/shm")
    let tree = "\(folder.path)/tree"
    try Files.makeFolder(tree)
    var place = Descriptor(adopting: try FileDescriptor.open(tree, .readOnly, options: [.directory]))
    for step in 0..<20_000 {
      try #require(mkdirat(place.rawValue, "a", 0o700) == 0)
      if step % 10 == 0 {
        for name in [".1", ".2"] { #expect(mkdirat(place.rawValue, name, 0o700) == 0) }
        #expect(mkdirat(place.rawValue, ".1/inner", 0o700) == 0)
        #expect(symlinkat(folder.path, place.rawValue, ".3") == 0)
        close(openat(place.rawValue, ".4", O_CREAT | O_WRONLY, 0o600))
      }
      let number = openat(place.rawValue, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      try #require(number >= 0)
      place = Descriptor(adopting: number)
    }
    try folder.write("outside", "untouched")
    // On a thread with the stack that a worker has.
    let path = folder.path
    let outcome = onOwnThread { failure { () throws(KernelError) in try Files.remove("\(path)/tree") } }
    #expect(outcome == .some(nil))
    #expect(Files.list(folder.path) == ["outside"])
  }

  @Test func whatIsMountedInsideIsNotEntered() throws {
    try Files.makeFolder("\(folder.path)/tree/mounted")
    try Files.makeFolder("\(folder.path)/precious")
    try folder.write("precious/data", "data")
    let path = folder.path
    let outcome = inOwnNamespaces { () -> [String] in
      // A bind mount from the same file system: the device number tells nothing.
      guard mount("\(path)/precious", "\(path)/tree/mounted", nil, UInt(MS_BIND), nil) == 0 else { return ["no mount"] }
      defer { umount("\(path)/tree/mounted") }
      return ["\(path)/tree", "\(path)/tree/mounted"].map { tree in
        let failure = failure { () throws(KernelError) in try Files.remove(tree) }
        return failure?.errno == .resourceBusy ? failure?.subject ?? "" : "removed"
      }
    }
    if geteuid() == 0 { #expect(outcome == ["\(path)/tree/mounted", "\(path)/tree/mounted"]) }
    #expect(folder.text("precious/data") == "data")
  }

  @Test func onlyAnEmptyFolderIsRemovedIfEmpty() throws {
    try Files.makeFolder("\(folder.path)/a/b")
    Files.removeIfEmpty("\(folder.path)/a")
    #expect(Files.exists("\(folder.path)/a/b"))
    Files.removeIfEmpty("\(folder.path)/a/b")
    Files.removeIfEmpty("\(folder.path)/a")
    #expect(!Files.exists("\(folder.path)/a"))
  }
}

@Suite struct StateFileTests {
  private struct Value: Codable, Equatable {
    var name: String
    var count: Int
  }

  @Test func whatIsWrittenReadsBack() throws {
    let folder = try TemporaryFolder()
    let file = StateFile<Value>(path: "\(folder.path)/value.json")
    #expect(try file.read() == nil)
    let value = Value(name: "a/b \"c\" ä\n", count: 3)
    try file.write(value)
    #expect(try file.read() == value)
    #expect(folder.mode("value.json") == 0o600)
    #expect(folder.text("value.json")?.contains("a/b") == true)
  }

  @Test(arguments: ["", "{", "null", "[]", "{\"name\":\"a\"}", "\u{0}\u{0}", "{\"name\":\"a\",\"count\":\"x\"}"])
  func whatCannotBeReadIsLost(text: String) throws {
    let folder = try TemporaryFolder()
    try folder.write("value.json", text)
    #expect(try StateFile<Value>(path: "\(folder.path)/value.json").read() == nil)
  }

  @Test func everyPlaceToBeCutShortIsALoss() throws {
    let folder = try TemporaryFolder()
    let file = StateFile<DesiredStack>(path: "\(folder.path)/stack.json")
    let stack = try resolve("services: {a: {command: [x], ports: ['80']}}")
    try file.write(stack)
    let whole = try #require(try Files.read(file.path))
    for count in stride(from: 0, to: whole.count, by: 7) {
      try Files.overwrite(file.path, with: Array(whole[..<count]), mode: [.ownerReadWrite])
      #expect(try file.read() == nil)
    }
    try Files.overwrite(file.path, with: whole, mode: [.ownerReadWrite])
    #expect(try file.read() == stack)
  }

  @Test func whatMayNotBeReadIsNoLoss() throws {
    let folder = try TemporaryFolder()
    #expect(throws: KernelError.self) { try StateFile<Value>(path: folder.path).read() }
  }
}

private func failure(_ body: () throws(KernelError) -> Void) -> KernelError? {
  do {
    try body()
    return nil
  } catch {
    return error
  }
}
