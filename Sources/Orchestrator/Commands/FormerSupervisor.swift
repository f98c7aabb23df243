import Intent
import Glibc
import Kernel
import Runtime

/// A supervisor that another build of the program has left. Services go on without it, and the next one takes them over.
enum FormerSupervisor {
  /// Ends the supervisor of a stack and waits until it is gone. It is found as the process whose standard error is the stack's own log
  /// and that was started under the stack's name.
  static func end(of folder: StackFolder) throws(KernelError) {
    for entry in Files.list("/proc") {
      guard let pid = Int32(entry), isSupervisor(pid, of: folder) else { continue }
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
    guard log == folder.supervisorLog, let line = try? Files.read("/proc/\(pid)/cmdline", limit: 4096) else {
      return false
    }
    let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    return words.first == "stack" && words.last == folder.name
  }
}
