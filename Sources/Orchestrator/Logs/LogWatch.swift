import Glibc
import Kernel
import SystemPackage

/// Waits for log files to change (inotify(7)), or for a moment where the kernel has no more watches to give.
final class LogWatch {
  private static let pollingInterval: CInt = 200

  private let inotify: Descriptor?
  private var watches: Set<CInt> = []
  private var isBlind: Bool

  /// Watches folders for files that come.
  init(folders: Set<String>) {
    let number = inotify_init1(CInt(IN_CLOEXEC | IN_NONBLOCK))
    isBlind = number < 0
    inotify = number < 0 ? nil : Descriptor(adopting: number)
    for folder in folders { add(folder, IN_CREATE | IN_MOVED_TO) }
  }

  /// Watches an open file, whatever its name is by now; true if it was not watched before: it may have changed since.
  func watch(_ file: FileDescriptor) -> Bool {
    add("/proc/self/fd/\(file.rawValue)", IN_MODIFY)
  }

  /// Waits for a change, `milliseconds` at most (negative: no limit); false when interrupted.
  func wait(milliseconds: CInt, _ interruption: Interruption) -> Bool {
    if interruption.isInterrupted() { return false }
    var descriptors = [
      pollfd(fd: number ?? -1, events: Int16(POLLIN), revents: 0),
      pollfd(fd: interruption.wake?.rawValue ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    var limit = milliseconds
    if isBlind { limit = limit < 0 ? Self.pollingInterval : min(limit, Self.pollingInterval) }
    let ready = poll(&descriptors, nfds_t(descriptors.count), limit)
    if ready > 0, descriptors[1].revents != 0 { return false }
    if ready > 0 { discardEvents() }
    return !interruption.isInterrupted()
  }

  private var number: CInt? {
    switch inotify {
    case .some(let inotify): inotify.rawValue
    case .none: nil
    }
  }

  /// Drops the events. A read that finds nothing costs as little as looking at them.
  private func discardEvents() {
    guard let number else { return }
    withUnsafeTemporaryAllocation(byteCount: 1 << 14, alignment: 8) { bytes in
      while read(number, bytes.baseAddress, bytes.count) > 0 {}
    }
  }

  @discardableResult
  private func add(_ path: String, _ events: Int32) -> Bool {
    guard let number else { return false }
    let watch = inotify_add_watch(number, path, UInt32(events))
    if watch < 0 { isBlind = true }
    return watch >= 0 && watches.insert(watch).inserted
  }
}
