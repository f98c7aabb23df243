import Foundation
import Testing
@testable import Host
@testable import Intent
@testable import Kernel
@testable import Runtime

/// State that outlived the boot in which it was true.
@Suite struct FormerBootTests {
  private func withFolders(_ body: (StateFolders) throws -> Void) throws {
    let root = FileManager.default.temporaryDirectory.appendingPathComponent("boot-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: root) }
    try body(StateFolders(run: "\(root)/run", lib: "\(root)/lib", namespaces: "\(root)/netns"))
  }

  private func bringUp(_ folders: StateFolders, boot: String) throws -> Salvage {
    let folder = folders.stack("x")
    try Files.makeFolder(folder.service("a").path)
    try StateFile(path: folder.intent).write(DesiredStack.empty(named: "x"))
    try Files.overwrite(folder.settled, with: [], mode: [.ownerReadWrite])
    try StateFile(path: folder.service("a").record).write(ServiceRecord(service: "a"))
    try StateFile(path: folder.supervisor).write(ProcessIdentity(pid: 1, startTime: 1, bootID: boot))
    return Salvage(folders: folders, stack: "x")
  }

  @Test func whatWasRecordedInAnotherBootIsForgotten() throws {
    try withFolders { folders in
      let salvage = try bringUp(folders, boot: "another")
      try salvage.forgetFormerBoot()
      let folder = folders.stack("x")
      for path in [folder.intent, folder.settled, folder.supervisor, folder.service("a").record] {
        #expect(!Files.exists(path), "\(path)")
      }
      // Its services are still known by their folders, so that all of them are taken down.
      #expect(Files.exists(folder.service("a").path))
      #expect(try salvage.observed()?.services.map(\.name) == ["a"])
      try salvage.forgetFormerBoot()
    }
  }

  @Test func whatWasRecordedInThisBootStays() throws {
    try withFolders { folders in
      let salvage = try bringUp(folders, boot: Boot.current())
      try salvage.forgetFormerBoot()
      #expect(Files.exists(folders.stack("x").intent))
      #expect(Files.exists(folders.stack("x").settled))
    }
  }

  @Test(arguments: ["", "{", "null", "\"412@1\""]) func anIdentityThatCannotBeReadSaysNothing(_ text: String) throws {
    try withFolders { folders in
      let salvage = try bringUp(folders, boot: "another")
      try Files.overwrite(folders.stack("x").supervisor, with: [UInt8](text.utf8), mode: [.ownerReadWrite])
      try salvage.forgetFormerBoot()
      #expect(Files.exists(folders.stack("x").intent))
    }
  }

  @Test(arguments: ["", "{", "null", "{\"name\":\"x\"", "{\"name\":\"y\"}"])
  func aRecordThatCannotBeReadIsNoRecord(_ text: String) throws {
    try withFolders { folders in
      let salvage = try bringUp(folders, boot: Boot.current())
      try Files.overwrite(folders.stack("x").intent, with: [UInt8](text.utf8), mode: [.ownerReadWrite])
      #expect(try salvage.recordedOrObserved()?.services.map(\.name) == ["a"])
    }
  }

  @Test func tracesAreFoundInFolders() throws {
    try withFolders { folders in
      _ = try bringUp(folders, boot: Boot.current())
      try Files.makeFolder(folders.stack("y").logs)
      try Files.makeFolder(folders.stack("z").volumes)
      try Files.makeFolder(folders.namespaces)
      try Files.overwrite("\(folders.namespaces)/w.a", with: [], mode: [.ownerReadWrite])
      try Files.overwrite("\(folders.namespaces)/plain", with: [], mode: [.ownerReadWrite])
      let traces = try StackTraces.all(folders)
      #expect(traces["x"]?.hasFolder ?? false)
      #expect(traces["y"]?.found == [.logs])
      #expect(traces["z"] == nil, "volumes outlive their stack")
      #expect(traces["w"]?.hasProof == false)
      #expect(traces["plain"] == nil)
      #expect(traces[".host"] == nil)
    }
  }
}
