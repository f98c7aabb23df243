import Glibc
import Kernel
import SystemPackage

/// Takes connections from a listening socket. While this process has no descriptors left for them they wait in the socket's
/// queue: the loop would otherwise tell of them again and again, and nothing be done about it.
package final class Acceptor {
  /// Takes a connection, or throws when there is no room for it in this process.
  package typealias Handler = (consuming Descriptor) throws(KernelError) -> Void

  private let loop: EventLoop
  private let listener: Descriptor
  /// How many until others have their turn; the listener is level-triggered.
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

  /// Takes no more.
  package func stop() {
    if let token { loop.remove(token) }
    token = nil
    if let retry { loop.cancel(retry) }
    retry = nil
  }

  /// Something has been let go of that a connection may have been waiting for.
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
