import Glibc

/// A set of signals (sigsetops(3)).
struct SignalSet: Sendable {
  private(set) var mask: sigset_t

  init(_ signals: [CInt]) {
    mask = sigset_t()
    sigemptyset(&mask)
    for signal in signals { sigaddset(&mask, signal) }
  }

  private init(mask: sigset_t) { self.mask = mask }

  /// Every signal that can be blocked.
  static var all: SignalSet {
    var mask = sigset_t()
    sigfillset(&mask)
    return SignalSet(mask: mask)
  }

  /// Blocks these signals in the calling thread, and in the threads it starts from now on; returns what was blocked before.
  @discardableResult
  func block() -> SignalSet { change(SIG_BLOCK) }

  /// Makes these the only blocked signals of the calling thread; returns what was blocked before.
  @discardableResult
  func becomeMask() -> SignalSet { change(SIG_SETMASK) }

  private func change(_ how: CInt) -> SignalSet {
    var new = mask
    var old = sigset_t()
    pthread_sigmask(how, &new, &old)
    return SignalSet(mask: old)
  }
}
