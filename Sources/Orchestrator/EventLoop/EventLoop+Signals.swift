import CLinux
import Glibc
public import Kernel
import SystemPackage

/// A signal as signalfd(2) reports it.
public struct ReceivedSignal: Hashable, Sendable {
  public let number: CInt
  /// Who sent it; the child, for SIGCHLD.
  public let pid: pid_t
  public let uid: uid_t
  /// For SIGCHLD the child's status, for a signal sent with sigqueue(3) its value.
  public let status: Int32
}

/// A set of signals (sigsetops(3)).
public struct SignalSet: Sendable {
  private(set) var mask: sigset_t

  public init(_ signals: [CInt]) {
    mask = sigset_t()
    sigemptyset(&mask)
    for signal in signals { sigaddset(&mask, signal) }
  }

  private init(mask: sigset_t) { self.mask = mask }

  /// Every signal that can be blocked.
  public static var all: SignalSet {
    var mask = sigset_t()
    sigfillset(&mask)
    return SignalSet(mask: mask)
  }

  /// Blocks these signals in the calling thread, and in the threads it starts from now on; returns what was blocked before.
  @discardableResult
  public func block() -> SignalSet { change(SIG_BLOCK) }

  /// Makes these the only blocked signals of the calling thread; returns what was blocked before.
  @discardableResult
  public func becomeMask() -> SignalSet { change(SIG_SETMASK) }

  private func change(_ how: CInt) -> SignalSet {
    var new = mask
    var old = sigset_t()
    pthread_sigmask(how, &new, &old)
    return SignalSet(mask: old)
  }
}

extension EventLoop {
  /// Calls `handler` for each of `signals` that arrives.
  ///
  /// They must be blocked in every thread of the process (``SignalSet/block()`` before any thread starts), or their
  /// ordinary action happens instead. Several instances of one signal may arrive as one (signal(7)).
  public func watchSignals(
    _ signals: [CInt], handler: @escaping (ReceivedSignal) -> Void
  ) throws(KernelError) -> Token {
    var mask = SignalSet(signals).mask
    let number = signalfd(-1, &mask, CInt(SFD_CLOEXEC | SFD_NONBLOCK))
    guard number >= 0 else { throw KernelError("create", "a signalfd", errno: .last) }
    let shared = SharedDescriptor(Descriptor(adopting: number))
    return try register(shared.descriptor.fileDescriptor, interest: .read) { _ in
      var info = signalfd_siginfo()
      let size = MemoryLayout<signalfd_siginfo>.size
      // One for each call: the next may come after a handler that removed this one or ended the loop.
      guard read(shared.descriptor.rawValue, &info, size) == size else { return }
      handler(
        ReceivedSignal(
          number: CInt(info.ssi_signo), pid: pid_t(bitPattern: info.ssi_pid), uid: info.ssi_uid,
          status: info.ssi_status))
    }
  }
}
