import Glibc
import SystemPackage
import Testing
@testable import Logs

/// On a file system of 64 KB in a mount namespace that ends with the thread. As root only.
@Suite(.enabled(if: geteuid() == 0)) struct LogFullDiskTests {
  private struct Outcome: Sendable {
    var setUp = false
    var failure: Errno?
    var dropped: UInt64 = 0
    var recovered = false
    var text: [String] = []
    var streams: [LogStream] = []
  }

  /// Gives the calling thread mounts of its own: unshare(CLONE_NEWNS), which Swift's Glibc module leaves out.
  private static func leaveMountNamespace() -> Bool {
    guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "unshare") else { return false }
    let unshare = unsafeBitCast(symbol, to: (@convention(c) (CInt) -> CInt).self)
    return unshare(0x0002_0000) == 0
  }

  private static func onSmallDisk(_ folder: LogFolder, _ body: @escaping @Sendable (inout Outcome) -> Void) -> Outcome {
    let path = folder.path
    let outcome = onOwnThread { () -> Outcome in
      var outcome = Outcome()
      guard leaveMountNamespace(), mount("none", "/", nil, UInt(MS_REC | MS_PRIVATE), nil) == 0,
        mount("tmpfs", path, "tmpfs", 0, "size=64k") == 0
      else { return outcome }
      outcome.setUp = true
      body(&outcome)
      umount(path)
      return outcome
    }
    return outcome ?? Outcome()
  }

  @Test func whatDoesNotFitIsCountedAndSaid() throws {
    let folder = try LogFolder()
    let outcome = Self.onSmallDisk(folder) { outcome in
      folder.write("ballast", String(repeating: "x", count: 40_000))
      let writer = LogWriter(path: folder.log("web"))
      writer.append("before\nan open li")
      let line = String(repeating: "y", count: 99) + "\n"
      for _ in 0..<10_000 { writer.append(line) }
      outcome.failure = writer.failure
      outcome.dropped = writer.droppedBytes
      _ = unlink("\(folder.path)/ballast")
      // Even this much less is not enough for what was kept: rotation has to make room too.
      outcome.recovered = writer.flush()
    }
    #expect(outcome.setUp)
    #expect(outcome.failure == .noSpace)
    #expect(outcome.dropped > 500_000)
    #expect(!outcome.recovered)
  }

  @Test func itGoesOnWhenThereIsSpaceAgain() throws {
    let folder = try LogFolder()
    let outcome = Self.onSmallDisk(folder) { outcome in
      let writer = LogWriter(path: folder.log("web"))
      for _ in 0..<20_000 { writer.append(String(repeating: "y", count: 99) + "\n") }
      writer.append("lost and open")
      outcome.failure = writer.failure
      outcome.dropped = writer.droppedBytes
      guard mount("tmpfs", folder.path, "tmpfs", UInt(MS_REMOUNT), "size=4m") == 0 else { return }
      outcome.recovered = writer.flush()
      writer.append("after\n")
      let entries = LogReader([folder.source("web")]).readAll()
      outcome.text = entries.map(\.string)
      outcome.streams = entries.map(\.stream)
    }
    #expect(outcome.setUp && outcome.recovered)
    #expect(outcome.text.count > 2_000)
    #expect(outcome.text.dropLast(2).allSatisfy { $0 == String(repeating: "y", count: 99) })
    #expect(outcome.text.suffix(2) == ["stack: dropped \(outcome.dropped) bytes (No space left on device)", "after"])
    #expect(outcome.streams.suffix(2) == [.stderr, .stdout])
    // Nothing but the lost bytes is missing.
    let kept = (outcome.text.count - 2) * 100
    #expect(kept + Int(outcome.dropped) == 20_000 * 100 + "lost and open".utf8.count)
  }

  @Test func aReadOnlyFileSystemIsNoReasonToStop() throws {
    let folder = try LogFolder()
    let outcome = Self.onSmallDisk(folder) { outcome in
      guard mount("tmpfs", folder.path, "tmpfs", UInt(MS_REMOUNT | MS_RDONLY), nil) == 0 else { return }
      let writer = LogWriter(path: folder.log("web"))
      writer.append("kept\n")
      outcome.failure = writer.failure
      guard mount("tmpfs", folder.path, "tmpfs", UInt(MS_REMOUNT), nil) == 0 else { return }
      outcome.recovered = writer.flush()
      outcome.text = LogReader([folder.source("web")]).readAll().map(\.string)
    }
    #expect(outcome.failure == .readOnlyFileSystem)
    #expect(outcome.recovered)
    #expect(outcome.text == ["kept"])
  }

  @Test func rotationOnAFullDiskMakesRoom() throws {
    let folder = try LogFolder()
    let outcome = Self.onSmallDisk(folder) { outcome in
      let rotation = LogRotation(maximumSize: 12_000, files: 3)
      let writer = LogWriter(path: folder.log("web"), rotation: rotation)
      for number in 0..<5_000 { writer.append("line \(number)\n") }
      outcome.failure = writer.failure
      outcome.dropped = writer.droppedBytes
      outcome.text = LogReader([folder.source("web")]).readAll().map(\.string)
    }
    #expect(outcome.setUp && outcome.failure == nil && outcome.dropped == 0)
    #expect(outcome.text.last == "line 4999")
  }
}
