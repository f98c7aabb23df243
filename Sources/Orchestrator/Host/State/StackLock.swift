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

  private static func wait(for number: CInt, _ path: String, _ interruption: Interruption) throws(KernelError) {
    while flock(number, LOCK_EX | LOCK_NB) != 0 {
      guard errno == EWOULDBLOCK || errno == EINTR else {
        throw KernelError("lock", path, errno: .last)
      }
      // A negative number is skipped (poll(2)).
      var signals = pollfd(fd: interruption.wake?.rawValue ?? -1, events: Int16(POLLIN), revents: 0)
      _ = poll(&signals, 1, interval)
      if interruption.isInterrupted() { throw KernelError("lock", path, errno: .interrupted) }
    }
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
