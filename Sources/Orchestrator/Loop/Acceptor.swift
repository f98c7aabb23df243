import Glibc
import Kernel
import SystemPackage

/// Accepts connections from a listening socket.
///
/// When this process has no descriptors left, the socket is not polled for 200 ms, or until ``resume()``. Connections
/// wait in its queue. The loop would otherwise wake for them again and again.
package final class Acceptor {
  /// Takes a connection, or throws when there is no room for it in this process.
  package typealias Handler = (consuming Descriptor) throws(KernelError) -> Void

  private let loop: EventLoop
  private let listener: Descriptor
  /// The most connections that are accepted in one turn of the loop. The listener is level-triggered.
  private let atOnce: Int
  private let handler: Handler
  private var token: EventLoop.Token?
  private var retry: EventLoop.TimerID?

  /// - Parameter listener: a socket that listens and does not block.
  package init(
    _ listener: consuming Descriptor, on loop: EventLoop, atOnce: Int, handler: @escaping Handler
  ) throws(KernelError) {
    self.loop = loop
    self.listener = listener
    self.atOnce = atOnce
    self.handler = handler
    token = try loop.register(self.listener.fileDescriptor, interest: .read) { [weak self] _ in self?.accept() }
  }

  deinit { stop() }

  /// Accepts no more connections.
  package func stop() {
    if let token { loop.remove(token) }
    token = nil
    if let retry { loop.cancel(retry) }
    retry = nil
  }

  /// Polls the socket again, after this process has closed a descriptor.
  package func resume() {
    guard let token, let timer = retry else { return }
    loop.cancel(timer)
    retry = nil
    try? loop.setInterest(.read, for: token)
  }

  private func accept() {
    for _ in 0..<atOnce {
      guard token != nil else { return }
      let number = Glibc.accept(listener.rawValue, nil, nil)
      guard number >= 0 else {
        switch errno {
        case EINTR, ECONNABORTED: continue
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return pause()
        default: return
        }
      }
      do throws(KernelError) {
        try handler(Descriptor(adopting: number))
      } catch {
        return pause()
      }
    }
  }

  private func pause() {
    guard let token, retry == nil else { return }
    try? loop.setInterest([], for: token)
    retry = loop.schedule(after: .milliseconds(200)) { [weak self] in self?.resume() }
  }
}
