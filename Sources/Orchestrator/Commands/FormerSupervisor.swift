import Intent
import Glibc
import Kernel
import Runtime

/// A supervisor that another build of the program has left. Services go on without it, and the next one takes them over.
enum FormerSupervisor {
  /// Ends the supervisor of a stack, its watcher first, and waits until they are gone. They are found as the processes whose
  /// standard error is the stack's own log and that were started under the stack's name.
  static func end(of folder: StackFolder) throws(KernelError) {
    let pids = Files.list("/proc").compactMap { Int32($0) }.filter { isSupervisor($0, of: folder) }
    for pid in pids.sorted(by: { isWatcher($0) && !isWatcher($1) }) {
      guard let held = try ProcessIdentity(of: pid).open(), isSupervisor(pid, of: folder) else { continue }
      try? ProcessHandle.send(SIGKILL, to: held)
      var ended = pollfd(fd: held.rawValue, events: Int16(POLLIN), revents: 0)
      _ = poll(&ended, 1, 10_000)
    }
  }

  private static func isSupervisor(_ pid: Int32, of folder: StackFolder) -> Bool {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/\(pid)/fd/2", &target, target.count)
    guard count > 0 else { return false }
    let log = String(decoding: target.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    // A log that was removed under it goes on being its.
    guard [folder.supervisorLog, "\(folder.supervisorLog) (deleted)"].contains(log) else { return false }
    let words = words(of: pid)
    return words.starts(with: ["stack", "supervise", folder.name])
      || words.starts(with: [DetachedProcess.Watcher.name, folder.name])
  }

  private static func isWatcher(_ pid: Int32) -> Bool { words(of: pid).first == DetachedProcess.Watcher.name }

  private static func words(of pid: Int32) -> [String] {
    let line = (try? Files.read("/proc/\(pid)/cmdline", limit: 4096)) ?? []
    return line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
  }
}
