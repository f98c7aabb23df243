import Glibc
import TestSupport
import Testing
@testable import Kernel
@testable import Registry

/// Programs by their names, which files of users and registries may have a say in.
@Suite struct HostProgramTests {
  private let temporary: TemporaryFolder

  private var folder: String { temporary.path }

  init() throws {
    temporary = try TemporaryFolder()
    for name in ["first", "second", "second/below"] { try #require(mkdir("\(folder)/\(name)", 0o755) == 0) }
    for name in ["second/run", "second/below/run", "second/a b", "first/plain"] {
      try Files.overwrite("\(folder)/\(name)", with: [], mode: [.ownerReadWrite])
      if name != "first/plain" { try #require(chmod("\(folder)/\(name)", 0o755) == 0) }
    }
  }

  private func find(_ name: String, _ path: String) -> String? {
    HostProgram.find(name, ["PATH": path]).map { String($0.dropFirst(folder.count + 1)) }
  }

  @Test func isTheFirstInPathThatCanBeRun() {
    let path = "relative::\(folder)/first:\(folder)/second"
    #expect(find("run", path) == "second/run")
    #expect(find("none", path) == nil)
    #expect(find("run", "\(folder)/first") == nil)
    if geteuid() != 0 { #expect(find("plain", path) == nil) }
    #expect(HostProgram.find("sh", [:])?.hasSuffix("/sh") == true, "there is a PATH where none is given")
  }

  /// No name leads to another folder, and none has arguments in it.
  @Test(arguments: ["below/run", "../second/run", "a b", "run\t", "run\n"])
  func aNameIsNoPathAndNoCommand(_ name: String) {
    #expect(find(name, "\(folder)/second") == nil)
  }
}
