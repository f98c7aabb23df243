import CLinux
import Glibc
import Kernel
import Synchronization
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

  private let last = Atomic<Int32>(0)

  /// The signal that came last, once; nil for none.
  func takeLast() -> Int32? {
    let signal = last.exchange(0, ordering: .acquiringAndReleasing)
    return signal == 0 ? nil : signal
  }

  /// True if a signal came since it was last asked.
  private func take() -> Bool {
    guard let wake else { return false }
    var info = signalfd_siginfo()
    guard read(wake.rawValue, &info, MemoryLayout<signalfd_siginfo>.size) > 0 else { return false }
    last.store(Int32(bitPattern: info.ssi_signo), ordering: .releasing)
    return true
  }
}
