import Addresses
import DNS
import Glibc
import Kernel
import Loop
import SystemPackage

/// A client over TCP (RFC 7766): questions one behind the other, each after its length, and answers as they are found.
final class NameConnection {
  let peer: IPAddress

  private let asker: NameZone.Asker
  private unowned let server: NameServer
  private let socket: Descriptor
  private let onClose: (ObjectIdentifier) -> Void
  private var token: EventLoop.Token?
  private var timer: EventLoop.TimerID?
  private var input: [UInt8] = []
  private var output: [UInt8] = []
  /// Questions that are asked of others.
  private var pending = 0
  private var writer = DNSWriter()

  /// Without a question.
  private static let idleTime = Duration.seconds(10)
  private static let mostPending = 32
  /// Octets of answers that the client has not taken, until no more questions of it are read.
  private static let congestion = 1 << 17

  init?(
    _ socket: consuming Descriptor, from peer: IPAddress, _ asker: NameZone.Asker, server: NameServer,
    onClose: @escaping (ObjectIdentifier) -> Void
  ) {
    self.peer = peer
    self.asker = asker
    self.server = server
    self.socket = socket
    self.onClose = onClose
    guard fcntl(self.socket.rawValue, F_SETFL, O_NONBLOCK) == 0, fcntl(self.socket.rawValue, F_SETFD, FD_CLOEXEC) == 0,
      let token = try? server.loop.register(
        self.socket.fileDescriptor, interest: .read, handler: { [weak self] in self?.handle($0) })
    else { return nil }
    self.token = token
    restartTimer()
  }

  func close() {
    guard let token else { return }
    self.token = nil
    server.loop.remove(token)
    if let timer { server.loop.cancel(timer) }
    timer = nil
    onClose(ObjectIdentifier(self))
  }

  private func restartTimer() {
    if let timer { server.loop.cancel(timer) }
    timer = server.loop.schedule(after: Self.idleTime) { [weak self] in
      self?.timer = nil
      self?.close()
    }
  }

  private func handle(_ readiness: EventLoop.Readiness) {
    if readiness.contains(.readable) { receive() }
    if token != nil, readiness.contains(.writable) { transmit() }
    if token != nil, readiness.contains(.error) || readiness.contains(.hangUp) { close() }
  }

  private func receive() {
    let chunk = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      count = max(recv(socket.rawValue, buffer.baseAddress, buffer.count, 0), 0)
    }
    // The client has gone, or wants nothing more: what it asked last has been answered, or will not be missed.
    guard !chunk.isEmpty else { return close() }
    input += chunk
    takeQuestions()
  }

  private func takeQuestions() {
    var position = 0
    while token != nil, pending < Self.mostPending, output.count < Self.congestion,
      let length = input.span.number16(at: position), input.count - position - 2 >= Int(length)
    {
      position += 2
      answer(position..<(position + Int(length)))
      position += Int(length)
    }
    guard token != nil else { return }
    if position > 0 {
      input.removeFirst(position)
      restartTimer()
    }
    transmit()
  }

  private func answer(_ place: Range<Int>) {
    let input = input
    let message = input.span.extracting(place)
    writer.removeAll()
    let answer = server.answer(message, from: asker, limit: MessageLimit.stream, writer: &writer) { question, query in
      let reply = LateReply(query, in: message)
      pending += 1
      server.forwarder.ask(question, for: peer) { [weak self] answer in
        guard let self, token != nil else { return }
        pending -= 1
        send(reply.message(from: answer, id: query.id, limit: MessageLimit.stream)[...])
        takeQuestions()
      }
    }
    if let answer { send(writer.octets[answer]) }
  }

  private func send(_ message: ArraySlice<UInt8>) {
    output.append(UInt8(truncatingIfNeeded: message.count >> 8))
    output.append(UInt8(truncatingIfNeeded: message.count))
    output += message
  }

  private func transmit() {
    while !output.isEmpty {
      let count = output.withUnsafeBytes {
        Glibc.send(socket.rawValue, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno != EAGAIN { return close() }
      if count < 0 { break }
      output.removeFirst(count)
    }
    guard let token else { return }
    // A client that does not read its answers is not read from.
    let isFull = pending >= Self.mostPending || output.count >= Self.congestion
    var interest: EventLoop.Interest = isFull ? [] : .read
    if !output.isEmpty { interest.insert(.write) }
    do { try server.loop.setInterest(interest, for: token) } catch { close() }
  }
}
