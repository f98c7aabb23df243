import Glibc
import Synchronization
import Testing
@testable import Kernel
@testable import Runtime

private final class Flag: Sendable {
  let isSet = Mutex(false)
}

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

  /// The mode is set by a descriptor, and not by a name that may lead elsewhere by then.
  @Test func aLinkInThePlaceOfANewFolderIsNotFollowed() async throws {
    let victim = "\(root.folder)/victim"
    try #require(mkdir(victim, 0o700) == 0)
    let (hasEnded, place) = (Flag(), "\(root.folder)/new")
    let service = Task.detached {
      while !hasEnded.isSet.withLock({ $0 }) {
        if rmdir(place) == 0 { symlink("victim", place) }
        unlink(place)
      }
    }
    for _ in 0..<3000 { _ = try? folder.open("new", creates: true) }
    hasEnded.isSet.withLock { $0 = true }
    await service.value
    var status = stat()
    #expect(stat(victim, &status) == 0 && status.st_mode & 0o7777 == 0o700)
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
