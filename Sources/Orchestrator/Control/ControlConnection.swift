import Glibc
import JSON
import Kernel
import Loop
import SystemPackage

/// One peer of a ``ControlServer``.
final class ControlConnection {
  let peer: PeerCredentials

  private let socket: Descriptor
  private weak var server: ControlServer?
  private let limits: ControlServer.Limits
  private let loop: EventLoop
  private var token: EventLoop.Token?
  private var input: MessageBuffer
  private var output: [UInt8] = []
  private var sent = 0
  private var accounted = 0
  private var call: ControlCallState?
  private var isProcessing = false
  /// The peer will send nothing more.
  private var inputEnded = false
  /// The connection closes when its last bytes are out.
  private var closesWhenSent = false
  private var wasCongested = false
  private var deadline: EventLoop.TimerID?
  private var deadlineKind = Wait.nothing
  /// A message came or bytes went since the deadline was set.
  private var restartsDeadline = false

  private enum Wait {
    case nothing, call, rest, reading
  }

  init(server: ControlServer, socket: consuming Descriptor, peer: PeerCredentials) throws(KernelError) {
    self.server = server
    loop = server.loop
    limits = server.limits
    self.peer = peer
    self.socket = socket
    input = MessageBuffer(maximumSize: limits.messageSize)
    token = try loop.register(self.socket.fileDescriptor, interest: .read) { [weak self] in self?.handle($0) }
    rearm()
  }

  var isCongested: Bool { queued > limits.congestion }

  private var queued: Int { output.count - sent }
  private var isOpen: Bool { token != nil }

  /// Ends the connection at once.
  func close() {
    guard let token else { return }
    self.token = nil
    loop.remove(token)
    if let deadline { loop.cancel(deadline) }
    deadline = nil
    server?.bufferedBytes -= accounted
    accounted = 0
    output = []
    sent = 0
    shutdown(socket.rawValue, CInt(SHUT_RDWR))
    let ended = call
    call = nil
    server?.forget(self)
    ended?.disconnect()
  }

  // MARK: Calls

  func beginCall(wantsMore: Bool, isOneway: Bool) -> ControlCallState {
    let state = ControlCallState(connection: self, wantsMore: wantsMore, isOneway: isOneway)
    call = state
    return state
  }

  /// Queues a reply; an empty one for a call that wants none.
  func deliver(_ reply: [UInt8], endsCall: Bool) {
    guard isOpen else { return }
    if endsCall { call = nil }
    if !reply.isEmpty { enqueue(reply) }
    guard isOpen else { return }
    // While messages are taken, whoever takes them goes on from here.
    guard !isProcessing else { return }
    if endsCall { process() }
    settle()
  }

  private func process() {
    isProcessing = true
    defer { isProcessing = false }
    do throws(MessageBuffer.Violation) {
      while isOpen, call == nil, !closesWhenSent, !isCongested, let message = try input.next() {
        restartsDeadline = true
        dispatch(message)
      }
      if inputEnded, !input.isEmpty, call == nil, !closesWhenSent, !isCongested, isOpen {
        refuse(.invalidMessage("the connection ended in the middle of a message"))
      }
    } catch {
      refuse(.invalidMessage("\(error)"))
    }
  }

  private func dispatch(_ message: [UInt8]) {
    let envelope: ControlMessage.Envelope
    do {
      envelope = try JSONReader.decode(ControlMessage.Envelope.self, from: message)
    } catch {
      return refuse(.invalidMessage("not a varlink call: \(ControlMessage.explain(error))"))
    }
    if let failure = start(envelope, message), envelope.oneway != true {
      enqueue(ControlMessage.encode(failure))
    }
  }

  private func start(_ envelope: ControlMessage.Envelope, _ message: [UInt8]) -> ControlFailure? {
    guard envelope.upgrade != true else { return .invalidParameter("no method can be upgraded") }
    guard let handler = server?.handler(for: envelope.method) else { return .methodNotFound(envelope.method) }
    return handler(envelope, message, self)
  }

  /// Says what is wrong and closes.
  private func refuse(_ failure: ControlFailure) {
    guard isOpen else { return }
    closesWhenSent = true
    input = MessageBuffer(maximumSize: 0)
    enqueue(ControlMessage.encode(failure))
  }

  // MARK: Reading and writing

  private func handle(_ readiness: EventLoop.Readiness) {
    if readiness.contains(.readable), !closesWhenSent { receive() }
    if isOpen, readiness.contains(.writable) { transmit() }
    guard isOpen else { return }
    process()
    if readiness.contains(.hangUp) || readiness.contains(.error) {
      // Both directions are gone. What was sent before has been read, unless a long call keeps it from being answered.
      if inputEnded || call != nil || closesWhenSent { return close() }
    }
    settle()
  }

  private func receive() {
    // A bounded amount for each turn keeps one peer from holding up the rest.
    guard let scratch = server?.scratch else { return }
    for _ in 0..<4 where isOpen && !inputEnded {
      let count = recv(socket.rawValue, scratch.baseAddress, scratch.count, 0)
      switch count {
      case 1...:
        input.append(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
        guard account() else { return }
        if count < scratch.count { return }
      case 0: inputEnded = true
      default:
        if errno == EINTR { continue }
        if errno != EAGAIN { close() }
        return
      }
    }
  }

  private func enqueue(_ reply: [UInt8]) {
    guard isOpen else { return }
    guard queued + reply.count <= limits.queuedBytes || queued == 0 else { return close() }
    output.append(contentsOf: reply)
    guard account() else { return }
    transmit()
  }

  private func transmit() {
    while queued > 0 {
      let count = output.withUnsafeBytes { bytes in
        send(socket.rawValue, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, CInt(MSG_NOSIGNAL))
      }
      guard count >= 0 else {
        if errno == EINTR { continue }
        if errno != EAGAIN { close() }
        break
      }
      sent += count
      restartsDeadline = true
    }
    guard isOpen else { return }
    if queued == 0 {
      output.removeAll(keepingCapacity: output.count <= 1 << 16)
      sent = 0
    } else if sent > 1 << 20 {
      output.removeFirst(sent)
      sent = 0
    }
    _ = account()
    if isCongested {
      wasCongested = true
    } else if wasCongested {
      wasCongested = false
      call?.onDrain?()
    }
  }

  /// Keeps the server's sum right; false when it is more than the server holds, and this connection is closed for it.
  private func account() -> Bool {
    guard let server else { return true }
    let now = input.count + queued
    server.bufferedBytes += now - accounted
    accounted = now
    guard server.bufferedBytes > limits.bufferedBytes else { return true }
    close()
    return false
  }

  /// Chooses the events to wait for, and the time limit. Called after every change.
  private func settle() {
    guard isOpen, let token else { return }
    _ = account()
    if queued == 0, closesWhenSent || inputEnded && call == nil { return close() }
    var interest: EventLoop.Interest = []
    // A peer with a call under way may send the next one, but not fill memory with them.
    let hasRoom = call == nil && !isCongested || input.count < 1 << 16
    if !inputEnded, !closesWhenSent, hasRoom { interest.insert(.read) }
    if queued > 0 { interest.insert(.write) }
    do {
      try loop.setInterest(interest, for: token)
    } catch {
      return close()
    }
    rearm()
  }

  private func rearm() {
    let kind: Wait
    if call != nil {
      kind = .nothing
    } else if queued > 0 {
      kind = .reading
    } else {
      kind = input.isEmpty ? .call : .rest
    }
    guard kind != deadlineKind || restartsDeadline else { return }
    deadlineKind = kind
    restartsDeadline = false
    if let deadline { loop.cancel(deadline) }
    switch kind {
    case .nothing: deadline = nil
    case .call: expire(after: limits.idleTime, .timedOut("no call came"))
    case .rest: expire(after: limits.receiveTime, .timedOut("the rest of a message did not come"))
    case .reading: expire(after: limits.sendTime, nil)
    }
  }

  private func expire(after time: Duration, _ failure: ControlFailure?) {
    deadline = loop.schedule(after: time) { [weak self] in
      guard let self else { return }
      deadline = nil
      deadlineKind = .nothing
      guard let failure else { return close() }
      refuse(failure)
      settle()
    }
  }
}
