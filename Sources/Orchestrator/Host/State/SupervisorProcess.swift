import Glibc
import Kernel
import Runtime

/// A running supervisor, found among the processes of the host.
///
/// It is found without its state folder. So a supervisor that no command reaches any more is found too.
package struct SupervisorProcess: Hashable {
  package var stack: String
  package var identity: ProcessIdentity

  package init(stack: String, identity: ProcessIdentity) {
    self.stack = stack
    self.identity = identity
  }

  /// All supervisors in the caller's own namespaces. Supervisors of a host inside this one, such as a container, are
  /// left out.
  package static func all() -> [SupervisorProcess] { all(is: isSupervisor) }

  private static func all(is wanted: ([String]) -> Bool) -> [SupervisorProcess] {
    let own = namespaces(of: "self")
    return Files.list("/proc").compactMap { entry in
      guard let pid = Int32(entry), let stack = stack(supervisedBy: entry, if: wanted), namespaces(of: entry) == own,
        let identity = try? ProcessIdentity(of: pid)
      else { return nil }
      return SupervisorProcess(stack: stack, identity: identity)
    }
  }

  /// Kills the supervisors of a stack, and returns once they have ended. Nothing else stops with a supervisor. Their
  /// watchers are ended first.
  package static func endAll(of stack: String) throws(KernelError) {
    for process in all(is: isWatcher) + all() where process.stack == stack { try process.end() }
  }

  private func end() throws(KernelError) {
    let subject = "the supervisor of \(stack) (pid \(identity.pid))"
    guard case .some(let pidfd) = try identity.open() else { return }
    do {
      try ProcessHandle.send(SIGKILL, to: pidfd)
    } catch {
      guard error.errno == .noSuchProcess else { throw error }
    }
    var waiting = pollfd(fd: pidfd.rawValue, events: Int16(POLLIN), revents: 0)
    guard poll(&waiting, 1, 5000) == 1 else { throw KernelError("end", subject, errno: .timedOut) }
  }

  /// A process state in which the supervisor cannot answer commands.
  package enum Standstill: Hashable {
    case stopped
    case uninterruptible

    /// The state in words, printed after the process's name.
    package var words: String {
      switch self {
      case .stopped: "is stopped (SIGSTOP, or a debugger)"
      case .uninterruptible: "waits for a disk or a device"
      }
    }

    /// Nil for a process that could answer, or is gone.
    package init?(pid: Int32) {
      guard let state = try? ProcessStat(of: pid).state else { return nil }
      switch UnicodeScalar(state) {
      case "T", "t": self = .stopped
      case "D": self = .uninterruptible
      default: return nil
      }
    }
  }

  package var standstill: Standstill? { Standstill(pid: identity.pid) }

  private static func isSupervisor(_ arguments: [String]) -> Bool {
    (4...5).contains(arguments.count) && arguments[0] == "stack" && arguments[1] == "supervise"
  }

  private static func isWatcher(_ arguments: [String]) -> Bool {
    arguments.count == 5 && arguments[0] == DetachedProcess.Watcher.name
  }

  /// The stack's name. Nil if the process is not root's, or if it was not started as supervisors and their watchers are.
  private static func stack(supervisedBy process: String, if isWanted: ([String]) -> Bool) -> String? {
    guard let bytes = try? Files.read("/proc/\(process)/cmdline", limit: 4096) else { return nil }
    let arguments = bytes.split(separator: 0, omittingEmptySubsequences: false).map {
      String(decoding: $0, as: UTF8.self)
    }
    guard isWanted(arguments) else { return nil }
    var status = stat()
    guard stat("/proc/\(process)", &status) == 0, status.st_uid == 0 else { return nil }
    return arguments[0] == "stack" ? arguments[2] : arguments[1]
  }

  /// The names of a process's namespaces; empty when they cannot be read.
  private static func namespaces(of process: String) -> [String] {
    ["net", "mnt", "pid"].compactMap { kind in
      var target = [CChar](repeating: 0, count: 64)
      let count = readlink("/proc/\(process)/ns/\(kind)", &target, target.count)
      guard count > 0 else { return nil }
      return String(decoding: target.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
  }
}
