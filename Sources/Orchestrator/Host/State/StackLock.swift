import CLinux
import Glibc
import Kernel
import SystemPackage

/// An exclusive lock that ends with its holder, however that ends (flock(2)).
package struct StackLock: ~Copyable {
  private let path: String
  private let descriptor: Descriptor

  /// Waits until nobody else holds the lock.
  ///
  /// - Parameters:
  ///   - interruption: ends the wait early, with EINTR. flock(2) itself would wait on, since commands hold their signals back.
  ///   - onWait: called once, before waiting, when somebody else has it.
  package init(
    _ path: String, interruption: Interruption = Interruption(), onWait: () -> Void = {}
  ) throws(KernelError) {
    self.path = path
    try Files.makeFolder(Self.folder(of: path))
    var hasWaited = false
    while true {
      let number = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
      guard number >= 0 else {
        // The last command of another stack may have removed the folder in between.
        guard errno == ENOENT else { throw KernelError("open lock", path, errno: .last) }
        try Files.makeFolder(Self.folder(of: path))
        continue
      }
      let candidate = Descriptor(adopting: number)
      if flock(number, LOCK_EX | LOCK_NB) != 0 {
        if !hasWaited { onWait() }
        hasWaited = true
        try Self.wait(for: number, path, interruption)
      }
      // The holder before us may have removed the file: a lock on a file that nobody can find locks nothing.
      if Self.isSameFile(number, path) {
        descriptor = candidate
        return
      }
    }
  }
}

extension StackLock {
  /// Milliseconds between two tries to take a lock that another process has.
  private static let interval: CInt = 50

  /// Tries after which the holder is looked at, again and again: it may be one that stands still.
  private static let triesBetweenLooks = 160

  private static func wait(for number: CInt, _ path: String, _ interruption: Interruption) throws(KernelError) {
    var tries = 0
    while flock(number, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        throw KernelError("lock", path, errno: .last)
      }
      // A negative number is skipped (poll(2)).
      var signals = pollfd(fd: interruption.wake?.rawValue ?? -1, events: Int16(POLLIN), revents: 0)
      _ = poll(&signals, 1, interval)
      if interruption.isInterrupted() { throw KernelError("lock", path, errno: .interrupted) }
      tries += 1
      if tries % triesBetweenLooks == 0 { try refuseIfStopped(number, path) }
    }
  }

  /// - Throws: that the holder of a lock is stopped, and so will not let go of it.
  private static func refuseIfStopped(_ number: CInt, _ path: String) throws(KernelError) {
    guard let holder = holder(of: number), SupervisorProcess.Standstill(pid: holder) == .stopped else { return }
    throw KernelError(
      "lock", path, errno: .timedOut, detail: "process \(holder) has it and is stopped",
      remedy: "let it go on: kill -CONT \(holder); or end it: kill -9 \(holder)")
  }

  /// The process that has locked an open file, by proc_locks(5); nil for one of another pid namespace.
  private static func holder(of number: CInt) -> Int32? {
    var status = stat()
    guard fstat(number, &status) == 0, let bytes = try? Files.read("/proc/locks") else { return nil }
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count >= 6, words[1] == "FLOCK",
        words[5].split(separator: ":").last.map(String.init) == "\(status.st_ino)",
        let pid = Int32(words[4]), pid > 0
      else { continue }
      return pid
    }
    return nil
  }

  /// Removes the lock's file and lets go: for the command that leaves nothing of the stack behind.
  package consuming func remove() {
    unlink(path)
    Files.removeIfEmpty(Self.folder(of: path))
  }

  /// Removes the file of a lock that nobody holds: its holder was killed.
  package static func removeIfFree(_ path: String) {
    let number = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    guard number >= 0 else { return }
    let candidate = Descriptor(adopting: number)
    guard flock(number, LOCK_EX | LOCK_NB) == 0, isSameFile(number, path) else { return }
    unlink(path)
    Files.removeIfEmpty(folder(of: path))
    _ = consume candidate
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }

  private static func isSameFile(_ descriptor: CInt, _ path: String) -> Bool {
    var held = stat()
    var named = stat()
    return fstat(descriptor, &held) == 0 && stat(path, &named) == 0 && held.st_ino == named.st_ino
      && held.st_dev == named.st_dev
  }
}
