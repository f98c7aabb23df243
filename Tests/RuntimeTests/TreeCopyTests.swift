import Glibc
import Testing
@testable import Kernel
@testable import Runtime

@Suite struct TreeCopyTests {
  private let root: BusyboxRoot

  init() throws {
    root = try BusyboxRoot()
  }

  /// Names are bytes, short and long: what is copied is what there is, under the name that it has.
  @Test func namesNeedNotBeText() throws {
    let names: [[CChar]] = [[-1, -2, 0], [-61, 40, 0], [10, 0], [CChar](repeating: 97, count: 255) + [0]]
    try #require(mkdir("\(root.folder)/source", 0o755) == 0)
    for name in names {
      let path = Array("\(root.folder)/source/".utf8CString.dropLast()) + name
      close(open(path, O_CREAT | O_WRONLY, 0o644))
    }
    var copy = TreeCopy()
    try copy.copy(
      TreeCopy.Place(onHost: "\(root.folder)/source"), to: TreeCopy.Place(onHost: "\(root.folder)/copy", naming: "copy")
    )
    let made = try Descriptor.open("\(root.folder)/copy", O_RDONLY | O_DIRECTORY).entries(of: "copy")
    #expect(Set(made.map(\.name)) == Set(names))
    #expect(made.allSatisfy { $0.kind == .file })
  }

  /// Holes stay holes, wherever they are, and nothing else changes.
  @Test func whatIsStoredIsCopiedAndNoMore() throws {
    let (source, copied) = ("\(root.folder)/sparse", "\(root.folder)/copied")
    for ranges in [[], [0], [1 << 30], [0, 1 << 40, (1 << 40) + 999_999]] as [[off_t]] {
      let file = try Descriptor.open(source, O_CREAT | O_RDWR | O_TRUNC, mode: 0o600)
      for place in ranges { try #require(pwrite(file.rawValue, "data", 4, place) == 4) }
      try #require(ftruncate(file.rawValue, (1 << 41) + 5) == 0)
      var copy = TreeCopy()
      try copy.copy(TreeCopy.Place(onHost: source), to: TreeCopy.Place(onHost: copied))
      var status = stat()
      try #require(stat(copied, &status) == 0)
      #expect(status.st_size == (1 << 41) + 5 && status.st_blocks < 1000, "\(status.st_blocks)")
      let made = try Descriptor.open(copied, O_RDONLY)
      for place in ranges + [5000, 1 << 35] {
        var bytes = [UInt8](repeating: 1, count: 4)
        try #require(pread(made.rawValue, &bytes, 4, place) == 4)
        #expect(bytes == (ranges.contains(place) ? Array("data".utf8) : [0, 0, 0, 0]))
      }
    }
    // Over a longer one.
    try root.write("short", to: "sparse")
    var copy = TreeCopy()
    try copy.copy(TreeCopy.Place(onHost: source), to: TreeCopy.Place(onHost: copied))
    #expect(try root.read("copied").hasPrefix("short"))
  }

  /// One file with a thousand names takes the room of one.
  @Test func namesOfOneFileStayNamesOfOne() throws {
    try #require(mkdir("\(root.folder)/names", 0o755) == 0 && mkdir("\(root.folder)/names/sub", 0o755) == 0)
    try root.write(String(repeating: "x", count: 1 << 16), to: "names/first")
    for number in 0..<100 {
      try #require(
        link("\(root.folder)/names/first", "\(root.folder)/names/\(number.isMultiple(of: 2) ? "sub/" : "")\(number)")
          == 0)
    }
    for _ in 0..<2 {
      var copy = TreeCopy()
      try copy.copy(
        TreeCopy.Place(onHost: "\(root.folder)/names"), to: TreeCopy.Place(onHost: "\(root.folder)/linked"))
    }
    var status = stat()
    try #require(stat("\(root.folder)/linked/sub/42", &status) == 0)
    #expect(status.st_nlink == 101 && status.st_size == 1 << 16)
  }

  /// Files of the kernel's that never end.
  @Test func whatDoesNotSayHowLongItIsIsBounded() throws {
    var copy = TreeCopy()
    let failure = #expect(throws: KernelError.self) {
      try copy.copy(
        TreeCopy.Place(onHost: "/proc/self/pagemap"), to: TreeCopy.Place(onHost: "\(root.folder)/pagemap"))
    }
    #expect(failure?.errno == .fileTooLarge)
    try copy.copy(TreeCopy.Place(onHost: "/proc/version"), to: TreeCopy.Place(onHost: "\(root.folder)/version"))
    #expect(try root.read("version").hasPrefix("Linux"))
  }

  /// They show the caller more than the service: a link can lead there.
  @Test func filesOfTheKernelAreLeftToTheService() throws {
    var copy = TreeCopy(leavesKernelFiles: true)
    try copy.copy(TreeCopy.Place(onHost: "/proc/version"), to: TreeCopy.Place(onHost: "\(root.folder)/version"))
    #expect(copy.omitted == ["/proc/version"] && access("\(root.folder)/version", F_OK) != 0)
  }

  @Test func aFolderIsListedFromItsBeginningEachTime() throws {
    try #require(mkdir("\(root.folder)/a", 0o755) == 0 && symlink("a", "\(root.folder)/b") == 0)
    let path = try Descriptor.open(root.folder, OpenFlag.path | O_DIRECTORY)
    for _ in 0..<2 {
      let entries = try path.entries(of: root.folder)
      #expect(entries.contains { $0.text == "a" && $0.kind == .folder })
      #expect(entries.contains { $0.text == "b" && $0.kind == .link })
    }
    let file = try Descriptor.open("\(root.folder)/file", O_CREAT | O_RDONLY, mode: 0o600)
    let failure = #expect(throws: KernelError.self) { try file.entries(of: "file") }
    #expect(failure?.errno == .notDirectory)
  }
}
