import CLinux
import Glibc
import Kernel
import SystemPackage

/// Operations on a process through its descriptor (pidfd_open(2)), never by number.
public enum ProcessHandle {
  /// ESRCH when it has ended.
  public static func send(_ signal: Int32, to pidfd: borrowing Descriptor) throws(KernelError) {
    try check("signal", "the process") { stack_pidfd_send_signal(pidfd.rawValue, signal) }
  }

  /// Sends a signal with a value (sigqueue(3)).
  public static func send(_ signal: Int32, value: Int32, to pidfd: borrowing Descriptor) throws(KernelError) {
    try check("signal", "the process") { stack_pidfd_send_value(pidfd.rawValue, signal, value) }
  }

  /// Reaps a child of this process; `nil` while it runs and `block` is false. ECHILD when it is not a child of this
  /// process: its ``ExitRecord`` has the status.
  public static func wait(for pidfd: borrowing Descriptor, block: Bool = true) throws(KernelError) -> TerminationStatus?
  {
    var status: CInt = 0
    let answer = try check("wait for", "the process") {
      stack_pidfd_wait(pidfd.rawValue, block ? 1 : 0, &status)
    }
    return answer == 0 ? nil : TerminationStatus(waitStatus: status)
  }

  /// Ends a child of this process, whatever it is doing, and reaps it.
  static func end(_ pidfd: borrowing Descriptor) {
    try? send(SIGKILL, to: pidfd)
    _ = try? wait(for: pidfd)
  }

  /// A copy of the terminal's master that the process behind `pidfd` keeps. EBADF when it keeps none.
  ///
  /// - Parameter number: nil for the one that a stack-init has it under.
  public static func terminal(of pidfd: borrowing Descriptor, number: CInt? = nil) throws(KernelError) -> Descriptor {
    let number = try check("take the terminal of", "the process") {
      stack_pidfd_getfd(pidfd.rawValue, number ?? CInt(STACK_FD_TERMINAL))
    }
    return Descriptor(adopting: number)
  }
}
