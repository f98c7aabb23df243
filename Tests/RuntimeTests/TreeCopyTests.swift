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
