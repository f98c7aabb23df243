import Glibc
import Testing
@testable import Kernel
@testable import Runtime

@Suite struct SharedFolderTests {
  private let root: BusyboxRoot

  init() throws { root = try BusyboxRoot() }

  private var folder: SharedFolder { SharedFolder(root.folder) }

  @Test func foldersAreMadeOnTheWay() throws {
    _ = try folder.open("/a/b", creates: true)
    var status = stat()
    #expect(stat("\(root.folder)/a/b", &status) == 0 && status.st_mode & 0o7777 == 0o755)
    #expect(throws: KernelError.self) { _ = try folder.open("a/c", creates: false) }
  }

  @Test(arguments: ["first", "first/below", "real/last"]) func noLinkIsFollowed(path: String) throws {
    try #require(mkdir("\(root.folder)/real", 0o755) == 0 && mkdir("\(root.folder)/real/below", 0o755) == 0)
    try #require(symlink("real", "\(root.folder)/first") == 0 && symlink("below", "\(root.folder)/real/last") == 0)
    for creates in [false, true] {
      let failure = #expect(throws: KernelError.self) { _ = try folder.open(path, creates: creates) }
      #expect(failure?.detail?.contains("is a link") == true)
    }
  }

  @Test func aFileCanBeTheLast() throws {
    let file = try folder.open("lower/bin/busybox", creates: false)
    var status = stat()
    #expect(fstat(file.rawValue, &status) == 0 && status.st_mode & S_IFMT == S_IFREG)
  }
}
