import CLinux
import Glibc
import Kernel
import SystemPackage

/// Ctrl-C and its like, as something that a wait can end for (signalfd(2)).
///
/// The signals are blocked for good, so a command ends by itself once it has undone what it must.
package final class Interrupts: Sendable {

  /// Readable when a signal has come; nil when the kernel gave no descriptor, and then Ctrl-C is only looked for.
  let wake: FileDescriptor?

  package init() {
    var mask = sigset_t()
    sigemptyset(&mask)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&mask, signal) }
    sigprocmask(SIG_BLOCK, &mask, nil)
    let number = signalfd(-1, &mask, CInt(SFD_CLOEXEC | SFD_NONBLOCK))
    wake = number >= 0 ? FileDescriptor(rawValue: number) : nil
  }

  var interruption: Interruption { Interruption(wake: wake, isInterrupted: { self.take() }) }

  /// True if a signal came since it was last asked.
  private func take() -> Bool {
    guard let wake else { return false }
    var info = signalfd_siginfo()
    return read(wake.rawValue, &info, MemoryLayout<signalfd_siginfo>.size) > 0
  }
}
