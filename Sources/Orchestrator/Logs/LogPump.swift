import Kernel
import Loop
import SystemPackage

/// Moves what services put out from their pipes to their logs, on the event loop.
package final class LogPump {
  /// The interval between tries to write a log again while its service is silent.
  private static let retryInterval = Duration.seconds(1)

  private struct Pipe {
    let descriptor: FileDescriptor
    let writer: LogWriter
    let stream: LogStream
  }

  /// For the writers of this loop.
  package let scratch: LogScratch

  private let loop: EventLoop
  private var pipes: [EventLoop.Token: Pipe] = [:]
  private var retry: EventLoop.TimerID?
  /// Writers with something that did not get written, their pipes perhaps gone.
  private var unflushed: [LogWriter] = []

  /// - Parameter staging: a file that keeps what is on its way to a log: see ``LogScratch``.
  package init(loop: EventLoop, staging: String? = nil) {
    self.loop = loop
    scratch = LogScratch(staging: staging)
  }

  /// Writes what a process before this one had taken and not written. Call it before anything else is.
  package func finishStaged() {
    if let writer = LogWriter.finishStaged(scratch) { retryLater(writer) }
  }

  /// Begins another staging file if somebody has removed the one there was.
  package func restoreStaging() { scratch.staging?.restore() }

  deinit {
    for token in pipes.keys { loop.remove(token) }
    if let retry { loop.cancel(retry) }
  }

  /// Reads from a non-blocking pipe or FIFO, on loan, until it ends, fails or is removed; then calls `onEnd`.
  package func add(
    _ descriptor: FileDescriptor, _ stream: LogStream, to writer: LogWriter,
    onEnd: @escaping (Errno?) -> Void = { _ in }
  ) throws(KernelError) -> EventLoop.Token {
    var token: EventLoop.Token?
    let registered = try loop.register(descriptor, interest: .read) { [weak self] readiness in
      guard let self, let token else { return }
      let progress = writer.drain(descriptor, stream)
      retryLater(writer)
      switch progress {
      case .more: break
      case .ended: end(token, nil, onEnd)
      case .failed(let failure): end(token, failure, onEnd)
      }
    }
    token = registered
    pipes[registered] = Pipe(descriptor: descriptor, writer: writer, stream: stream)
    return registered
  }

  /// Reads once more what is there, then lets go of the pipe: for a service that has ended.
  package func remove(_ token: EventLoop.Token) {
    guard let pipe = pipes.removeValue(forKey: token) else { return }
    loop.remove(token)
    // A pipe holds 1 MB at most unless root made it larger (F_SETPIPE_SZ, pipe(7)); whoever still writes is not waited for.
    _ = pipe.writer.drain(pipe.descriptor, pipe.stream, budget: 4 << 20)
    retryLater(pipe.writer)
  }

  private func end(_ token: EventLoop.Token, _ failure: Errno?, _ onEnd: (Errno?) -> Void) {
    pipes[token] = nil
    loop.remove(token)
    onEnd(failure)
  }

  private func retryLater(_ writer: LogWriter) {
    guard writer.needsFlush else { return }
    if !unflushed.contains(where: { $0 === writer }) { unflushed.append(writer) }
    guard retry == nil else { return }
    retry = loop.schedule(after: Self.retryInterval) { [weak self] in
      guard let self else { return }
      retry = nil
      let writers = unflushed
      unflushed = []
      for writer in writers where !writer.flush() { retryLater(writer) }
    }
  }
}
