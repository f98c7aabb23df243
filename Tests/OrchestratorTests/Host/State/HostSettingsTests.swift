import Glibc
import TestSupport
import Testing
@testable import Host
@testable import Intent
@testable import Kernel

/// In network and mount namespaces of their own, whose forwarding is off. As root only.
@Suite(.enabled(if: geteuid() == 0)) struct HostSettingsTests {
  /// Runs the steps of a test in namespaces of its own. Returns their notes.
  private static func stage(
    _ body: @escaping @Sendable (Stage) throws -> Void, sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [String] {
    let folder = try TemporaryFolder()
    let outcome = inOwnNamespaces(0x4002_0000) { () -> [String] in
      let stage = Stage(folder)
      do { try body(stage) } catch { stage.notes.append("\(error)") }
      return stage.notes
    }
    return try #require(outcome, sourceLocation: sourceLocation)
  }

  private final class Stage {
    let folder: TemporaryFolder
    let settings: HostSettings
    var notes: [String] = []
    private var ledger: String { "\(folder.folders.host)/settings.json" }

    init(_ folder: TemporaryFolder) {
      self.folder = folder
      settings = HostSettings(folders: folder.folders)
    }

    func up(_ stack: String, forwarding: Forwarding = .ipv4) throws {
      try Files.makeFolder(folder.folders.stack(stack).path)
      try settings.prepare(for: stack, forwarding: forwarding)
    }

    func down(_ stack: String) throws {
      try settings.release(stack)
      try Files.remove(folder.folders.stack(stack).path)
    }

    func set(_ value: String) throws { try Files.set(HostSettings.forwarding, to: value) }

    /// Forwarding, whether namespaces can be pinned, whether there is a ledger.
    func note() {
      let bytes = (try? Files.read(HostSettings.forwarding)) ?? nil
      let value = String(decoding: (bytes ?? []).prefix(1), as: UTF8.self)
      let pins = Files.exists(folder.folders.namespaces) ? "pins" : "no pins"
      notes.append("\(value), \(pins), \(Files.exists(ledger) ? "ledger" : "no ledger")")
    }

    /// The ledger and its copy.
    var ledgers: [String] { [ledger, "\(folder.folders.lib)/.host/settings.json"] }

    func spoil(_ path: String) throws { try Files.overwrite(path, with: [1], mode: [.ownerReadWrite]) }
  }

  @Test func theLastStackPutsBackWhatTheFirstChanged() throws {
    let notes = try Self.stage { stage in
      stage.note()
      try stage.up("a")
      stage.note()
      try stage.up("b")
      try stage.down("a")
      stage.note()
      try stage.down("b")
      stage.note()
      stage.notes.append("\(Files.exists(stage.folder.folders.host))")
    }
    #expect(notes == ["0, no pins, no ledger", "1, pins, ledger", "1, pins, ledger", "0, no pins, no ledger", "false"])
  }

  @Test func noLockIsLeftBetweenCommands() throws {
    let notes = try Self.stage { stage in
      let lock = "\(stage.folder.folders.host)/settings.lock"
      try stage.up("a")
      stage.notes.append("\(Files.exists(lock))")
      try stage.up("b")
      try stage.down("b")
      stage.notes.append("\(Files.exists(lock))")
    }
    #expect(notes == ["false", "false"])
  }

  @Test func aRouterStaysARouter() throws {
    let notes = try Self.stage { stage in
      try stage.set("1")
      try stage.up("a")
      try stage.down("a")
      stage.note()
    }
    #expect(notes == ["1, no pins, no ledger"])
  }

  /// The kernel sets them anew whenever forwarding changes.
  @Test func whatFollowsFromForwardingIsPutBackAsWell() throws {
    let links = "/proc/sys/net/ipv4/conf"
    let paths = ["\(links)/all/accept_redirects", "\(links)/default/forwarding", "\(links)/lo/forwarding"]
    for values in [["0", "0", "0"], ["1", "0", "0"], ["0", "1", "0"], ["0", "0", "1"], ["1", "1", "1"]] {
      let notes = try Self.stage { stage in
        for (path, value) in zip(paths, values) { try Files.set(path, to: value) }
        try stage.up("a")
        try stage.up("b")
        try stage.down("a")
        try stage.down("b")
        stage.notes += try paths.map(stage.settings.read)
      }
      #expect(notes == values)
    }
  }

  @Test func aStackThatNeedsNoForwardingTurnsNoneOn() throws {
    let notes = try Self.stage { stage in
      try stage.up("a", forwarding: [])
      stage.note()
      try stage.up("b")
      stage.note()
      try stage.down("b")
      try stage.down("a")
      stage.note()
    }
    #expect(notes == ["0, pins, ledger", "1, pins, ledger", "0, no pins, no ledger"])
  }

  @Test func whatWasBeingWrittenFirstIsNotLeft() throws {
    let notes = try Self.stage { stage in
      for ledger in stage.ledgers {
        try Files.makeFolder(String(ledger.dropLast("/settings.json".count)))
        try stage.spoil(Files.temporary(ledger))
      }
      try stage.down("a")
      stage.notes = stage.ledgers.map { "\(Files.exists(Files.temporary($0)))" }
    }
    #expect(notes == ["false", "false"])
  }

  @Test func aCrashBetweenTheLedgerAndTheChangeIsMadeGood() throws {
    let notes = try Self.stage { stage in
      try stage.up("a")
      // As after a crash: written down, and not done.
      try stage.set("0")
      try stage.up("a")
      stage.note()
      try stage.set("0")
      try stage.down("a")
      stage.note()
      try stage.up("a")
      try stage.up("a")
      try stage.down("a")
      stage.note()
    }
    #expect(notes == ["1, pins, ledger", "0, no pins, no ledger", "0, no pins, no ledger"])
  }

  @Test func aStackThatIsGoneWithoutADownIsNotWaitedFor() throws {
    let notes = try Self.stage { stage in
      try stage.up("a")
      try stage.up("b")
      try Files.remove(stage.folder.folders.stack("b").path)
      try stage.down("a")
      stage.note()
    }
    #expect(notes == ["0, no pins, no ledger"])
  }

  @Test func oneOfTheTwoLedgersIsEnough() throws {
    for lost in [0, 1] {
      let notes = try Self.stage { stage in
        try stage.up("a")
        try stage.spoil(stage.ledgers[lost])
        try stage.down("a")
        stage.note()
        stage.notes += stage.ledgers.filter(Files.exists)
      }
      #expect(notes == ["0, no pins, no ledger"])
    }
  }

  @Test func anUnreadableLedgerIsNotLeftBehind() throws {
    let notes = try Self.stage { stage in
      try stage.up("a")
      for path in stage.ledgers { try stage.spoil(path) }
      try stage.down("a")
      stage.note()
      try stage.down("a")
    }
    #expect(notes == ["1, pins, no ledger"])
  }
}
