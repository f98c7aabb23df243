import Addresses
import CLinux
import DNS
import Glibc
import Kernel
import Loop
import SystemPackage

/// One question on its way: to one server after the other, over UDP, and over TCP where an answer was cut and the client
/// has room for all of it.
final class Exchange {
  /// A client that waits for the answer.
  struct Client {
    let address: IPAddress
    let completion: Forwarder.Completion
  }

  let question: ForwardedQuestion
  /// The address that asked.
  let owner: IPAddress
  /// With those that have asked the same meanwhile.
  var waiting: [Client]

  private let loop: EventLoop
  private let servers: [IPAddress]
  private let completion: (Exchange, [UInt8]?, IPAddress?) -> Void
  /// The time at which it fails.
  let deadline: EventLoop.Instant
  /// The time that each server has for its answer.
  private let patience: Duration
  private var attempt = 0
  private var id: UInt16 = 0
  private var socket: SharedDescriptor?
  private var token: EventLoop.Token?
  private var timer: EventLoop.TimerID?
  /// The answer of a server that failed. The client gets it when no other server can help.
  private var apology: (answer: [UInt8], server: IPAddress)?
  /// The received part of an answer over TCP; nil while the question is asked over UDP.
  private var stream: [UInt8]?
  private var isOver = false

  /// Each server is asked twice, but no question more than this often.
  private static let mostAttempts = 6

  init(
    _ question: ForwardedQuestion, for client: Client, loop: EventLoop, order: [IPAddress], deadline: EventLoop.Instant,
    completion: @escaping (Exchange, [UInt8]?, IPAddress?) -> Void
  ) {
    self.question = question
    owner = client.address
    waiting = [client]
    self.loop = loop
    servers = order
    self.completion = completion
    self.deadline = deadline
    patience = loop.now.duration(to: deadline) / min(2 * order.count, Self.mostAttempts)
  }

  private var server: IPAddress { servers[attempt % servers.count] }

  func begin() {
    while !isOver, socket == nil {
      guard attempt < min(2 * servers.count, Self.mostAttempts), loop.now < deadline else { return fail() }
      if !send() { attempt += 1 }
    }
  }

  func cancel() {
    isOver = true
    letGo()
  }

  private func letGo() {
    if let token { loop.remove(token) }
    if let timer { loop.cancel(timer) }
    (token, timer, socket, stream) = (nil, nil, nil, nil)
  }

  private func next() {
    letGo()
    attempt += 1
    begin()
  }

  private func fail() {
    finish(apology?.answer, from: apology?.server)
  }

  private func finish(_ answer: [UInt8]?, from server: IPAddress?) {
    guard !isOver else { return }
    cancel()
    completion(self, answer, server)
  }

  // MARK: UDP

  /// Sends the question to the server whose turn it is; false when there is no way to it.
  private func send() -> Bool {
    // A new number and, since the kernel chooses it, a new port for each.
    id = UInt16.random(in: 0...UInt16.max)
    guard let socket = DNSSocket.connect(to: server, overTCP: false) else { return false }
    let message = question.message(id: id)
    guard message.withUnsafeBytes({ Glibc.send(socket.rawValue, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }) >= 0
    else { return false }
    return watch(socket, interest: .read, until: min(loop.now + patience, deadline)) { $0.receiveDatagram() }
  }

  private func watch(
    _ socket: consuming Descriptor, interest: EventLoop.Interest, until deadline: EventLoop.Instant,
    _ handler: @escaping (Exchange) -> Void
  ) -> Bool {
    let socket = SharedDescriptor(socket)
    guard
      let token = try? loop.register(
        socket.descriptor.fileDescriptor, interest: interest,
        handler: { [weak self] _ in
          if let self { handler(self) }
        })
    else { return false }
    (self.socket, self.token) = (socket, token)
    timer = loop.schedule(at: deadline) { [weak self] in self?.next() }
    return true
  }

  private func receiveDatagram() {
    guard let socket else { return }
    var failure: CInt = 0
    let message = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
      let received = recv(socket.descriptor.rawValue, buffer.baseAddress, buffer.count, 0)
      if received < 0 { failure = errno }
      count = max(received, 0)
    }
    if failure == EAGAIN || failure == EINTR { return }
    // An ICMP error has come back: nobody listens there, or there is no way.
    guard failure == 0 else { return next() }
    guard question.isAnswered(by: message.span, id: id) else { return }
    let flags = MessageFlags(rawValue: message.span.number16(at: 2) ?? 0)
    if flags.contains(.truncated), question.wantsWhole { return askOverTCP() }
    judge(message)
  }

  /// Takes an answer, unless another server might have a better one.
  private func judge(_ message: [UInt8]) {
    let code = MessageFlags(rawValue: message.span.number16(at: 2) ?? 0).responseCode
    guard code != ResponseCode.noError.rawValue, code != ResponseCode.nameError.rawValue else {
      return finish(message, from: server)
    }
    apology = apology ?? (message, server)
    attempt + 1 < servers.count ? next() : fail()
  }

  // MARK: TCP

  private func askOverTCP() {
    letGo()
    guard let socket = DNSSocket.connect(to: server, overTCP: true),
      watch(
        socket, interest: .write, until: max(deadline, loop.now + .seconds(2)), { $0.streamIsReady() })
    else { return next() }
    stream = []
  }

  private func streamIsReady() {
    guard let socket, let token, stream != nil else { return }
    let message = question.message(id: id)
    let framed = [UInt8(message.count >> 8), UInt8(truncatingIfNeeded: message.count)] + message
    // A socket that has just been connected has room for so little at once, or the connection has failed.
    let sent = framed.withUnsafeBytes {
      Glibc.send(socket.descriptor.rawValue, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
    }
    guard sent == framed.count else { return next() }
    loop.remove(token)
    self.token = try? loop.register(socket.descriptor.fileDescriptor, interest: .read) { [weak self] _ in
      self?.receiveStream()
    }
    if self.token == nil { next() }
  }

  private func receiveStream() {
    guard let socket, stream != nil else { return }
    let chunk = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
      count = max(recv(socket.descriptor.rawValue, buffer.baseAddress, buffer.count, 0), 0)
    }
    guard !chunk.isEmpty else { return next() }
    stream? += chunk
    guard let stream, let length = stream.span.number16(at: 0), stream.count >= Int(length) + 2 else { return }
    let message = Array(stream[2..<(2 + Int(length))])
    guard question.isAnswered(by: message.span, id: id) else { return next() }
    judge(message)
  }
}
