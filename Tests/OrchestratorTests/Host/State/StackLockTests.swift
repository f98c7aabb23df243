import Glibc
import Synchronization
import TestSupport
import Testing
@testable import Host
@testable import Kernel

@Suite struct StackLockTests {
  private let folder: TemporaryFolder
  private var path: String { "\(folder.path)/.host/web.lock" }

  init() throws {
    folder = try TemporaryFolder()
  }

  /// True if another process, flock(1), gets the lock.
  private func isFree() -> Bool {
    shell("flock --nonblock --conflict-exit-code 9 \(path) true").status == 0
  }

  @Test func itKeepsOthersOutWhileItIsHeld() throws {
    let held = try StackLock(path)
    #expect(!isFree())
    held.remove()
    #expect(!Files.exists("\(folder.path)/.host"))
  }

  @Test func itEndsWithItsHolder() throws {
    do {
      let held = try StackLock(path)
      #expect(!isFree())
      _ = consume held
    }
    #expect(Files.exists(path) && isFree())
  }

  @Test func whoWaitsIsToldOnceAndGetsItThen() throws {
    let path = path
    let notes = Notes()
    let held = try StackLock(path)
    let other = OwnThread {
      let lock = try? StackLock(path) { notes.add("waiting") }
      notes.add(lock == nil ? "failed" : "got it")
      return true
    }
    other.start()
    #expect(notes.contain("waiting"))
    usleep(20_000)
    #expect(notes.all == ["waiting"])
    _ = consume held
    #expect(other.join() == true)
    #expect(notes.all == ["waiting", "got it"])
  }

  @Test func aLockWhoseFileWasRemovedLocksNothing() throws {
    let path = path
    let notes = Notes()
    let held = try StackLock(path)
    let other = OwnThread {
      guard let lock = try? StackLock(path, onWait: { notes.add("waiting") }) else { return false }
      // Held on the file that is there now, where the next one looks for it.
      let isSeen = Files.exists(path) && shell("flock --nonblock \(path) true").status != 0
      _ = consume lock
      return isSeen
    }
    other.start()
    #expect(notes.contain("waiting"))
    held.remove()
    #expect(other.join() == true)
  }

  @Test func oneOfManyHasItAtATime() throws {
    let path = path
    let counts = Counts()
    let threads = (0..<6).map { _ in
      OwnThread {
        for _ in 0..<20 {
          guard let lock = try? StackLock(path) else { return false }
          counts.enter()
          usleep(100)
          counts.leave()
          // Now this way, now that: both let the next one in.
          if counts.isEven { lock.remove() } else { _ = consume lock }
        }
        return true
      }
    }
    for thread in threads { thread.start() }
    for thread in threads { #expect(thread.join() == true) }
    #expect(counts.most == 1 && counts.total == 120)
    StackLock.removeIfFree(path)
    #expect(!Files.exists(path))
  }

  @Test func aLockThatNobodyHoldsCanBeRemoved() throws {
    let held = try StackLock(path)
    StackLock.removeIfFree(path)
    #expect(Files.exists(path))
    _ = consume held
    StackLock.removeIfFree(path)
    #expect(!Files.exists("\(folder.path)/.host"))
    StackLock.removeIfFree(path)
  }

  @Test func aLinkInItsPlaceIsRefused() throws {
    try Files.makeFolder("\(folder.path)/.host")
    #expect(symlink("/etc/passwd", path) == 0)
    #expect(throws: KernelError.self) { _ = try StackLock(path) }
  }
}

/// The events on another thread, in order.
private final class Notes: Sendable {
  private let notes = Mutex<[String]>([])

  var all: [String] { notes.withLock { $0 } }

  func add(_ note: String) { notes.withLock { $0.append(note) } }

  /// Waits for a note, for two seconds at most.
  func contain(_ note: String) -> Bool {
    for _ in 0..<2000 {
      if all.contains(note) { return true }
      usleep(1000)
    }
    return false
  }
}

/// The number of holders of the lock at once.
private final class Counts: Sendable {
  private let counts = Mutex((now: 0, most: 0, total: 0))

  func enter() {
    counts.withLock { counts in
      counts.now += 1
      counts.most = max(counts.most, counts.now)
      counts.total += 1
    }
  }

  func leave() { counts.withLock { $0.now -= 1 } }

  var isEven: Bool { counts.withLock { $0.total.isMultiple(of: 2) } }
  var most: Int { counts.withLock { $0.most } }
  var total: Int { counts.withLock { $0.total } }
}
