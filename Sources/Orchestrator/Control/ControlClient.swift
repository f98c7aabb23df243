import Glibc
import JSON
import Kernel
import SystemPackage

/// The reason why a call has no reply.
package enum ControlError: Error, Hashable, Sendable {
  /// The supervisor's answer.
  case failure(ControlFailure)
  /// Nobody listens, or the kernel refused.
  case kernel(KernelError)
  /// The supervisor went away before the last reply.
  case disconnected
  case timedOut
  /// A signal came and the caller wants to stop for it.
  case interrupted
  /// The message is no reply to this call.
  case invalidReply(String)
}

/// A command's side of the control socket: calls that wait for their replies.
///
/// One call at a time. Not for use on an event loop's thread.
package final class ControlClient {
  /// The largest reply that is taken.
  static let maximumReply = 64 << 20

  private let socket: Descriptor
  private let interruption: Interruption
  private var input = MessageBuffer(maximumSize: ControlClient.maximumReply)
  private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var isBusy = false

  /// Connects to `control.sock` in `folder`, waiting `timeout` at most for a supervisor that is slow to accept.
  package init(
    connectingIn folder: String, timeout: Duration = .seconds(10), interruption: Interruption = Interruption()
  ) throws(ControlError) {
    let deadline = SuspendingClock.now + timeout
    while true {
      do {
        socket = try ControlSocket.connect(inFolder: folder, timeout: SuspendingClock.now.duration(to: deadline))
        break
      } catch {
        switch error.errno {
        case .interrupted where !interruption.isInterrupted(): continue
        case .interrupted: throw .interrupted
        case .resourceTemporarilyUnavailable: throw .timedOut
        default: throw .kernel(error)
        }
      }
    }
    self.interruption = interruption
  }

  /// Speaks over a connected, non-blocking stream socket.
  init(adopting socket: consuming Descriptor, interruption: Interruption = Interruption()) {
    self.socket = socket
    self.interruption = interruption
  }

  deinit {
    scratch.deallocate()
  }

  /// Calls a method with one reply. `timeout` is for the whole call; `nil` waits for as long as it takes.
  package func call<Method: ControlMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, timeout: Duration? = nil
  ) throws(ControlError) -> Method.Reply {
    let deadline = timeout.map { SuspendingClock.now + $0 }
    try begin(method, parameters, more: nil, deadline: deadline)
    guard let reply = try nextReply(of: method, deadline: deadline) else { throw .disconnected }
    guard !reply.continues else { throw .invalidReply("\(Method.name) sent more than one reply") }
    return reply.parameters
  }

  /// Calls a method with any number of replies. `timeout` is for sending the call.
  package func stream<Method: ControlMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, timeout: Duration? = nil
  ) throws(ControlError) -> ControlReplies<Method> {
    try begin(method, parameters, more: true, deadline: timeout.map { SuspendingClock.now + $0 })
    return ControlReplies(client: self)
  }

  // MARK: One call

  private func begin<Method: ControlMethod>(
    _ method: Method.Type, _ parameters: Method.Parameters, more: Bool?, deadline: SuspendingClock.Instant?
  ) throws(ControlError) {
    guard !isBusy else { throw .invalidReply("an earlier call on this connection has not ended") }
    isBusy = true
    let message: [UInt8]
    do {
      message = try ControlMessage.encode(ControlMessage.Call(method: Method.name, parameters: parameters, more: more))
    } catch {
      isBusy = false
      throw .invalidReply("the parameters of \(Method.name) cannot be written as JSON: \(error)")
    }
    try transmit(message, deadline: deadline)
  }

  fileprivate func nextReply<Method: ControlMethod>(
    of method: Method.Type, deadline: SuspendingClock.Instant?
  ) throws(ControlError) -> (parameters: Method.Reply, continues: Bool)? {
    let message = try receive(deadline: deadline)
    let envelope: ControlMessage.ReplyEnvelope
    do {
      envelope = try JSONReader.decode(ControlMessage.ReplyEnvelope.self, from: message)
      if envelope.error == nil {
        let reply = try ControlMessage.decodeParameters(Method.Reply.self, from: message)
        isBusy = envelope.continues ?? false
        return (reply, envelope.continues ?? false)
      }
    } catch {
      throw .invalidReply("\(Method.name): \(ControlMessage.explain(error))")
    }
    isBusy = false
    let text = try? ControlMessage.decodeParameters(ControlMessage.ErrorText.self, from: message)
    let name = envelope.error ?? ""
    throw .failure(ControlFailure(name, text?.message ?? name))
  }

  // MARK: Bytes

  private func transmit(_ message: [UInt8], deadline: SuspendingClock.Instant?) throws(ControlError) {
    var sent = 0
    while sent < message.count {
      let count = message.withUnsafeBytes { bytes in
        send(socket.rawValue, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, CInt(MSG_NOSIGNAL))
      }
      guard count < 0 else {
        sent += count
        continue
      }
      switch errno {
      case EAGAIN: try wait(for: Int16(POLLOUT), deadline: deadline)
      case EINTR: if interruption.isInterrupted() { throw .interrupted }
      // The supervisor has closed: what it said before that is still to be read.
      case EPIPE, ECONNRESET: return
      default: throw .kernel(KernelError("send to", "the supervisor", errno: .last))
      }
    }
  }

  private func receive(deadline: SuspendingClock.Instant?) throws(ControlError) -> [UInt8] {
    while true {
      do {
        if let message = try input.next() { return message }
      } catch {
        throw .invalidReply("the supervisor sent \(error)")
      }
      let count = recv(socket.rawValue, scratch.baseAddress, scratch.count, 0)
      if count > 0 {
        input.append(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
        continue
      }
      guard count < 0 else { throw .disconnected }
      switch errno {
      case EAGAIN: try wait(for: Int16(POLLIN), deadline: deadline)
      case EINTR: if interruption.isInterrupted() { throw .interrupted }
      case ECONNRESET: throw .disconnected
      default: throw .kernel(KernelError("receive from", "the supervisor", errno: .last))
      }
    }
  }

  private func wait(for events: Int16, deadline: SuspendingClock.Instant?) throws(ControlError) {
    var waiting = [
      pollfd(fd: socket.rawValue, events: events, revents: 0),
      // A negative number is skipped (poll(2)).
      pollfd(fd: interruption.wake?.rawValue ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    while true {
      if interruption.isInterrupted() { throw .interrupted }
      let ready = poll(&waiting, nfds_t(waiting.count), try milliseconds(until: deadline))
      if ready > 0 {
        if waiting[1].revents != 0 { throw .interrupted }
        return
      }
      if ready < 0, errno != EINTR {
        throw .kernel(KernelError("wait for", "the supervisor", errno: .last))
      }
    }
  }

  private func milliseconds(until deadline: SuspendingClock.Instant?) throws(ControlError) -> CInt {
    guard let deadline else { return -1 }
    let left = SuspendingClock.now.duration(to: deadline)
    guard left > .zero else { throw .timedOut }
    return CInt(
      clamping: left.components.seconds.multipliedReportingOverflow(by: 1000).partialValue
        + left.components.attoseconds / 1_000_000_000_000_000 + 1)
  }
}

/// The replies of one call, as they come. Hold the client no longer than these are wanted: both end together.
package final class ControlReplies<Method: ControlMethod> {
  private let client: ControlClient
  private var isDone = false

  fileprivate init(client: ControlClient) {
    self.client = client
  }

  /// Waits for the next reply; `nil` after the last. Throws the error that the call ended with.
  package func next(timeout: Duration? = nil) throws(ControlError) -> Method.Reply? {
    guard !isDone else { return nil }
    do {
      guard let reply = try client.nextReply(of: Method.self, deadline: timeout.map { SuspendingClock.now + $0 }) else {
        return nil
      }
      isDone = !reply.continues
      return reply.parameters
    } catch .timedOut {
      throw .timedOut
    } catch .interrupted {
      throw .interrupted
    } catch {
      isDone = true
      throw error
    }
  }
}

extension ControlError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .failure(let failure): failure.message
    case .kernel(let error): "\(error)"
    case .disconnected: "the supervisor went away before it answered"
    case .timedOut: "the supervisor did not answer in time"
    case .interrupted: "interrupted"
    case .invalidReply(let what): "the supervisor and this command do not understand each other: \(what)"
    }
  }
}
