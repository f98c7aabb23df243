import Glibc
import TestSupport
import Testing
@testable import ImageStore
@testable import Kernel

/// The folders of a store, in a throwaway folder.
@Suite struct ImageStoreTests {
  private let temporary: TemporaryFolder

  private var folder: String { temporary.path }

  init() throws { temporary = try TemporaryFolder() }

  private func mode(_ path: String) -> mode_t? {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o7777 : nil
  }

  /// A place that somebody has made for the store, as for a disk of its own, may be open to all.
  @Test(arguments: [nil, 0o755, 0o1777] as [mode_t?])
  func isRootsAlone(_ given: mode_t?) throws {
    let path = "\(folder)/lib/.images"
    if let given {
      try Files.makeFolder(path)
      try #require(chmod(path, given) == 0)
    }
    try ImageStore(path).prepare()
    #expect(mode(path) == (given ?? 0) & 0o7000 | 0o700)
    #expect(mode("\(path)/blobs/sha256") == 0o700)
    for name in ["blobs", "layers", "chains", "images", "names", "ingest", "trash"] {
      #expect(mode("\(path)/\(name)") == 0o700, "\(name)")
    }
  }

  /// The store of an earlier build is moved as a whole, and only once.
  @Test func takesOverAStoreOfAnEarlierBuild() throws {
    let (former, path) = ("\(folder)/former", "\(folder)/lib/.images")
    let store = ImageStore(path)
    try store.takeOver(former)
    #expect(mode(path) == nil, "there is none")
    let names = ["blobs", "layers", "chains", "images", "ingest", "trash", "names"]
    for name in names {
      try Files.makeFolder("\(former)/\(name)")
      try Files.overwrite("\(former)/\(name)/one", with: Array(name.utf8), mode: [.ownerReadWrite])
    }
    try store.takeOver(former)
    for name in names { #expect(try Files.read("\(path)/\(name)/one") == Array(name.utf8)) }
    #expect(mode(former) == nil && mode(path) == 0o700)
  }
}
